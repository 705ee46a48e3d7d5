"""The PDFs, judged as PDF/A-1b by veraPDF."""

import importlib.util
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from reportlab.pdfgen.canvas import Canvas

from cda_builder.adapters.pdf import render_narrative, render_report
from labohub.standards import xml
from labohub.standards.cda import read_header
from labohub.standards.cda.builder import build_cr_bio
from labohub.standards.cda.presentation import Theme
from tests.support.cda import PDF
from tests.support.microbiology import png
from tests.support.showcase import ALL, curve, showcase

ROOT = Path(__file__).resolve().parents[3]


def _peers() -> Any:
    spec = importlib.util.spec_from_file_location("peers", ROOT / "deploy" / "test-peers" / "peers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _plain() -> bytes:
    buffer = BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(50, 50, "no font inside, no colour profile, no metadata")
    canvas.save()
    return buffer.getvalue()


def _pdfs() -> Iterator[tuple[str, bytes]]:
    for kind in ALL:
        yield kind, render_report(showcase(kind))
    yield "logo", render_report(showcase("haematology"), Theme("#5b2a86", f"data:image/png;base64,{curve()}"))
    yield "small-logo", render_report(showcase("haematology"), Theme(logo=f"data:image/png;base64,{png()}"))
    root = xml.parse(build_cr_bio(showcase("microbiology"), PDF))
    yield "narrative", render_narrative(root, read_header(root))


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what veraPDF says of each file: one start of Java for all."""
    folder, peers = tmp_path_factory.mktemp("pdf"), _peers()
    for name, content in (*_pdfs(), ("plain", _plain())):
        (folder / f"{name}.pdf").write_bytes(content)
    peers.fetch()
    command = peers.pdf_command(*sorted(folder.glob("*.pdf")))
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {Path(path).stem: verdict for path, _, verdict in (line.partition("\t") for line in lines)}


@pytest.mark.parametrize("name", [*ALL, "logo", "small-logo", "narrative"])
def test_it_is_a_pdf_a_1b(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name] == "valid"


def test_the_judge_refuses_a_plain_pdf(verdicts: dict[str, str]) -> None:
    assert "XMP" in verdicts["plain"]
