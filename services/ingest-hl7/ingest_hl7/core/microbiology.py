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


class Isolates:
    """The results of a demand, found by what a child order names; each child costs the same, however many there are."""

    def __init__(self, batteries: Sequence[Battery]) -> None:
        self._results: dict[tuple[str, str, str], list[tuple[Battery, Result]]] = {}
        self._found: dict[tuple[object, ...], list[tuple[Battery, Result]]] = {}
        for battery in batteries:
            is_child = names_result(battery)
            for result in battery.results:
                hit = (battery, result)
                self._results.setdefault(("filler", battery.filler_number, result.sub_id), []).append(hit)
                if not is_child:
                    self._results.setdefault(("placer", battery.placer_number, result.sub_id), []).append(hit)
                    self._results.setdefault(("any", "", result.sub_id), []).append(hit)

    def of(self, child: Battery) -> tuple[Battery, Result] | None:
        """Return the battery and the result that a child refines; None when there is none, or more than one.

        The parent order is found by its filler number, else by its placer number when only one order has it; without
        any number the isolate must be the only one of the demand that fits. The result must have the code and the
        sub-id told.
        """
        parent = child.parent
        if parent is None:
            return None
        if parent.filler_number:
            order = ("filler", parent.filler_number)
        else:
            order = ("placer", parent.placer_number) if parent.placer_number else ("any", "")
        fitting = [hit for hit in self._fitting(parent, *order) if hit[0] is not child]
        return fitting[0] if len({_order_of(battery) for battery, _ in fitting}) == 1 else None

    def _fitting(self, parent: ParentResult, kind: str, number: str) -> list[tuple[Battery, Result]]:
        """Return the results that fit, of three orders at most, two batteries of each: enough to tell one from many."""
        key = (kind, number, parent.sub_id, parent.code)
        if key not in self._found:
            seen: dict[tuple[str, ...], set[int]] = {}
            hits = []
            for battery, result in self._results.get((kind, number, parent.sub_id), ()):
                alike = seen.get(_order_of(battery), set())
                if id(battery) in alike or len(alike) == 2 or len(seen) == 3 or not _fits(parent, result):
                    continue
                seen.setdefault(_order_of(battery), set()).add(id(battery))
                hits.append((battery, result))
            self._found[key] = hits
        return self._found[key]


def unresolved(report: LaboratoryReport) -> tuple[Battery, ...]:
    """Return the batteries that refine a result which the report does not have."""
    isolates = Isolates(report.batteries)
    return tuple(each for each in report.batteries if names_result(each) and isolates.of(each) is None)


def unlinked(report: LaboratoryReport) -> tuple[Battery, ...]:
    """Return the antibiograms that name no isolate."""
    return tuple(
        each
        for each in report.batteries
        if each.loinc is not None and each.loinc.code == ANTIBIOGRAM and not names_result(each)
    )


def _order_of(battery: Battery) -> tuple[str, ...]:
    return battery.filler_number, battery.placer_number, battery.code.code


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
