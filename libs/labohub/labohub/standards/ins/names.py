"""Names as INSi takes them, and as two sources compare.

INSi writes letters A-Z, space, apostrophe and hyphen only. What has an equivalent is transliterated; what has none is
refused and goes to a person: it is never dropped. Normalise for the call and for the comparison, never for storage.
Source: Guide d'intégration INSi SEL-MP-043 §2 and §3.4.1; RNIV EXI SI 29/30 (editions in docs/standards.md).
"""

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple

from labohub.errors import Refused

MAX_LENGTH = 100  # the limit of the datamatrix INS; INSi's own is not published

_PLAIN = re.compile(r"[A-Z '\-]+")
_LETTER = re.compile(r"[A-Z]")
_SPACES = re.compile(r" {2,}")
_WORDS = re.compile(r"[ '\-]+")
_EQUIVALENTS = str.maketrans(
    {
        "\u2019": "'",
        "\u2018": "'",
        "\u201b": "'",
        "\u02bc": "'",
        "\u2212": "-",
        "\u0152": "OE",
        "\u00c6": "AE",
        "\u1e9e": "SS",
        "\u00d8": "O",
        "\u0141": "L",
        "\u0110": "D",
        "\u00d0": "D",
        "\u00de": "TH",
    }
)


class NameRefused(Refused):
    """A name that INSi cannot take. `reason` is a stable code; the name is not in the error."""

    code = "ins.name-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"a name cannot be sent to INSi: {reason}")
        self.reason = reason


class Field(StrEnum):
    """Which trait a name is: first names obey two rules more."""

    BIRTH_NAME = "nom"
    GIVEN_NAME = "prenom"
    GIVEN_NAMES = "liste"


class Likeness(StrEnum):
    """How close a local trait is to INSi's."""

    IDENTICAL = "identical"
    TOLERATED = "tolerated"
    MISMATCH = "mismatch"


class Comparison(NamedTuple):
    """A likeness with its reason, a stable code."""

    likeness: Likeness
    reason: str


def normalise(text: str, field: Field) -> str:
    """Return the name in INSi's alphabet.

    Raises:
        NameRefused: EMPTY, CHARSET, LENGTH, FIRST_CHAR, LAST_CHAR, SPACE_APOS, SPACE_HYPHEN, DOUBLE_HYPHEN, HYPHEN_RUN.
    """
    name = transliterate(text)
    if reason := _fault(name, field):
        raise NameRefused(reason)
    return name


def transliterate(text: str) -> str:
    """Return the text in upper case, its accents, ligatures and typographic signs replaced, its spaces collapsed.

    What has no equivalent stays as it is.
    """
    if _PLAIN.fullmatch(text) and "  " not in text:
        return text.strip(" ")
    letters: list[str] = []
    for character in unicodedata.normalize("NFD", text.upper()):
        category = unicodedata.category(character)
        if category == "Mn" and letters and (_LETTER.fullmatch(letters[-1][-1])):
            continue  # an accent on a Latin letter; on anything else it stays, and is refused
        if category == "Zs":
            letters.append(" ")
        elif category == "Pd":
            letters.append("-")
        else:
            letters.append(character.translate(_EQUIVALENTS))
    return _SPACES.sub(" ", "".join(letters)).strip(" ")


def compare_names(local: str, insi: str) -> Comparison:
    """Return how close two birth names are. Separators may differ, none may be missing."""
    return _same(local, insi) or Comparison(Likeness.MISMATCH, "DIFFERENT")


def compare_first_given_name(local: str, insi_list: str) -> Comparison:
    """Return whether the first given name begins INSi's list. Whole names only: JEAN does not begin JEANNE."""
    name, names = transliterate(local), transliterate(insi_list)
    if name and name in (names, names.partition(" ")[0]):
        return Comparison(Likeness.IDENTICAL, "FIRST_OF_LIST")
    if _begins(name, names):
        return Comparison(Likeness.TOLERATED, "SEPARATORS")
    return Comparison(Likeness.MISMATCH, "NOT_START_OF_LIST")


def compare_given_names(local_list: str, insi_list: str) -> Comparison:
    """Return how close two lists of birth first names are. INSi may complete a list, not shorten or reorder it."""
    if same := _same(local_list, insi_list):
        return same
    if _begins(transliterate(local_list), transliterate(insi_list)):
        return Comparison(Likeness.TOLERATED, "PARTIAL_LIST")
    return Comparison(Likeness.MISMATCH, "DIFFERENT")


def _same(local: str, insi: str) -> Comparison | None:
    name, other = transliterate(local), transliterate(insi)
    if not name or not other:
        return None
    if local == insi:
        return Comparison(Likeness.IDENTICAL, "SAME")
    if name == other:
        return Comparison(Likeness.IDENTICAL, "CASE_OR_DIACRITICS")
    if _words(name) == _words(other):
        return Comparison(Likeness.TOLERATED, "SEPARATORS")
    return None


def _words(name: str) -> list[str]:
    return [word for word in _WORDS.split(name) if word]


def _begins(name: str, names: str) -> bool:
    words = _words(name)
    return bool(words) and words == _words(names)[: len(words)]


def _fault(name: str, field: Field) -> str:
    """Return why INSi would refuse the name; empty when it would not."""
    if not name:
        return "EMPTY"
    if not _PLAIN.fullmatch(name) or not _LETTER.search(name):
        return "CHARSET"
    if len(name) > MAX_LENGTH:
        return "LENGTH"
    if name[0] == "-":
        return "FIRST_CHAR"
    if "''" in name or "' " in name or " '" in name:
        return "SPACE_APOS"
    if " -" in name or "- " in name:
        return "SPACE_HYPHEN"  # hyphen or space: a person decides
    if field is not Field.BIRTH_NAME and "--" in name:
        return "DOUBLE_HYPHEN"
    if "---" in name:
        return "HYPHEN_RUN"
    if field is not Field.BIRTH_NAME and name[-1] in "-'":
        return "LAST_CHAR"
    return ""
