"""The functions of XPath 2.0 on texts: parts, spaces, regular expressions, addresses.

Source: W3C, XQuery 1.0 and XPath 2.0 Functions and Operators, second edition, sections 7 and 8.
"""

import re
from functools import lru_cache
from math import isnan
from urllib.parse import quote

from cda_builder.adapters.official.xpath.failing import fail
from cda_builder.adapters.official.xpath.syntax import NotTranslatable

_SPACE = r" \t\r\n"
_SPACES = re.compile(r"[ \t\r\n]+")


def substring(text: str, start: float, length: float | None = None) -> str:
    """Return the part of a text: positions are counted from 1 and rounded."""
    first = _rounded(start)
    last = float("inf") if length is None else first + _rounded(length)
    return "".join(each for place, each in enumerate(text, 1) if first <= place < last)


def _rounded(value: float) -> float:
    return value if isnan(value) else float((value + 0.5) // 1)


def normalized(text: str) -> str:
    """Return a text without spaces at its ends, and single ones inside."""
    return _SPACES.sub(" ", text).strip(" ")


@lru_cache(1024)
def pattern(text: str, flags: str = "") -> re.Pattern[str]:
    """Return a regular expression of XPath as Python writes it. Raises: NotTranslatable."""
    if set(flags) - {"i"} or re.search(r"\\[pPiIcCSwW]|\(\?", text):
        raise NotTranslatable("a regular expression with more than is translated")
    inside, parts = False, []
    for part in re.findall(r"\\.|\^\+\?|.", text, re.DOTALL):
        if part == r"\s":
            parts.append(_SPACE if inside else f"[{_SPACE}]")
        elif inside:
            if part == "[":
                raise NotTranslatable("a class of characters within another")
            inside = part != "]"
            parts.append(part)
        else:
            inside = part == "["
            parts.append({"$": r"\Z", ".": r"[^\n\r]", "^+?": "^"}.get(part, part))
    try:
        return re.compile("".join(parts), re.IGNORECASE if flags else 0)
    except re.error:
        raise NotTranslatable("a regular expression that Python does not read") from None


def replaced(text: str, expression: str, by: str) -> str:
    """Return the text with each part that fits replaced; `$1` stands for a group."""
    found = pattern(expression)
    if found.search(""):
        fail("the expression fits the empty text")
    return found.sub(lambda match: re.sub(r"\$(\d)", lambda group: match[int(group[1])] or "", by), text)


def tokens(text: str, expression: str) -> list[str]:
    """Return the parts between what fits; none of an empty text."""
    found = pattern(expression)
    return found.split(text) if text else []


def before(text: str, mark: str) -> str:
    """Return `substring-before`."""
    return text.partition(mark)[0] if mark and mark in text else ""


def after(text: str, mark: str) -> str:
    """Return `substring-after`."""
    return text.partition(mark)[2] if mark else text


def translated(text: str, old: str, new: str) -> str:
    """Return `translate`: each character of one list replaced by its peer in the other, or left out."""
    peers = {each: new[place] if place < len(new) else "" for place, each in reversed(list(enumerate(old)))}
    return "".join(peers.get(each, each) for each in text)


def as_uri(text: str) -> str:
    """Return `iri-to-uri`: what a URI may not hold is escaped."""
    return quote(text, safe="".join(chr(code) for code in range(33, 127) if chr(code) not in '<>"{}|\\^`'))
