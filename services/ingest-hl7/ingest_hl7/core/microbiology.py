"""Isolates and their antibiograms: a child order names the result it refines, and nothing is attached by guess.

OBR-26 gives OBX-3 and OBX-4 of the parent result, OBR-29 the numbers of the parent order.
Source: HL7 v2.5.1 chapter 4 (OBR-26, OBR-29), chapter 7 (micro-organisms and susceptibilities).
"""

from collections.abc import Sequence

from labohub.contracts.laboratory import Battery, Code, LaboratoryReport, ParentResult, Result
from labohub.standards.er7 import Segment

ANTIBIOGRAM = "18769-0"  # LOINC: susceptibilities of an isolate


def read_parent(obr: Segment) -> ParentResult | None:
    """Return the parent that an OBR names; None when it names none."""
    if not obr.field(26) and not obr.field(29):
        return None
    triplet = (obr.subcomponent(26, 1, 1), obr.subcomponent(26, 1, 2), obr.subcomponent(26, 1, 3))
    other = (obr.subcomponent(26, 1, 4), obr.subcomponent(26, 1, 5), obr.subcomponent(26, 1, 6))
    chosen = triplet if triplet[0] or triplet[1] else other
    return ParentResult(
        code=Code(code=chosen[0], label=chosen[1], system=chosen[2]) if any(chosen) else None,
        sub_id=obr.component(26, 2),
        text=obr.component(26, 3),
        placer_number=obr.subcomponent(29, 1, 1),
        filler_number=obr.subcomponent(29, 2, 1),
    )


def names_result(battery: Battery) -> bool:
    """Return True for a battery that refines one result, not only an order."""
    parent = battery.parent
    return parent is not None and (parent.code is not None or bool(parent.sub_id))


def find_parent(child: Battery, batteries: Sequence[Battery]) -> tuple[Battery, Result] | None:
    """Return the battery and the result that a child refines; None when there is none, or more than one.

    The parent order is found by its filler number, else by its placer number when only one order has it; without any
    number the isolate must be the only one of the demand that fits. The result must have the code and the sub-id told.
    """
    parent = child.parent
    if parent is None:
        return None
    others = [each for each in batteries if each is not child]
    if parent.filler_number:
        candidates = [each for each in others if each.filler_number == parent.filler_number]
    else:
        candidates = [each for each in others if not names_result(each)]
        if parent.placer_number:
            candidates = [each for each in candidates if each.placer_number == parent.placer_number]
    fitting = [(each, result) for each in candidates for result in each.results if _fits(parent, result)]
    batteries_found = {(each.filler_number, each.placer_number, each.code.code) for each, _ in fitting}
    return fitting[0] if len(batteries_found) == 1 else None


def unresolved(report: LaboratoryReport) -> tuple[Battery, ...]:
    """Return the batteries that refine a result which the report does not have."""
    return tuple(
        each for each in report.batteries if names_result(each) and find_parent(each, report.batteries) is None
    )


def unlinked(report: LaboratoryReport) -> tuple[Battery, ...]:
    """Return the antibiograms that name no isolate."""
    return tuple(
        each
        for each in report.batteries
        if each.loinc is not None and each.loinc.code == ANTIBIOGRAM and not names_result(each)
    )


def _fits(parent: ParentResult, result: Result) -> bool:
    if parent.sub_id != result.sub_id:
        return False
    if parent.code is None:
        return True
    ours = [code for code in (result.local_code, result.loinc) if code is not None]
    return any(_same(parent.code, code) for code in ours)


def _same(one: Code, other: Code) -> bool:
    if one.code and other.code:
        return one.code == other.code and (not one.system or not other.system or one.system == other.system)
    return bool(one.label) and one.label == other.label
