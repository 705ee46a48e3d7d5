"""How much of a laboratory's results leaves with a LOINC code, by volume, and what contradicts the catalogue."""

from collections.abc import Iterable, Mapping

from cda_builder.core.catalogue import Catalogue, Seen
from labohub.contracts.values import Value
from labohub.standards.cda.units import ucum_unit


class Uncovered(Value):
    """A local code without LOINC, neither in messages nor in the catalogue."""

    facility: str
    system: str
    code: str
    label: str
    unit: str
    results: int
    known: bool  # in the catalogue, as an exam without LOINC


class Conflict(Value):
    """A local code that messages and catalogue describe differently. The message is followed."""

    facility: str
    system: str
    code: str
    label: str
    results: int
    field: str  # loinc, unit
    message: str
    catalogue: str


class Coverage(Value):
    """Results, by where their LOINC code comes from."""

    results: int
    by_message: int
    by_catalogue: int
    uncovered: tuple[Uncovered, ...]  # the most frequent first
    conflicts: tuple[Conflict, ...]

    @property
    def covered_fraction(self) -> float:
        """Return the part of the results that has a LOINC code; 1 without any result."""
        return (self.by_message + self.by_catalogue) / self.results if self.results else 1.0


def coverage_of(seen: Iterable[Seen], catalogues: Mapping[str, Catalogue]) -> Coverage:
    """Return the coverage of what was seen, by the catalogue of each facility."""
    by_message = by_catalogue = total = 0
    uncovered, conflicts = [], []
    for each in sorted(seen, key=lambda one: -one.results):
        exam = catalogues[each.facility].find(each.system, each.code)
        total += each.results
        if each.loinc:
            by_message += each.results
        elif exam and exam.loinc:
            by_catalogue += each.results
        else:
            uncovered.append(
                Uncovered(
                    facility=each.facility, system=each.system, code=each.code, label=each.label, unit=each.unit,
                    results=each.results, known=exam is not None,
                )
            )  # fmt: skip
        if exam is None:
            continue
        pairs = (("loinc", each.loinc, exam.loinc), ("unit", ucum_unit(each.unit) or each.unit, exam.unit))
        conflicts += [
            Conflict(
                facility=each.facility, system=each.system, code=each.code, label=each.label, results=each.results,
                field=field, message=ours, catalogue=theirs,
            )
            for field, ours, theirs in pairs
            if ours and theirs and ours != theirs
        ]  # fmt: skip
    return Coverage(
        results=total,
        by_message=by_message,
        by_catalogue=by_catalogue,
        uncovered=tuple(uncovered),
        conflicts=tuple(conflicts),
    )
