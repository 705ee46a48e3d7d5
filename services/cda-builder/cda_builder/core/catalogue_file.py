"""A catalogue as laboratories exchange it: CSV, one exam a line. Tolerant of the form, strict on what it says.

Columns are found by their heading, whatever its case and accents: see `_COLUMNS`. The separator is `;`, a comma or a
tab. Up to six LOINC columns (`LOINC_1` to `LOINC_6`) may be there: two codes for one exam are no choice, and are said.
"""

import csv
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Final

from cda_builder.core.catalogue import Exam
from labohub.errors import Refused
from labohub.standards.cda.tables import labels
from labohub.standards.cda.units import ucum_unit
from labohub.standards.loinc import is_loinc

_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "code": frozenset({"code", "code local", "code analyse", "code examen", "code labo", "local code"}),
    "system": frozenset({"systeme", "table", "system", "nomenclature"}),
    "label": frozenset({"libelle", "libelle local", "label", "nom", "intitule", "libelle analyse"}),
    "loinc": frozenset({"loinc", "code loinc", *(f"loinc {number}" for number in range(1, 7))}),
    "loinc_label": frozenset({"libelle loinc", "loinc label", "libelle bioloinc"}),
    "unit": frozenset({"unite", "unit", "ucum", "unite ucum"}),
    "chapter": frozenset({"chapitre", "chapter", "discipline"}),
    "method": frozenset({"methode", "method", "technique"}),
    "accredited": frozenset({"accredite", "accreditation", "accredited"}),
}
_NO: Final = frozenset({"non", "no", "0", "n", "false", "faux"})
ERROR, WARNING = "error", "warning"


class CatalogueUnreadable(Refused):
    """The file is no catalogue: no text that can be read, or no column of codes."""

    code = "cda.catalogue-unreadable"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line. What an error is about is left out: a LOINC code, the second line of one code."""

    line: int
    code: str
    level: str
    what: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file says."""

    exams: tuple[Exam, ...]
    problems: tuple[Problem, ...]


def read_catalogue(data: bytes, official: Mapping[str, str] | None = None) -> Read:
    """Return the exams of a file, and what is wrong with it.

    Args:
        official: labels of the LOINC codes that may be used, where their list is known.
    Raises:
        CatalogueUnreadable: see the class.
    """
    rows = _rows(_text(data))
    columns = _columns(next(rows, []))
    exams: dict[tuple[str, str], Exam] = {}
    problems: list[Problem] = []
    for number, row in enumerate(rows, 2):
        cells = {name: [row[at].strip() for at in places if at < len(row)] for name, places in columns.items()}
        exam, said = _exam(cells, official or {})
        code = exam.code if exam else ""
        if exam is not None:
            known = exams.get((exam.system, exam.code))
            if known is not None and known != exam:
                said.append((ERROR, "the same code is described twice, differently: the first line is kept"))
            exams.setdefault((exam.system, exam.code), exam)
        problems += [Problem(number, code, level, what) for level, what in said]
    return Read(tuple(exams.values()), tuple(problems))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        raise CatalogueUnreadable("neither UTF-8 nor Windows-1252") from None


def _rows(text: str) -> Iterator[list[str]]:
    head = text.partition("\n")[0]
    separator = max(";,\t", key=head.count)
    return (row for row in csv.reader(StringIO(text, newline=""), delimiter=separator) if any(map(str.strip, row)))


def _columns(heading: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, written in enumerate(heading):
        for name, known in _COLUMNS.items():
            if _plain(written) in known:
                found.setdefault(name, []).append(place)
    if "code" not in found:
        raise CatalogueUnreadable("no column of codes")
    return found


def _plain(heading: str) -> str:
    letters = unicodedata.normalize("NFKD", heading.casefold())
    kept = "".join(each if each.isalnum() else " " for each in letters if not unicodedata.combining(each))
    return " ".join(kept.split())


def _exam(cells: dict[str, list[str]], official: Mapping[str, str]) -> tuple[Exam | None, list[tuple[str, str]]]:
    said: list[tuple[str, str]] = []
    code = _first(cells, "code")
    if not code:
        return None, [(WARNING, "no local code: the line is left out")]
    loinc = _loinc(cells, official, said)
    unit = _first(cells, "unit")
    spelled = ucum_unit(unit) if unit else ""
    if spelled is None:
        said.append((WARNING, f"unit {unit} has no UCUM spelling: its results go as text"))
    exam = Exam(
        system=_first(cells, "system"),
        code=code,
        label=_first(cells, "label"),
        loinc=loinc,
        loinc_label=official.get(loinc, "") or _first(cells, "loinc_label"),
        unit=spelled or "",
        chapter=_chapter(_first(cells, "chapter"), said),
        method=_first(cells, "method"),
        accredited=_first(cells, "accredited").casefold() not in _NO,
    )
    return exam, said


def _loinc(cells: dict[str, list[str]], official: Mapping[str, str], said: list[tuple[str, str]]) -> str:
    codes = list(dict.fromkeys(each for each in cells.get("loinc", []) if each))
    wrong = [each for each in codes if not is_loinc(each)]
    if wrong:
        said.append((ERROR, f"no LOINC code: {', '.join(wrong)}"))
        return ""
    if len(codes) > 1:
        said.append((ERROR, f"several LOINC codes ({', '.join(codes)}): none is chosen"))
        return ""
    if codes and official and codes[0] not in official:
        said.append((WARNING, f"LOINC {codes[0]} is not in the official list"))
    return codes[0] if codes else ""


def _chapter(written: str, said: list[tuple[str, str]]) -> str:
    chapters = labels("chapters")
    if not written or written in chapters:
        return written
    named = {_plain(label): code for code, label in chapters.items()}
    if _plain(written) not in named:
        said.append((WARNING, f"unknown chapter {written}: the message's section decides"))
    return named.get(_plain(written), "")


def _first(cells: dict[str, list[str]], name: str) -> str:
    return next((each for each in cells.get(name, []) if each), "")
