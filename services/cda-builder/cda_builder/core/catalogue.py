"""The laboratory's catalogue: its own codes, and what it says that they are. Nothing is ever matched by likeness."""

from collections import Counter
from collections.abc import Iterable

from labohub.contracts.laboratory import Code, LaboratoryReport
from labohub.contracts.values import Value

LOINC = "LN"


class Exam(Value):
    """One exam or battery of the laboratory, as its catalogue describes it."""

    system: str = ""  # the name of the code table in messages (OBX-3.3); "": any
    code: str
    label: str = ""
    loinc: str = ""  # "": looked at, and without LOINC
    loinc_label: str = ""
    unit: str = ""  # the unit that results of this exam are expected in, UCUM
    chapter: str = ""  # LOINC code of the discipline
    method: str = ""
    accredited: bool = True


class Seen(Value):
    """An exam as the results of a sending facility used it."""

    facility: str = ""
    system: str
    code: str
    label: str = ""
    loinc: str = ""  # of the message
    unit: str = ""
    results: int = 0


class Catalogue:
    """The exams of one laboratory, by code table and code."""

    def __init__(self, exams: Iterable[Exam] = ()) -> None:
        self._exams = {(exam.system, exam.code): exam for exam in exams}

    def find(self, system: str, code: str) -> Exam | None:
        """Return the exam of a code; one given for any table when its own has none."""
        return self._exams.get((system, code)) or self._exams.get(("", code))

    def needed_by(self, report: LaboratoryReport) -> "Catalogue":
        """Return the part of it that a report uses."""
        found = (self.find(code.system, code.code) for code in _codes(report))
        return Catalogue(dict.fromkeys(exam for exam in found if exam is not None))

    def __len__(self) -> int:
        return len(self._exams)


def seen_in(report: LaboratoryReport, facility: str) -> tuple[Seen, ...]:
    """Return the local codes of a facility's report, each with how often it is used."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Seen] = {}
    for battery in report.batteries:
        for result in battery.results:
            local = result.local_code
            if local is None or not local.code or local.system == LOINC:
                continue
            key = local.system, local.code
            loinc = result.loinc.code if result.loinc else ""
            seen = Seen(
                facility=facility,
                system=local.system,
                code=local.code,
                label=local.label,
                loinc=loinc,
                unit=result.unit,
            )
            first.setdefault(key, seen)
            counts[key] += 1
    return tuple(seen.model_copy(update={"results": counts[key]}) for key, seen in first.items())


def _codes(report: LaboratoryReport) -> Iterable[Code]:
    for battery in report.batteries:
        yield battery.code
        for result in (*battery.results, *battery.specimen_observations):
            if result.local_code is not None:
                yield result.local_code
