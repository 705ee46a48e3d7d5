"""The output intent: an sRGB profile, made here so that nothing depends on the machine."""

import struct
from functools import cache


@cache
def srgb_profile() -> bytes:
    """Return an ICC profile of version 2.1 for sRGB, always the same bytes.

    PDF/A-1 rests on PDF 1.4, which knows version 2 profiles only.
    Source: ICC.1:2001-04; IEC 61966-2-1 (primaries adapted to D50, transfer curve).
    """
    curve = _curve()
    tags = {
        b"desc": _description("sRGB"),
        b"cprt": b"text\0\0\0\0" + b"No copyright, use freely\0",
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": _xyz(0.43607, 0.22249, 0.01392),
        b"gXYZ": _xyz(0.38515, 0.71687, 0.09708),
        b"bXYZ": _xyz(0.14307, 0.06061, 0.71410),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, data, places = struct.pack(">I", len(tags)), b"", dict[bytes, int]()
    for name, content in tags.items():
        if content not in places:
            places[content] = offset + len(data)
            data += content + b"\0" * (-len(content) % 4)
        table += struct.pack(">4sII", name, places[content], len(content))
    return _header(offset + len(data)) + table + data


def _header(size: int) -> bytes:
    created = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    white = struct.pack(">3i", round(0.9642 * 65536), 65536, round(0.8249 * 65536))
    head = struct.pack(">I4sI", size, b"\0\0\0\0", 0x02100000) + b"mntrRGB XYZ " + created + b"acsp"
    return (head + b"\0" * 28 + white).ljust(128, b"\0")


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(each * 65536) for each in (x, y, z)))


def _curve() -> bytes:
    points = 1024
    values = []
    for index in range(points):
        level = index / (points - 1)
        linear = level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4
        values.append(round(linear * 65535))
    return b"curv\0\0\0\0" + struct.pack(f">I{points}H", points, *values)


def _description(text: str) -> bytes:
    ascii_text = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(ascii_text)) + ascii_text + b"\0" * (4 + 4 + 2 + 1 + 67)
