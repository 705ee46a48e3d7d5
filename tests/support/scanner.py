"""A scanner of Data Matrix symbols that owes nothing to ours: ZXing."""

from collections.abc import Sequence

import zxingcpp
from PIL import Image

_MODULE, _QUIET = 4, 3  # pixels of a module, modules around


def scanned(rows: Sequence[str]) -> str:
    """Return what a symbol says; "" when it cannot be read."""
    side = len(rows) + 2 * _QUIET
    white = "0" * side
    padded = [white] * _QUIET + ["0" * _QUIET + row + "0" * _QUIET for row in rows] + [white] * _QUIET
    line = (b"".join(b"\0" * _MODULE if each == "1" else b"\xff" * _MODULE for each in row) * _MODULE for row in padded)
    return _read(b"".join(line), side * _MODULE, side * _MODULE)


def scanned_page(picture: Image.Image) -> str:
    """Return what the symbol on a picture of a page says; "" when there is none."""
    grey = picture.convert("L")
    return _read(grey.tobytes(), grey.width, grey.height)


def _read(pixels: bytes, wide: int, high: int) -> str:
    view = memoryview(pixels).cast("B", shape=[high, wide])
    found = zxingcpp.read_barcodes(view, formats=zxingcpp.barcode_formats_from_str("DataMatrix"))
    return found[0].bytes.decode() if found else ""
