"""The groups of a result message: each order with its observations, its specimens and its notes.

Fields are not interpreted here. ORU^R01 of LTW LAB-3 and ILW LAB-36.
Source: HL7 v2.5.1 chapter 7; IHE PaLM Technical Framework, LTW.
"""

from dataclasses import dataclass, field

from labohub.standards.er7 import Message, Segment


@dataclass(slots=True)
class Observation:
    """An OBX and the notes that follow it."""

    obx: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class OrderGroup:
    """One battery: ORC (before OBR), its observations, then its specimens."""

    orc: Segment | None
    obr: Segment
    observations: list[Observation] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)
    specimen_observations: list[Observation] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)


def group_orders(message: Message) -> list[OrderGroup]:
    """Return the orders of an ORU^R01, in order. An OBX after a SPM describes the specimen, not the patient."""
    groups: list[OrderGroup] = []
    orc: Segment | None = None
    target: list[Segment] | None = None
    for segment in message:
        name = segment.name
        if name == "ORC":
            orc, target = segment, None
        elif name == "OBR":
            groups.append(OrderGroup(orc, segment))
            orc, target = None, groups[-1].notes
        elif not groups:
            continue
        elif name == "OBX":
            group = groups[-1]
            observation = Observation(segment)
            (group.specimen_observations if group.specimens else group.observations).append(observation)
            target = observation.notes
        elif name == "SPM":
            groups[-1].specimens.append(segment)
            target = None
        elif name == "NTE" and target is not None:
            target.append(segment)
    return groups
