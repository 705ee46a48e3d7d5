"""Pictures among the results: opened with care; those that no reader shows (TIFF, BMP) become PNG."""

import base64
import binascii
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError
from PIL.Image import DecompressionBombError

from cda_builder.core.errors import CdaAttachmentUnreadable
from labohub.contracts.laboratory import Attachment, Battery, LaboratoryReport, Result

_CONVERTED: Final = frozenset({"image/tiff", "image/tif", "image/bmp", "image/x-ms-bmp", "image/x-bmp"})
_FORMATS: Final = ("PNG", "JPEG", "GIF", "TIFF", "BMP")
MAX_PIXELS: Final = 40_000_000  # an A3 page at 300 dpi is half of it


def on_white(data: str) -> Image.Image:
    """Return a picture (base64) in RGB, what is transparent on white: PDF/A-1 knows no transparency.

    Raises:
        CdaAttachmentUnreadable: it cannot be read, has several pages, or is too large.
    """
    try:
        with Image.open(BytesIO(base64.b64decode(data, validate=True)), formats=_FORMATS) as picture:
            pages = getattr(picture, "n_frames", 1)
            if picture.width * picture.height > MAX_PIXELS or (pages != 1 and picture.format == "TIFF"):
                raise CdaAttachmentUnreadable("a picture is too large or has several pages")
            layer = picture.convert("RGBA")
    except (binascii.Error, UnidentifiedImageError, DecompressionBombError, OSError, SyntaxError, ValueError):
        raise CdaAttachmentUnreadable("a picture cannot be read") from None
    paper = Image.new("RGBA", layer.size, "white")
    paper.alpha_composite(layer)
    return paper.convert("RGB")


def with_web_images(report: LaboratoryReport) -> LaboratoryReport:
    """Return the report with its pictures readable everywhere. Raises: CdaAttachmentUnreadable."""
    if not any(_is_converted(each) for battery in report.batteries for each in battery.results):
        return report
    return report.model_copy(update={"batteries": tuple(_battery(each) for each in report.batteries)})


def _battery(battery: Battery) -> Battery:
    return battery.model_copy(update={"results": tuple(_result(each) for each in battery.results)})


def _result(result: Result) -> Result:
    if not _is_converted(result) or result.attachment is None:
        return result
    return result.model_copy(update={"attachment": _png(result.attachment)})


def _is_converted(result: Result) -> bool:
    return result.attachment is not None and result.attachment.media_type.lower() in _CONVERTED


def _png(attachment: Attachment) -> Attachment:
    out = BytesIO()
    on_white(attachment.data).save(out, "PNG")
    return attachment.model_copy(update={"media_type": "image/png", "data": base64.b64encode(out.getvalue()).decode()})
