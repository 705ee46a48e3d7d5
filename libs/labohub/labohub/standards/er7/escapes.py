"""Escape sequences of leaf values. Decoded once, after splitting; what is unknown stays as it is written.

Source: HL7 v2.5.1 chapter 2, §2.7.
"""

import re
from collections.abc import Callable

from labohub.standards.er7.delimiters import USUAL, Delimiters
from labohub.standards.er7.header import CONTROL_BYTES

_LINE_BREAKS = {".br", ".sp", ".sp1", "X0D", "X0A", "X0D0A", "X0d", "X0a", "X0d0a"}

_WITHOUT_CONTROLS = dict.fromkeys(CONTROL_BYTES)


def unescape(value: str, delimiters: Delimiters = USUAL, codec: str = "utf-8") -> str:
    """Return the text that an escaped leaf stands for; `\\.br\\` becomes a line feed.

    Args:
        codec: of the message; `\\Xhh…\\` holds bytes of it. Control characters are left out, as where they are bare.
    """
    mark = delimiters.escape
    if mark not in value:
        return value
    return _pattern(mark).sub(_decoder(delimiters, codec), value)


def escape(value: str, delimiters: Delimiters = USUAL) -> str:
    """Return the text as a leaf may hold it; line ends become `\\.br\\`."""
    mark = delimiters.escape
    text = value.replace(mark, f"{mark}E{mark}")
    for sign, letter in (
        (delimiters.field, "F"),
        (delimiters.component, "S"),
        (delimiters.subcomponent, "T"),
        (delimiters.repetition, "R"),
    ):
        text = text.replace(sign, f"{mark}{letter}{mark}")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", f"{mark}.br{mark}")


def _pattern(mark: str) -> re.Pattern[str]:
    sign = re.escape(mark)
    return re.compile(f"{sign}([^{sign}]{{1,200}}){sign}")


def _decoder(delimiters: Delimiters, codec: str) -> Callable[[re.Match[str]], str]:
    letters = {
        "F": delimiters.field,
        "S": delimiters.component,
        "T": delimiters.subcomponent,
        "R": delimiters.repetition,
        "E": delimiters.escape,
        "H": "",
        "N": "",
    }

    def decode(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in letters:
            return letters[name]
        if name in _LINE_BREAKS:
            return "\n"
        if name.startswith("X"):
            try:
                return bytes.fromhex(name[1:]).decode(codec).translate(_WITHOUT_CONTROLS)
            except ValueError:
                return match.group(0)
        return match.group(0)

    return decode
