"""The body of an ORL: what answers the orders of an OML, each with its own ORC-1.

Source: HL7 v2.5.1 chapter 4, ORL^O22, O34 and O36.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labohub.standards.er7 import Segment, escape, unescape
from labohub.standards.hl7.results import OrderGroup, SpecimenGroup


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """The answer to one order. `placer` replaces ORC-2 when we give the number, as an EI in the usual separators."""

    group: OrderGroup
    control: str  # ORC-1
    status: str = ""  # ORC-5
    reason: tuple[str, str] | None = None  # ORC-16: code, text
    placer: str = ""


def order_lines(event: str, patient: Segment, answers: Sequence[OrderAnswer], at: str) -> list[str]:
    """Return the segments behind MSH, MSA and ERR.

    Args:
        event: of the OML: O21, O33 or O35. The last two answer under their specimens, O35 under its containers.
        at: ORC-9, as TS.
    """
    lines = [echo(patient)]
    if event == "O21":
        for number, answer in enumerate(answers, start=1):
            lines += _order(answer, number, at)
            for specimen in answer.group.specimens:
                lines += [echo(specimen.spm), *map(echo, specimen.containers)]
        return lines
    return [*lines, *_under_specimens(answers, at, by_container=event == "O35")]


def echo(segment: Segment) -> str:
    """Return a segment of the request, in the usual separators."""
    if segment.delimiters.is_usual:
        return segment.line
    return "|".join([segment.name, *(_field(segment, number) for number in range(1, len(segment.fields)))])


def _under_specimens(answers: Sequence[OrderAnswer], at: str, *, by_container: bool) -> Iterator[str]:
    specimen: SpecimenGroup | None = None
    container: Segment | None = None
    for number, answer in enumerate(answers, start=1):
        theirs = answer.group.specimens[0] if answer.group.specimens else None
        if theirs is not None and theirs is not specimen:
            specimen, container = theirs, None
            yield echo(specimen.spm)
            if not by_container:
                yield from map(echo, specimen.containers)
        if by_container and answer.group.container is not None and answer.group.container is not container:
            container = answer.group.container
            yield echo(container)
        yield from _order(answer, number, at)


def _order(answer: OrderAnswer, number: int, at: str) -> list[str]:
    orc, obr = answer.group.orc, answer.group.obr
    placer = answer.placer or _either(answer.group, 2)
    filler = _either(answer.group, 3)
    reason = "^".join(map(escape, answer.reason)) if answer.reason else ""
    group, parent = (_field(orc, 4), _field(orc, 8)) if orc is not None else ("", "")
    lines = [
        f"ORC|{answer.control}|{placer}|{filler}|{group}|{answer.status}|||{parent}|{at}|||||||{reason}".rstrip("|")
    ]
    if obr is not None:
        lines.append(f"OBR|{number}|{placer}|{filler}|{_field(obr, 4)}")
    return lines


def _either(group: OrderGroup, number: int) -> str:
    ours = _field(group.obr, number) if group.obr is not None else ""
    return ours or (_field(group.orc, number) if group.orc is not None else "")


def _field(segment: Segment, number: int) -> str:
    """Return a field of the request, escapes kept, in the usual separators."""
    theirs = segment.delimiters
    if theirs.is_usual:
        return segment.field(number)
    return "~".join(
        "^".join(
            "&".join(escape(unescape(leaf, theirs)) for leaf in component.split(theirs.subcomponent))
            for component in repetition.split(theirs.component)
        )
        for repetition in segment.repetitions(number)
    )
