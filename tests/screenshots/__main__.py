"""Draw docs/cda again: each composed report as Chromium shows its page, and the pages of its PDF.

Run: `python -m tests.screenshots [folder]`. Needs Chromium and pdftoppm (poppler-utils).
"""

import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from cda_builder.adapters.pdf import render_report
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.cda.presentation import to_html
from tests.support.showcase import LABORATORY, showcase

KINDS = ("biochemistry", "haematology", "microbiology", "electrophoresis")
FOLDER = Path(__file__).resolve().parents[2] / "docs" / "cda"
DOTS_PER_INCH = 96
PAGE = {"width": 1000, "height": 800}


def main(folder: Path) -> None:
    """Write the pictures into a folder; those of former runs go."""
    folder.mkdir(parents=True, exist_ok=True)
    for former in folder.glob("*.png"):
        former.unlink()
    theme = LABORATORY.theme
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport=PAGE)  # type: ignore[arg-type]
        for kind in KINDS:
            model = showcase(kind)
            pdf = render_report(model, theme)
            page.set_content(to_html(build_cr_bio(model, pdf), theme).decode())
            page.screenshot(path=folder / f"{kind}-page.png", full_page=True)
            command = ["pdftoppm", "-r", str(DOTS_PER_INCH), "-png", "-", str(folder / f"{kind}-pdf")]
            subprocess.run(command, input=pdf, check=True)
        browser.close()
    for picture in folder.glob("*.png"):
        Image.open(picture).convert("P", palette=Image.Palette.ADAPTIVE, colors=224).save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
