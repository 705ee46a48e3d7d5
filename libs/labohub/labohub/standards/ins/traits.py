"""The traits that INSi holds, compared one by one with the local ones."""

from typing import NamedTuple

from labohub.standards.ins import names
from labohub.standards.ins.names import Comparison, Likeness

UNKNOWN_PLACE = "99999"
FOREIGN_PREFIX = "99"  # born abroad: 99 and the country's code


class StrictTraits(NamedTuple):
    """The strict traits of an identity. Dates: YYYY-MM-DD text; sex: M or F; place: COG code or empty."""

    birth_name: str
    given_names: str  # the whole list, space separated; empty when only the first is known
    sex: str
    birth_date: str
    birth_place: str = ""
    first_given_name: str = ""  # local only: INSi gives the list


class TraitComparison(NamedTuple):
    """One trait's comparison, under the name it has in `StrictTraits`."""

    trait: str
    likeness: Likeness
    reason: str


def compare(local: StrictTraits, insi: StrictTraits) -> tuple[TraitComparison, ...]:
    """Return each trait's comparison. No phonetic nor fuzzy match, ever."""
    results = [("birth_name", names.compare_names(local.birth_name, insi.birth_name))]
    if local.first_given_name:
        results.append(("first_given_name", names.compare_first_given_name(local.first_given_name, insi.given_names)))
    if local.given_names or not local.first_given_name:
        results.append(("given_names", names.compare_given_names(local.given_names, insi.given_names)))
    results.append(("sex", _equal(local.sex, insi.sex)))
    results.append(("birth_date", _equal(local.birth_date, insi.birth_date)))
    results.append(("birth_place", compare_places(local.birth_place, insi.birth_place)))
    return tuple(TraitComparison(trait, *result) for trait, result in results)


def compare_places(local: str, insi: str) -> Comparison:
    """Return how close two COG codes are. Codes of countries may differ; INSi completes an unknown one."""
    if local.upper() == insi.upper() and local:
        return Comparison(Likeness.IDENTICAL, "SAME")
    if not insi:
        return Comparison(Likeness.MISMATCH, "ABSENT_FROM_INSI")  # a person decides: RNIV asks for the five traits
    if local in ("", UNKNOWN_PLACE):
        return Comparison(Likeness.TOLERATED, "COMPLETED_BY_INSI")
    if local.startswith(FOREIGN_PREFIX) and insi.startswith(FOREIGN_PREFIX):
        return Comparison(Likeness.TOLERATED, "COUNTRY_CODES")
    return Comparison(Likeness.MISMATCH, "DIFFERENT")


def differences(comparisons: tuple[TraitComparison, ...]) -> tuple[TraitComparison, ...]:
    """Return the comparisons that forbid an automatic decision."""
    return tuple(comparison for comparison in comparisons if comparison.likeness is Likeness.MISMATCH)


def _equal(local: str, insi: str) -> Comparison:
    return Comparison(Likeness.IDENTICAL, "SAME") if local == insi else Comparison(Likeness.MISMATCH, "DIFFERENT")
