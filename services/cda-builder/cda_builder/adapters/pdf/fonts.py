"""The fonts: Bitstream Vera, which comes with reportlab and may be embedded."""

import unicodedata
from functools import cache
from typing import Final

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "Vera"
BOLD: Final = "VeraBd"
ITALIC: Final = "VeraIt"


@cache
def register() -> None:
    """Make the fonts known, once in a process; let streams be binary: base 85 costs time and a quarter more bytes."""
    rl_config.useA85 = 0
    for name in (REGULAR, BOLD, ITALIC):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


@cache
def _glyphs(font: str) -> frozenset[int]:
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


def drawable(text: str, font: str = REGULAR) -> str:
    """Return the text with what the font lacks replaced: by the letter without its accent, else by a question mark."""
    glyphs = _glyphs(font)
    if all(ord(character) in glyphs for character in text):
        return text
    return "".join(each if ord(each) in glyphs else _nearest(each, glyphs) for each in text)


def _nearest(character: str, glyphs: frozenset[int]) -> str:
    base = unicodedata.normalize("NFKD", character)[0]
    return base if ord(base) in glyphs else " " if character.isspace() else "?"


def width(text: str, font: str, size: float) -> float:
    """Return the width of a text in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def wrap(text: str, font: str, size: float, available: float) -> list[str]:
    """Return the lines of a text that fit a width; words longer than a line are cut."""
    lines: list[str] = []
    for paragraph in drawable(text, font).split("\n"):
        if width(paragraph, font, size) <= available:
            lines.append(paragraph)
            continue
        line = ""
        for word in paragraph.split(" "):
            trial = f"{line} {word}" if line else word
            if width(trial, font, size) <= available:
                line = trial
                continue
            if line:
                lines.append(line)
            line = word
            while width(line, font, size) > available:
                cut = max(1, int(len(line) * available / width(line, font, size)))
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line)
    return lines
