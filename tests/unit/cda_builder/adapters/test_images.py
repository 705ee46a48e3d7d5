"""Pictures are opened with care, and shown on white."""

import base64
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from cda_builder.adapters import images
from cda_builder.adapters.images import on_white, with_web_images
from cda_builder.core.errors import CdaAttachmentUnreadable
from labohub.contracts.laboratory import Attachment
from tests.support.cda import battery, result, results_of


def written(picture: Image.Image, kind: str, **options: Any) -> str:
    out = BytesIO()
    picture.save(out, kind, **options)
    return base64.b64encode(out.getvalue()).decode()


def test_what_is_transparent_is_white() -> None:
    data = written(Image.new("RGBA", (2, 2), (255, 0, 0, 0)), "PNG")

    assert on_white(data).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        "####",
        base64.b64encode(b"\x89PNG\r\n\x1a\nbroken").decode(),
        base64.b64encode(b"II*\x00").decode(),
        written(Image.new("RGB", (40, 40)), "PNG")[:80],
        base64.b64encode(b"%!PS-Adobe-3.0 EPSF-3.0").decode(),
        written(Image.new("L", (2, 2)), "TIFF", save_all=True, append_images=[Image.new("L", (2, 2))]),
    ],
    ids=["no base64", "broken", "empty", "cut", "another format", "several pages"],
)
def test_what_cannot_be_shown_whole_is_refused(data: str) -> None:
    with pytest.raises(CdaAttachmentUnreadable):
        on_white(data)


def test_a_picture_larger_than_any_page_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_PIXELS", 99)

    with pytest.raises(CdaAttachmentUnreadable):
        on_white(written(Image.new("L", (10, 10)), "PNG"))


@pytest.mark.parametrize(("kind", "media_type"), [("TIFF", "image/tiff"), ("BMP", "image/bmp")])
def test_what_no_reader_shows_becomes_png_dot_for_dot(kind: str, media_type: str) -> None:
    data = written(Image.effect_mandelbrot((9, 7), (-2, -1, 1, 1), 20).convert("RGB"), kind)
    report = results_of(battery(result(attachment=Attachment(media_type=media_type, data=data))))

    changed = with_web_images(report).batteries[0].results[0].attachment

    assert changed is not None
    assert changed.media_type == "image/png"
    assert on_white(changed.data).tobytes() == on_white(data).tobytes()


def test_everything_else_stays_as_it_came() -> None:
    report = results_of()

    assert with_web_images(report) is report
