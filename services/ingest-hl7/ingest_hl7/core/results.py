"""Results in HL7 to a laboratory report in our values. Nothing is converted, computed or guessed."""

from collections.abc import Sequence

from ingest_hl7.core.senders import Sender
from labohub.contracts.laboratory import (
    Battery,
    Code,
    LaboratoryReport,
    Organisation,
    Professional,
    Result,
    Specimen,
)
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.results import Observation, OrderGroup

LOINC_SYSTEM = "LN"
_CODED = frozenset(("CE", "CWE"))
_WHOLE = frozenset(("SN", "ED", "RP", "NA", "XCN", "CX", "EI", "CP", "DR"))  # components are the value
_FINESS_KINDS = {"N": "FINEG", "M": "FINEJ"}  # HD.3 in French practice


class Reader:
    """Reads one message; people and structures written many times are read once."""

    def __init__(self, message: Message, groups: list[OrderGroup], sender: Sender) -> None:
        self._message = message
        self._groups = groups
        self._sender = sender
        self._people: dict[str, Professional | None] = {}

    def report(self, number: str) -> LaboratoryReport:
        """Return the report of these orders."""
        first = self._groups[0]
        orc, obr = first.orc, first.obr
        pv1 = self._message.first("PV1")
        prescriber = (orc and self._person(orc, 12)) or self._person(obr, 16)
        return LaboratoryReport(
            number=number,
            prescribed_at=(orc.component(37, 1) or orc.component(9, 1)) if orc else "",
            prescriber=prescriber,
            biologist=self._biologist(),
            laboratory=self._laboratory(),
            encounter_class=pv1.component(2, 1) if pv1 else "",
            visit_number=pv1.component(19, 1) if pv1 else "",
            batteries=tuple(self._battery(group) for group in self._groups),
        )

    def copies_to(self) -> list[Professional]:
        """Return the prescriber, then the people of OBR-28, each once."""
        found: dict[str, Professional] = {}
        for group in self._groups:
            people = [(group.orc and self._person(group.orc, 12)) or self._person(group.obr, 16)]
            people += [self._person(group.obr, 28, index) for index in range(1, len(group.obr.repetitions(28)) + 1)]
            found.update({person.identifier: person for person in people if person and person.identifier})
        return list(found.values())

    def _laboratory(self) -> Organisation:
        if self._sender.laboratory.identifier:
            return self._sender.laboratory
        msh = self._message.header
        kind = _FINESS_KINDS.get(msh.component(4, 3), "FINEG" if len(msh.component(4, 2)) == 9 else "")
        return Organisation(identifier=msh.component(4, 2), identifier_type=kind, name=msh.component(4, 1))

    def _biologist(self) -> Professional | None:
        for group in self._groups:
            for observation in group.observations:
                person = self._person(observation.obx, 16)
                if person is not None and person.identifier:
                    return person
            interpreter = self._person(group.obr, 32)
            if interpreter is not None and interpreter.identifier:
                return interpreter
        return self._sender.biologist

    def _battery(self, group: OrderGroup) -> Battery:
        orc, obr = group.orc, group.obr
        local, loinc = _codes(obr, 4)
        return Battery(
            code=local or loinc or Code(code=""),
            loinc=loinc,
            placer_number=obr.component(2, 1) or (orc.component(2, 1) if orc else ""),
            filler_number=obr.component(3, 1) or (orc.component(3, 1) if orc else ""),
            group_number=orc.component(4, 1) if orc else "",
            section=obr.component(24, 1),
            status=obr.component(25, 1),
            collected_at=obr.component(7, 1),
            reported_at=obr.component(22, 1),
            specimens=tuple(_specimen(segment) for segment in group.specimens),
            results=tuple(self._result(each) for each in group.observations if each.obx.component(11, 1) not in "ON"),
            comments=_comments(group.notes),
        )

    def _result(self, observation: Observation) -> Result:
        obx = observation.obx
        kind = obx.component(2, 1)
        local, loinc = _codes(obx, 3)
        value, coded = _value(obx, kind)
        return Result(
            local_code=local,
            loinc=loinc,
            sub_id=obx.component(4, 1),
            value_type=kind,
            value=value,
            value_code=coded,
            unit=obx.component(6, 1) or obx.component(6, 2),
            reference_range=obx.value(7),
            flags=tuple(obx.text(part.split("^", 1)[0]) for part in obx.repetitions(8)),
            status=obx.component(11, 1),
            observed_at=obx.component(14, 1),
            analysed_at=obx.component(19, 1),
            method=obx.component(17, 2) or obx.component(17, 1),
            validated_by=self._person(obx, 16),
            performer=_performer(obx),
            comments=_comments(observation.notes),
        )

    def _person(self, segment: Segment, number: int, repetition: int = 1) -> Professional | None:
        repetitions = segment.repetitions(number)
        if repetition > len(repetitions):
            return None
        raw = repetitions[repetition - 1]
        if raw not in self._people:
            identifier, family = (
                segment.component(number, 1, repetition),
                segment.subcomponent(number, 2, 1, repetition),
            )
            self._people[raw] = (
                Professional(
                    identifier=identifier,
                    identifier_type=segment.component(number, 13, repetition),
                    family_name=family,
                    given_name=segment.component(number, 3, repetition),
                )
                if identifier or family
                else None
            )
        return self._people[raw]


def merge(previous: LaboratoryReport, new: LaboratoryReport) -> LaboratoryReport:
    """Return the demand's report after a new message: its batteries replace those of the same number, others stay.

    A battery that a message does not speak of is unchanged: absence is not a deletion.
    """
    renewed = {_key(battery): battery for battery in new.batteries}
    known = {_key(battery) for battery in previous.batteries}
    batteries = [renewed.get(_key(battery), battery) for battery in previous.batteries]
    batteries += [battery for battery in new.batteries if _key(battery) not in known]
    return new.model_copy(
        update={
            "batteries": tuple(batteries),
            "version": previous.version + 1,
            "prescriber": new.prescriber or previous.prescriber,
            "biologist": new.biologist or previous.biologist,
            "prescribed_at": new.prescribed_at or previous.prescribed_at,
        }
    )


def is_older(previous: LaboratoryReport, new: LaboratoryReport) -> bool:
    """Return True when every battery of the message is known in a state reported later (OBR-22)."""
    known = {_key(battery): battery.reported_at for battery in previous.batteries}
    pairs = [(battery.reported_at, known.get(_key(battery), "")) for battery in new.batteries]
    return all(ours and theirs and _comparable(ours) < _comparable(theirs) for ours, theirs in pairs)


def _comparable(timestamp: str) -> str:
    """Return the digits of a TS, filled to the second; both sides come from one sender, in one zone."""
    return timestamp[:14].split("+", maxsplit=1)[0].split("-", maxsplit=1)[0].ljust(14, "0")


def same_content(one: LaboratoryReport, other: LaboratoryReport) -> bool:
    """Return True when two versions say the same: nothing is to be sent again."""
    return one.model_copy(update={"version": 0}) == other.model_copy(update={"version": 0})


def _key(battery: Battery) -> tuple[str, str]:
    return (battery.filler_number, "") if battery.filler_number else (battery.placer_number, "placer")


def _codes(segment: Segment, number: int) -> tuple[Code | None, Code | None]:
    """Return the local code and the LOINC code of a CE: told apart by their system, never by their position."""
    parts = segment.components(number)
    local: Code | None = None
    loinc: Code | None = None
    for start in (0, 3):
        triplet = [segment.text(part) for part in parts[start : start + 3]] + ["", "", ""]
        if not triplet[0] and not triplet[1]:
            continue
        code = Code(code=triplet[0], label=triplet[1], system=triplet[2])
        if code.system == LOINC_SYSTEM:
            loinc = loinc or code
        else:
            local = local or code
    return local, loinc


def _value(obx: Segment, kind: str) -> tuple[str, Code | None]:
    if kind in _CODED:
        local, loinc = _codes(obx, 5)
        coded = local or loinc
        return (coded.label or coded.code, coded) if coded else ("", None)
    raw = obx.field(5)
    if kind in _WHOLE:
        return raw, None
    if kind in ("TX", "FT", "ST"):
        return "\n".join(obx.text(part) for part in obx.repetitions(5)), None
    return obx.value(5), None


def _specimen(spm: Segment) -> Specimen:
    nature, loinc = _codes(spm, 4)
    return Specimen(
        identifier=spm.subcomponent(2, 2, 1) or spm.subcomponent(2, 1, 1),
        nature=nature or loinc or Code(code=""),
        collected_at=spm.component(17, 1),
        received_at=spm.component(18, 1),
    )


def _performer(obx: Segment) -> Organisation | None:
    """Return who performed, when the result says so: OBX-23, else OBX-15."""
    if obx.field(23):
        return Organisation(
            identifier=obx.component(23, 10) or obx.component(23, 3),
            identifier_type=obx.component(23, 7),
            name=obx.component(23, 1),
        )
    if obx.field(15):
        return Organisation(
            identifier=obx.component(15, 1), identifier_type=obx.component(15, 3), name=obx.component(15, 2)
        )
    return None


def _comments(notes: Sequence[Segment]) -> tuple[str, ...]:
    texts = ("\n".join(note.text(part) for part in note.repetitions(3)) for note in notes)
    return tuple(text for text in texts if text and text != '""')
