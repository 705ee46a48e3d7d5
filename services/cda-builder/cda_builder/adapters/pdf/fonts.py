"""The fonts: Roboto (Apache 2.0), whose digits have one width and which writes Latin, Greek and Cyrillic."""

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

from reportlab import rl_config
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR: Final = "Roboto-Regular"
BOLD: Final = "Roboto-Bold"
ITALIC: Final = "Roboto-Italic"
_SPELLINGS: Final = {
    "\u2011": "-",  # a hyphen that does not break
    "\u2212": "-",
    "\u202f": " ",
    "\u2009": " ",
}


@cache
def register() -> None:
    """Make the fonts known, once in a process; let streams be binary: base 85 costs time and a quarter more bytes."""
    rl_config.useA85 = 0
    folder = files("font_roboto") / "files"
    for name in (REGULAR, BOLD, ITALIC):
        with (folder / f"{name}.ttf").open("rb") as file:
            pdfmetrics.registerFont(TTFont(name, file))


@cache
def _widths(font: str) -> dict[str, float]:
    """Return the width of each character that the font draws, for a size of one point."""
    register()
    face = pdfmetrics.getFont(font).face
    return {chr(code): face.charWidths.get(code, face.defaultWidth) / 1000 for code in face.charToGlyph if code > 31}


@cache
def _drawn(font: str) -> frozenset[str]:
    return frozenset(_widths(font)) | {"\n"}


def drawable(text: str, font: str = REGULAR) -> str:
    """Return the text with what the font lacks replaced: by the letter without its accent, else by a question mark."""
    known = _drawn(font)
    text = unicodedata.normalize("NFC", text)
    if known.issuperset(text):
        return text
    return "".join(each if each in known else _nearest(each, known) for each in text)


def _nearest(character: str, known: frozenset[str]) -> str:
    if character in _SPELLINGS:
        return _SPELLINGS[character]
    if unicodedata.category(character) == "Cf":  # a soft hyphen, a joiner, a mark of direction
        return ""
    base = unicodedata.normalize("NFKD", character)[0]
    return base if base in known else " " if character.isspace() else "?"


def width(text: str, font: str, size: float) -> float:
    """Return the width of a drawable text in points."""
    widths = _widths(font)
    return sum([widths.get(character, 0.0) for character in text]) * size


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
            *cut, line = _cut(word, font, available / size)
            lines += cut
        lines.append(line)
    return lines


def _cut(word: str, font: str, available: float) -> list[str]:
    """Return the parts of a word that fit a width, for a size of one point."""
    widths, parts, start, used = _widths(font), list[str](), 0, 0.0
    for place, character in enumerate(word):
        wide = widths.get(character, 0.0)
        if used + wide > available and place > start:
            parts.append(word[start:place])
            start, used = place, 0.0
        used += wide
    return [*parts, word[start:]]
