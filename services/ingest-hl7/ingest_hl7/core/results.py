"""Results in HL7 to a laboratory report in our values. Nothing is converted, computed or guessed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ingest_hl7.core.microbiology import read_parent
from ingest_hl7.core.observations import DELETED, EMBEDDED, codes, plain_text, read_value, text_of
from ingest_hl7.core.repeated import read_once
from ingest_hl7.core.senders import Sender
from ingest_hl7.core.specimens import read_specimen
from labohub.contracts.laboratory import (
    Attachment,
    Battery,
    Code,
    LaboratoryReport,
    Organisation,
    PreviousResult,
    Professional,
    Result,
)
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.results import Grouped, Observation, OrderGroup

_FINESS_KINDS = {"N": "FINEG", "M": "FINEJ"}  # HD.3 in French practice
_NO_RESULT = "ON"  # OBX-11: a question at order entry; not asked for
_PDF = "application/pdf"


@dataclass(slots=True)
class Places:
    """Where in the message each battery and result stands, as ERR-2; by their positions in the report."""

    batteries: list[str] = field(default_factory=list)
    results: list[list[str]] = field(default_factory=list)


class Reader:
    """Reads one message."""

    def __init__(self, message: Message, grouped: Grouped, sender: Sender) -> None:
        self._message = message
        self._grouped = grouped
        self._groups = [group for group in grouped.orders if _is_of_patient(group)]
        self._sender = sender
        self._reports: list[Attachment] = []
        self.places = Places()
        self.warnings: list[Finding] = []

    @property
    def groups(self) -> list[OrderGroup]:
        """Return the orders that speak of the patient: no control, no calibrator."""
        return self._groups

    def report(self, number: str) -> LaboratoryReport:
        """Return the report of these orders."""
        first = self._groups[0]
        pv1 = self._message.first("PV1")
        batteries = tuple(self._battery(group) for group in self._groups)
        return LaboratoryReport(
            number=number,
            prescribed_at=(first.orc.component(37, 1) or first.orc.component(9, 1)) if first.orc else "",
            prescriber=self._prescriber(first),
            copies_to=tuple(self.copies_to()),
            biologist=self._biologist(),
            laboratory=self._laboratory(),
            encounter_class=pv1.component(2, 1) if pv1 else "",
            visit_number=pv1.component(19, 1) if pv1 else "",
            batteries=batteries,
            attached_reports=tuple(self._reports),
            comments=_comments(self._grouped.patient_notes),
            patient_instructions=self._instructions(),
        )

    def copies_to(self) -> list[Professional]:
        """Return the prescriber, then the people of OBR-28, each once."""
        found: dict[str, Professional] = {}
        for group in self._groups:
            people = [self._prescriber(group)]
            if group.obr is not None:
                people += [read_person(group.obr, 28, at + 1) for at in range(len(group.obr.repetitions(28)))]
            found.update({person.identifier: person for person in people if person and person.identifier})
        return list(found.values())

    def quoted(self) -> list[tuple[Result, PreviousResult]]:
        """Return the earlier results that the message repeats as information (ORC-1 PR)."""
        found = []
        for group in self._grouped.prior:
            collected = group.obr.component(7, 1) if group.obr else ""
            for observation in group.observations:
                result = self._result(observation)
                earlier = previous_of(result, collected)
                if earlier is not None:
                    found.append((result, earlier))
        return found

    def _instructions(self) -> tuple[str, ...]:
        """Return what the patient must do (NTE-4 PI), wherever it is written, each once."""
        notes = list(self._grouped.patient_notes)
        for group in self._groups:
            notes += [*group.notes, *(note for each in group.observations for note in each.notes)]
        return tuple(dict.fromkeys(_texts(note for note in notes if _is_for_the_patient(note))))

    def _prescriber(self, group: OrderGroup) -> Professional | None:
        ordered = read_person(group.orc, 12) if group.orc else None
        return ordered or (read_person(group.obr, 16) if group.obr else None)

    def _laboratory(self) -> Organisation:
        if self._sender.laboratory.identifier:
            return self._sender.laboratory
        msh = self._message.header
        kind = _FINESS_KINDS.get(msh.component(4, 3), "FINEG" if len(msh.component(4, 2)) == 9 else "")
        return Organisation(identifier=msh.component(4, 2), identifier_type=kind, name=msh.component(4, 1))

    def _biologist(self) -> Professional | None:
        for group in self._groups:
            for observation in group.observations:
                person = read_person(observation.obx, 16)
                if person is not None and person.identifier:
                    return person
            interpreter = read_person(group.obr, 32) if group.obr else None
            if interpreter is not None and interpreter.identifier:
                return interpreter
        return self._sender.biologist

    def _battery(self, group: OrderGroup) -> Battery:
        orc, obr = group.orc, group.obr
        assert obr is not None  # results are grouped by OBR
        local, loinc = codes(obr, 4)
        places: list[str] = []
        self.places.batteries.append(obr.location)
        self.places.results.append(places)
        return Battery(
            code=local or loinc or Code(code=""),
            loinc=loinc,
            placer_number=group.text(2),
            filler_number=group.text(3),
            group_number=orc.component(4, 1) if orc else "",
            section=obr.component(24, 1),
            status=obr.component(25, 1),
            collected_at=obr.component(7, 1),
            reported_at=obr.component(22, 1),
            collector=read_person(obr, 10),
            specimens=tuple(read_specimen(each) for each in group.specimens),
            results=tuple(self._results(group, places)),
            specimen_observations=tuple(
                self._result(each) for specimen in group.specimens for each in specimen.observations
            ),
            parent=read_parent(obr),
            clinical_information=plain_text(obr, obr.field(13)),
            comments=_comments(group.notes),
        )

    def _results(self, group: OrderGroup, places: list[str]) -> Iterator[Result]:
        for observation in group.observations:
            obx = observation.obx
            if obx.component(11, 1) in _NO_RESULT:
                continue
            result = self._result(observation)
            if self._is_whole_report(result):
                assert result.attachment is not None
                self._reports.append(result.attachment)
                continue
            places.append(obx.location)
            yield result

    def _is_whole_report(self, result: Result) -> bool:
        """Return True for the laboratory's own report as PDF; another laboratory's is an attachment."""
        named = {code.code for code in (result.local_code, result.loinc) if code is not None}
        return (
            result.attachment is not None
            and result.attachment.media_type == _PDF
            and bool(result.attachment.data)
            and result.performer is None
            and result.status in "FC"
            and not named.isdisjoint(self._sender.whole_report_codes)
        )

    def _result(self, observation: Observation) -> Result:
        obx = observation.obx
        local, loinc = codes(obx, 3)
        reading = read_value(obx)
        if reading.warning:
            text = "Objet d'un autre type que celui annoncé."
            self.warnings.append(warning(f"{obx.location}^5", reading.warning, text))
        return Result(
            local_code=local,
            loinc=loinc,
            sub_id=obx.component(4, 1),
            value_type=obx.component(2, 1),
            value=reading.value,
            value_code=reading.code,
            value_translations=reading.translations,
            attachment=reading.attachment,
            unit=_unit(obx, 6),
            unit_text=_unit_text(obx, 6),
            reference_range=text_of(obx, obx.field(7)),
            flags=_flags(obx, 8),
            status=obx.component(11, 1),
            observed_at=obx.component(14, 1),
            analysed_at=obx.component(19, 1),
            method=_method(obx, 17),
            validated_by=read_person(obx, 16),
            performer=self._performer(obx),
            equipment=_equipment(obx, 18),
            comments=_comments(observation.notes),
        )

    def _performer(self, obx: Segment) -> Organisation | None:
        """Return who performed, when the result says so: OBX-23 to 25, else OBX-15."""
        if obx.field(23):
            return Organisation(
                identifier=obx.component(23, 10) or obx.component(23, 3),
                identifier_type=obx.component(23, 7),
                name=obx.component(23, 1),
                address=_address(obx, 24),
                director=read_person(obx, 25),
            )
        if obx.field(15):
            return Organisation(
                identifier=obx.component(15, 1), identifier_type=obx.component(15, 3), name=obx.component(15, 2)
            )
        return None


def read_person(segment: Segment, number: int, repetition: int = 1) -> Professional | None:
    """Return the person of a XCN; None when it names nobody."""
    return _first_person(segment, number) if repetition == 1 else _person(segment, number, repetition)


def _person(segment: Segment, number: int, repetition: int = 1) -> Professional | None:
    identifier = segment.component(number, 1, repetition)
    family = segment.subcomponent(number, 2, 1, repetition)
    if not identifier and not family:
        return None
    return Professional(
        identifier=identifier,
        identifier_type=segment.component(number, 13, repetition),
        family_name=family,
        given_name=segment.component(number, 3, repetition),
    )


_first_person = read_once(_person)


def previous_of(result: Result, collected_at: str) -> PreviousResult | None:
    """Return a result as an earlier one; None when it has no final value, or no date."""
    observed_at = result.observed_at or collected_at
    if result.status not in ("F", "C") or result.value_type in EMBEDDED or not result.value or not observed_at:
        return None
    return PreviousResult(
        value_type=result.value_type,
        value=result.value,
        unit=result.unit,
        flags=result.flags,
        observed_at=observed_at,
    )


def _is_of_patient(group: OrderGroup) -> bool:
    """Return False for an order whose specimens are controls, calibrators… (SPM-11, table 0369)."""
    roles = [each.spm.component(11, 1).upper() for each in group.specimens]
    return not roles or any(role in ("", "P") for role in roles)


@read_once
def _unit(obx: Segment, number: int) -> str:
    return text_of(obx, obx.component(number, 1)) or obx.component(number, 2)


@read_once
def _unit_text(obx: Segment, number: int) -> str:
    """Return the printable unit (component 2); "" when the code says the same."""
    code, printable = text_of(obx, obx.component(number, 1)), obx.component(number, 2)
    return "" if not code or printable in (code, DELETED) else printable


@read_once
def _flags(obx: Segment, number: int) -> tuple[str, ...]:
    """Return the first component of each repetition: newer devices write a flag as a coded value."""
    sign = obx.delimiters.component
    flags = (text_of(obx, part.split(sign, 1)[0]) for part in obx.repetitions(number))
    return tuple(flag for flag in flags if flag)


@read_once
def _method(obx: Segment, number: int) -> str:
    found = [codes(obx, number, at + 1) for at in range(len(obx.repetitions(number)))]
    chosen = [local or loinc for local, loinc in found]
    return "\n".join(code.label or code.code for code in chosen if code is not None)


@read_once
def _equipment(obx: Segment, number: int) -> str:
    return " ".join(obx.text(part).replace("^", " ").strip() for part in obx.repetitions(number))


def _address(obx: Segment, number: int) -> str:
    street = obx.subcomponent(number, 1, 1)
    parts = [street, obx.component(number, 2), f"{obx.component(number, 5)} {obx.component(number, 3)}".strip()]
    return ", ".join(part for part in parts if part)


def _comments(notes: Sequence[Segment]) -> tuple[str, ...]:
    return tuple(_texts(note for note in notes if not _is_for_the_patient(note)))


def _is_for_the_patient(note: Segment) -> bool:
    return note.component(4, 1) == "PI"


def _texts(notes: Iterable[Segment]) -> Iterator[str]:
    texts = ("\n".join(plain_text(note, part) for part in note.repetitions(3)) for note in notes)
    return (text for text in texts if text.strip())
