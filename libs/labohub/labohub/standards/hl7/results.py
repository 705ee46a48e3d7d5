"""The groups of an order or result message: each order with its observations, its specimens, its prior results.

Fields are not interpreted here. Grouping follows the abstract syntax of each structure, never the order of two segments
alone: ORC stands before OBR in ORU and OML, behind it in OUL; a prior result of an OML is not the next order.
Source: HL7 v2.5.1 chapters 4 and 7; IHE PaLM Technical Framework, LTW and ILW.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from labohub.standards.er7 import Message, Segment

PRIOR = "PR"  # ORC-1 of a result that is repeated as information
_BEFORE_PRIOR = frozenset(("PD1", "PV1", "PV2", "AL1"))  # may stand between the PID of a prior result and its ORC
_SPECIMEN_FIRST = frozenset(("R22", "R23", "O33", "O34", "O35", "O36"))
_CONTAINER_FIRST = frozenset(("R23", "O35", "O36"))


@dataclass(slots=True)
class Observation:
    """An OBX and the notes that follow it."""

    obx: Segment
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class SpecimenGroup:
    """A SPM, what is said of it, and its containers (SAC)."""

    spm: Segment
    observations: list[Observation] = field(default_factory=list)
    containers: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)  # NTE, which 2.5.1 has no place for


@dataclass(slots=True)
class OrderGroup:
    """One order: its ORC and OBR (an order of an OML may lack one, a result may lack ORC), and all that follows."""

    orc: Segment | None = None
    obr: Segment | None = None
    timings: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    specimens: list[SpecimenGroup] = field(default_factory=list)
    container: Segment | None = None  # SAC under which the order stands (OUL^R23, OML^O35)
    prior: list["OrderGroup"] = field(default_factory=list)

    @property
    def control(self) -> str:
        """Return ORC-1."""
        return self.orc.component(1, 1).upper() if self.orc else ""

    @property
    def head(self) -> Segment:
        """Return the segment that stands for the order in an error: OBR, else ORC."""
        segment = self.obr or self.orc
        assert segment is not None
        return segment

    def text(self, number: int, position: int = 1) -> str:
        """Return a component that OBR and ORC share (2 placer, 3 filler number), OBR first."""
        ours = self.obr.component(number, position) if self.obr else ""
        return ours or (self.orc.component(number, position) if self.orc else "")


@dataclass(slots=True)
class Grouped:
    """The orders of a message, and what its grammar leaves open."""

    orders: list[OrderGroup]
    patient_notes: list[Segment]  # NTE after PID
    patients: list[Segment]  # PID, those of prior results left out
    prior: list[OrderGroup]  # of an ORU: earlier results repeated as information (ORC-1 PR)
    strays: list[Segment]  # ORC without OBR where the structure wants one; PID, OBX, SPM where it has no place for them
    ambiguous: list[Segment]  # R24: OBX directly behind SPM, taken for the specimen's


IsResult = Callable[[Segment, Segment], bool]  # OBX, and the OBR it follows: is it a result of the patient?


def group_orders(message: Message, is_result: IsResult = lambda obx, obr: False) -> Grouped:
    """Return the orders of an ORU, OUL, OML or ORL.

    Args:
        is_result: decides on an OBX that directly follows a SPM in OUL^R24: the grammar says specimen, senders mean
            result.
    """
    kind, event = message.header.component(9, 1).upper(), message.header.component(9, 2).upper()
    walk = _Walk(kind, event, is_result)
    for segment in message:
        walk.take(segment)
    return walk.end()


class _Walk:
    """The segments of one message, one after the other."""

    def __init__(self, kind: str, event: str, is_result: IsResult) -> None:
        self._is_order = kind in ("OML", "ORL")
        self._obr_first = kind == "OUL"
        self._specimen_first = event in _SPECIMEN_FIRST
        self._container_first = event in _CONTAINER_FIRST
        self._open_end = event == "R24"  # results follow the specimens
        self._is_result = is_result
        self._found = Grouped([], [], [], [], [], [])
        self._waiting: Segment | None = None  # waits for its OBR
        self._order: OrderGroup | None = None  # the order or prior result that segments belong to
        self._specimen: SpecimenGroup | None = None  # the one that segments belong to
        self._shared: list[SpecimenGroup] = []  # specimens of the orders to come
        self._container: Segment | None = None
        self._notes: list[Segment] | None = None
        self._announced: list[Segment] = []  # NTE between an ORC and its OBR
        self._behind = ""  # name of the segment before, notes left out
        self._in_prior = False
        self._handlers: dict[str, Callable[[Segment], None]] = {
            "PID": self._pid,
            "ORC": self._orc_segment,
            "OBR": self._obr,
            "SPM": self._spm,
            "SAC": self._sac,
            "INV": self._inv,
            "OBX": self._obx,
            "TQ1": self._tq1,
            "NTE": self._nte,
        }

    def take(self, segment: Segment) -> None:
        """Put one segment into its place."""
        handle = self._handlers.get(segment.name)
        if handle is not None:
            handle(segment)
        if segment.name != "NTE":
            self._behind = segment.name

    def end(self) -> Grouped:
        """Return what was found."""
        self._drop_waiting()
        return self._found

    def _pid(self, segment: Segment) -> None:
        if self._is_order and self._order is not None:
            self._in_prior, self._notes = True, None
            return
        if self._found.orders or self._found.prior or self._shared or self._waiting is not None:
            self._found.strays.append(segment)  # whose are the results before it?
        self._found.patients.append(segment)
        self._notes = self._found.patient_notes

    def _orc_of_order(self, segment: Segment) -> None:
        """Begin an order of an OML: only ORC-1 PR, or a PID just before, makes it a prior result."""
        announced = self._in_prior and (self._behind == "PID" or self._behind in _BEFORE_PRIOR)
        if self._order is not None and (segment.component(1, 1).upper() == PRIOR or announced):
            self._begin_prior(segment)
            return
        self._in_prior = False
        self._order = OrderGroup(orc=segment, specimens=list(self._shared), container=self._container)
        self._found.orders.append(self._order)
        self._specimen, self._notes = None, self._order.notes

    def _begin_prior(self, orc: Segment | None) -> None:
        self._in_prior = True
        self._order = OrderGroup(orc=orc)
        self._found.orders[-1].prior.append(self._order)
        self._specimen, self._notes = None, self._order.notes

    def _orc_segment(self, segment: Segment) -> None:
        if self._is_order:
            self._orc_of_order(segment)
            return
        order = self._order
        if self._obr_first and order is not None and order.orc is None and not order.observations:
            order.orc, self._notes = segment, order.notes
            return
        self._drop_waiting()
        self._announced = []
        self._waiting, self._notes = segment, self._announced

    def _obr(self, segment: Segment) -> None:
        if self._is_order:
            if self._order is None:  # no ORC at all
                self._order = OrderGroup(specimens=list(self._shared), container=self._container)
                self._found.orders.append(self._order)
            elif self._order.obr is not None or (self._in_prior and self._behind in ("PID", *_BEFORE_PRIOR)):
                self._begin_prior(None)
            self._order.obr, self._notes = segment, self._order.notes
            return
        group = OrderGroup(self._waiting, segment, specimens=list(self._shared), container=self._container)
        if self._waiting is not None:
            group.notes += self._announced
        self._waiting, self._order, self._specimen, self._notes = None, group, None, group.notes
        (self._found.prior if group.control == PRIOR else self._found.orders).append(group)

    def _spm(self, segment: Segment) -> None:
        self._specimen = SpecimenGroup(segment)
        self._notes = self._specimen.notes
        if self._specimen_first:
            self._shared, self._container = [self._specimen], None
            self._order, self._in_prior = None, False
        elif self._order is None or self._waiting is not None:
            self._specimen = None
            self._notes = None
            self._found.strays.append(segment)
        else:
            owner = self._found.orders[-1] if self._is_order and self._in_prior else self._order
            owner.specimens.append(self._specimen)

    def _sac(self, segment: Segment) -> None:
        if self._specimen is None and self._shared:
            self._specimen = self._shared[-1]
        self._notes = self._specimen.notes if self._specimen is not None else None
        if self._specimen is not None:
            self._specimen.containers.append(segment)
            if self._container_first:
                self._order, self._container = None, segment
            elif self._specimen_first and self._order is not None:
                self._specimen = None  # behind its place: results still follow
            elif self._open_end:
                self._specimen = None  # what follows is a result

    def _inv(self, segment: Segment) -> None:
        if self._open_end:
            self._specimen = None

    def _obx(self, segment: Segment) -> None:
        observation = Observation(segment)
        target = self._owner(segment) if self._waiting is None else None
        if target is None:
            self._found.strays.append(segment)  # of the order before, or of the one to come? Nobody can tell
        else:
            target.append(observation)
        self._notes = observation.notes

    def _owner(self, obx: Segment) -> list[Observation] | None:
        specimen, order = self._specimen, self._order
        if specimen is None:
            return order.observations if order is not None else None
        if self._open_end and order is not None and order.obr is not None and not specimen.containers:
            if self._is_result(obx, order.obr):
                return order.observations
            self._found.ambiguous.append(obx)
        return specimen.observations

    def _tq1(self, segment: Segment) -> None:
        if self._order is not None:
            self._order.timings.append(segment)
            self._notes = self._order.notes

    def _nte(self, segment: Segment) -> None:
        if self._notes is not None:
            self._notes.append(segment)

    def _drop_waiting(self) -> None:
        if self._waiting is not None:
            self._found.strays.append(self._waiting)
            self._waiting = None
