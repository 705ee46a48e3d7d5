"""Which results of a culture speak of which germ: by OBX-4, and by the parents that antibiograms name (OBR-26, OBR-29).

Nothing is attached by position, nor to "the only germ there is".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cda_builder.core.context import Context
from cda_builder.core.observations import is_published
from cda_builder.core.results import SUSCEPTIBILITIES
from labohub.contracts.laboratory import Battery, ParentResult, Result

# LOINC codes whose value is the germ that a culture found: aerobic, anaerobic, of blood, urine, stool…
_IDENTIFIED: Final = frozenset(
    {
        "543-9",
        "580-1",
        "600-7",
        "606-4",
        "610-6",
        "624-7",
        "625-4",
        "626-2",
        "630-4",
        "634-6",
        "635-3",
        "6462-6",
        "6463-4",
        "11475-1",
        "17928-3",
        "17934-1",
    }
)
# A culture without any germ is a result like another, also when its sender numbers it as a germ (OBX-4)
_NOTHING_FOUND: Final = re.compile(
    r"\s*(?:absen|aucun|pas de |stérile|négati|culture (?:stérile|négative)|no growth|sterile|negative)", re.IGNORECASE
)


@dataclass(slots=True)
class Germ:
    """One germ: the result that names it, what else is said of it, its antibiograms."""

    identification: Result
    results: list[Result] = field(default_factory=list)
    antibiotics: list[Result] = field(default_factory=list)  # written among the culture's own results
    antibiograms: list[Battery] = field(default_factory=list)


@dataclass(slots=True)
class Culture:
    """A battery, its germs by sub-id, and the results that concern none of them."""

    battery: Battery
    germs: dict[str, Germ] = field(default_factory=dict)
    others: list[Result] = field(default_factory=list)


def cultures_of(batteries: Sequence[Battery], context: Context) -> list[Culture]:
    """Return the batteries with what belongs together; an antibiogram whose parent is not found stays by itself."""
    named = [battery.parent for battery in batteries if battery.parent is not None]
    cultures = [_culture(battery, named, context) for battery in batteries]
    kept = []
    for culture in cultures:
        parent = culture.battery.parent
        germ = _germ(parent, cultures) if parent is not None else None
        if germ is None:
            kept.append(culture)
        else:
            germ.antibiograms.append(culture.battery)
    return kept


def is_antibiotic(result: Result) -> bool:
    """Return whether a result says how a germ answers to an antibiotic."""
    code = result.value_code
    by_value = code is not None and code.system == "HL70078" and code.code in SUSCEPTIBILITIES
    return by_value or not SUSCEPTIBILITIES.isdisjoint(result.flags)


def _culture(battery: Battery, named: Sequence[ParentResult], context: Context) -> Culture:
    culture = Culture(battery)
    for result in battery.results:
        if result.sub_id and result.sub_id not in culture.germs and _identifies(result, battery, named, context):
            culture.germs[result.sub_id] = Germ(result)
    for result in battery.results:
        germ = culture.germs.get(result.sub_id) or culture.germs.get(result.sub_id.partition(".")[0])
        if germ is None or not is_published(result):
            culture.others.append(result)
        elif result is not germ.identification:
            (germ.antibiotics if is_antibiotic(result) else germ.results).append(result)
    return culture


def _identifies(result: Result, battery: Battery, named: Sequence[ParentResult], context: Context) -> bool:
    if not is_published(result) or result.status == "X" or _NOTHING_FOUND.match(result.value):
        return False
    exam = context.exam(result.local_code)
    loinc = result.loinc.code if result.loinc else exam.loinc if exam else ""
    local = result.local_code.code if result.local_code else ""
    if loinc in _IDENTIFIED or local in context.profile.isolate_codes:
        return True
    return any(_is_named(result, parent) and _may_be_of(battery, parent) for parent in named)


def _germ(parent: ParentResult, cultures: Sequence[Culture]) -> Germ | None:
    """Return the germ that a parent names, when exactly one answers to all that is said of it."""
    found = [
        germ
        for culture in cultures
        if _may_be_of(culture.battery, parent)
        for sub_id, germ in culture.germs.items()
        if sub_id == parent.sub_id and _is_named(germ.identification, parent)
    ]
    return found[0] if len(found) == 1 else None


def _may_be_of(battery: Battery, parent: ParentResult) -> bool:
    """Return whether a battery has the order number that a parent names; the laboratory's own number decides."""
    if parent.filler_number:
        return battery.filler_number == parent.filler_number
    return not parent.placer_number or battery.placer_number == parent.placer_number


def _is_named(result: Result, parent: ParentResult) -> bool:
    if parent.sub_id != result.sub_id or parent.code is None:
        return False
    return any(code is not None and code.code == parent.code.code for code in (result.local_code, result.loinc))
