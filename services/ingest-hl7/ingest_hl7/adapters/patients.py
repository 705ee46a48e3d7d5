"""What is known of the patients of a batch of messages: merged identifiers, identities told, consents."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, text

from ingest_hl7.adapters.knowledge import Entry
from ingest_hl7.adapters.patient_tables import (
    consents,
    known_patients,
    merged_identifiers,
    patient_index,
    request_patients,
)
from ingest_hl7.core.consents import (
    OPPOSED_CODE,
    OPPOSED_LABEL,
    Consent,
    Consultation,
    Feeding,
    is_opposed,
    local_subject,
    subjects,
)
from ingest_hl7.core.corrections import differs_from_known, with_values
from ingest_hl7.core.decision import PatientNews, Relayed, Structured
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.events import SubmissionRefused
from labohub.contracts.values import Patient, Report, Request
from labohub.standards.hl7.findings import warning
from labohub.store.sql import among, insert_ignore

MERGED = "pam.merged-identifier"
DIFFERS = "patient.differs-from-known"
_IDENTITIES = select(known_patients.c.subject, known_patients.c.patient).where(
    among(known_patients.c.subject, "subjects")
)
_CONSENTS = select(consents).where(among(consents.c.subject, "subjects"))
_MERGED = select(merged_identifiers.c.subject, merged_identifiers.c.survivor, merged_identifiers.c.value).where(
    among(merged_identifiers.c.subject, "subjects")
)


@dataclass(slots=True)
class KnownPatients:
    """What is stored about some subjects, and whom new requests are about."""

    merged: dict[str, tuple[str, str]] = field(default_factory=dict)  # subject to its survivor: subject and value
    identities: dict[str, Patient] = field(default_factory=dict)  # by subject, as an ADT gave it last
    histories: dict[str, dict[int, Consent]] = field(default_factory=dict)  # by subject; keys are in order of reception
    _rows: list[dict[str, Any]] = field(default_factory=list)
    _index: list[dict[str, str]] = field(default_factory=list)

    def resolve(self, patient: Patient, facility: str) -> Patient:
        """Return the patient under the identifiers that stand for his own now."""
        subject = {each: local_subject(each, facility) for each in patient.local_ids}
        values = {each: self.merged[key][1] for each, key in subject.items() if key in self.merged}
        return with_values(patient, values) if values else patient

    def is_opposed(self, patient: Patient, facility: str) -> bool:
        """Return whether the patient, under any of his identifiers, opposes the feeding of the DMP."""
        history: dict[int, Consent] = {}
        for subject in subjects(patient, facility):
            history |= self.histories.get(subject, {})
        return is_opposed(history[number] for number in sorted(history))

    def as_known(self, decision: Relayed | Structured) -> Relayed | Structured:
        """Return the decision with its patient under his surviving identifiers; warn of what an ADT said otherwise."""
        report, facility = decision.report, decision.report.sender.facility
        patient = self.resolve(report.patient, facility)
        found = []
        if patient != report.patient:
            found.append(warning("PID^1^3", MERGED, "Identifiant fusionné : l'identifiant survivant est retenu."))
        known = (self.identities.get(local_subject(each, facility)) for each in patient.local_ids)
        if any(each is not None and differs_from_known(patient, each) for each in known):
            told = "Identité différente de la dernière reçue (ADT) : celle du message est retenue."
            found.append(warning("PID^1", DIFFERS, told))
        if not found:
            return decision
        changed = report.model_copy(update={"patient": patient})
        return replace(decision, report=changed, warnings=(*decision.warnings, *found))

    def without_opposed_feeding(self, report: Report) -> Report:
        """Return the report, without the DMP when the patient opposes its feeding; a deletion is no feeding."""
        if report.request is Request.DELETION or not report.to_dmp:
            return report
        opposed = self.is_opposed(report.patient, report.sender.facility)
        return report.model_copy(update={"to_dmp": False}) if opposed else report

    def remember(self, report: Report) -> None:
        """Keep whom a request is about."""
        facility = report.sender.facility
        row = {
            "message_id": report.message_id,
            "report_id": report.report_id,
            "facility": facility,
            "patient": report.patient.model_dump_json(),
            "is_feeding": report.request is not Request.DELETION,
            "is_opposed": False,
        }
        self._rows.append(row)
        self._index += index_rows(report.patient, facility, report.message_id)

    def remembered(self, report_ids: Container[str]) -> list[tuple[Patient, str]]:
        """Return whom the requests kept so far about these reports are about, each with the facility that says so."""
        rows = [row for row in self._rows if row["report_id"] in report_ids]
        return [(Patient.model_validate_json(row["patient"]), row["facility"]) for row in rows]

    async def write(self, unit: IngestUnit) -> None:
        """Write what is to be remembered."""
        await insert_ignore(unit.connection, request_patients, self._rows)
        await insert_ignore(unit.connection, patient_index, self._index)


async def known_of_entries(unit: IngestUnit, entries: Sequence[Entry]) -> KnownPatients:
    """Return what is stored about the patients of these entries' reports."""
    reports = [entry.decision.report for entry in entries if isinstance(entry.decision, Relayed | Structured)]
    return await known_of(unit, {key for each in reports for key in subjects(each.patient, each.sender.facility)})


async def known_of(unit: IngestUnit, wanted: set[str]) -> KnownPatients:
    """Return what is stored about some subjects, and about those that stand for them now."""
    if not wanted:
        return KnownPatients()
    merged = await _merged(unit, wanted)
    every = wanted | {survivor for survivor, _ in merged.values()}
    told = await unit.connection.execute(_IDENTITIES, {"subjects": list(every)})
    identities = {key: Patient.model_validate_json(json) for key, json in told}
    histories: dict[str, dict[int, Consent]] = {}
    rows = await unit.connection.execute(_CONSENTS, {"subjects": list(every)})
    for row in rows.mappings():
        histories.setdefault(row["subject"], {})[row["sequence"]] = Consent(
            feeding=Feeding(row["feeding"]),
            decided_at=row["decided_at"],
            source=row["source"],
            cause=row["cause"],
            consultation=Consultation(row["consultation"]),
            consultation_at=row["consultation_at"],
        )
    return KnownPatients(merged, identities, histories)


async def take_turns(unit: IngestUnit, entries: Sequence[Entry]) -> None:
    """Wait for other processes that write about the same patients; held until the unit ends. SQLite has one writer."""
    if unit.connection.dialect.name != "postgresql":
        return
    wanted: set[str] = set()
    for entry in entries:
        decision = entry.decision
        if isinstance(decision, Relayed | Structured):
            wanted |= set(subjects(decision.report.patient, decision.report.sender.facility))
        elif isinstance(decision, PatientNews):
            wanted |= set(subjects(decision.patient, decision.facility))
            wanted |= {local_subject(each.prior, decision.facility) for each in decision.merges}
    await hold_subjects(unit, wanted)


async def hold_subjects(unit: IngestUnit, wanted: Iterable[str]) -> None:
    """Keep these subjects, and those that stand for them, from other processes until the unit ends.

    Survivors are read first without a lock, so that all locks are taken in one order: no deadlock. SQLite has one
    writer.
    """
    names = set(wanted)
    if unit.connection.dialect.name != "postgresql" or not names:
        return
    names |= {survivor for survivor, _ in (await _merged(unit, names)).values()}
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    await unit.connection.execute(lock, [{"name": f"subject {name}"} for name in sorted(names)])


def index_rows(patient: Patient, facility: str, message_id: str) -> list[dict[str, str]]:
    """Return the rows under which a request is found by its patient."""
    return [{"subject": key, "message_id": message_id} for key in subjects(patient, facility)]


def opposed_fact(report: Report, document_id: str, at: datetime) -> SubmissionRefused:
    """Return the fact that a report will not be filed: it is told like any refusal, to the source and to the board."""
    return SubmissionRefused(
        event_id=derived_id("event", report.message_id, OPPOSED_CODE),
        occurred_at=at,
        report_id=report.report_id,
        message_id=report.message_id,
        submission_id=derived_id("submission", report.message_id, OPPOSED_CODE),
        document_id=document_id,
        operation="RPLC" if report.request is Request.REPLACEMENT else "TD2.1",
        dmp_code="",
        dmp_label=OPPOSED_LABEL,
        code=OPPOSED_CODE,
    )


async def _merged(unit: IngestUnit, wanted: Iterable[str]) -> dict[str, tuple[str, str]]:
    rows = await unit.connection.execute(_MERGED, {"subjects": list(wanted)})
    return {subject: (survivor, value) for subject, survivor, value in rows}
