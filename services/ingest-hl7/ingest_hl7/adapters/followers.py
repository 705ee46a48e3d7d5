"""The requests that follow a corrected identity or a consent: what is kept of them changes, the next stages hear."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update

from ingest_hl7.adapters import tables
from ingest_hl7.adapters.patient_tables import patient_index, request_patients
from ingest_hl7.adapters.patients import index_rows, known_of
from ingest_hl7.adapters.sgl_tables import departures
from ingest_hl7.core.consents import subjects
from ingest_hl7.core.corrections import corrected, is_another_identity
from ingest_hl7.core.decision import PatientNews
from ingest_hl7.core.settlement import DMP, Outcome
from ingest_hl7.core.structuring import patient_key
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.events import Event, FeedingOpposed, PatientCorrected, ReportReceived
from labohub.contracts.values import MessageId, Patient, ReportId
from labohub.store.sql import insert_ignore

STOPPED, FAILED = "stopped", "failed"  # terminal states: a person may let it go on; nothing left
_OPEN = tuple(str(each) for each in (Outcome.PENDING, Outcome.STOPPED, Outcome.UNCERTAIN))


async def follow_identity(unit: IngestUnit, keys: Sequence[str], news: PatientNews, cause: str) -> list[Event]:
    """Give the requests of these subjects the identity that the news tell. Return the facts.

    A request that has not ended follows any change; one that was delivered only what makes its document wrong.
    """
    requests = tables.requests
    query = (
        select(request_patients, requests.c.is_settled, requests.c.state)
        .outerjoin(requests, requests.c.message_id == request_patients.c.message_id)
        .outerjoin(departures, departures.c.message_id == request_patients.c.message_id)
        .where(request_patients.c.message_id.in_(_requests_of(keys)))
        .order_by(departures.c.accepted_at, request_patients.c.message_id)
    )
    rows = (await unit.connection.execute(query)).mappings().all()
    were = {row["message_id"]: Patient.model_validate_json(row["patient"]) for row in rows}
    known = await known_of(unit, {key for row in rows for key in subjects(were[row["message_id"]], row["facility"])})
    found: list[Event] = []
    for row in rows:
        was = were[row["message_id"]]
        now = known.resolve(corrected(was, news), row["facility"])
        under_way = not row["is_settled"] or row["state"] == STOPPED
        another = is_another_identity(was, now)
        if now == was or not (under_way or another or now.local_ids != was.local_ids):
            continue
        await _write(unit, row, was, now)
        is_asked = row["state"] is not None  # else: results that are only kept
        if is_asked and (under_way or (another and row["state"] != FAILED)):
            found.append(_corrected(unit, row, now, cause))
    return found


async def follow_consent(unit: IngestUnit, keys: Sequence[str], cause: str) -> list[Event]:
    """Return the facts for the requests of these subjects whose filing is still to come, and changes."""
    outcomes = tables.outcomes
    query = (
        select(request_patients)
        .join(outcomes, outcomes.c.message_id == request_patients.c.message_id)
        .where(
            request_patients.c.message_id.in_(_requests_of(keys)),
            request_patients.c.is_feeding,
            outcomes.c.target == DMP,
            outcomes.c.outcome.in_(_OPEN),
        )
        .order_by(request_patients.c.message_id)
    )
    rows = (await unit.connection.execute(query)).mappings().all()
    were = {row["message_id"]: Patient.model_validate_json(row["patient"]) for row in rows}
    known = await known_of(unit, {key for row in rows for key in subjects(were[row["message_id"]], row["facility"])})
    found: list[Event] = []
    for row in rows:
        opposed = known.is_opposed(were[row["message_id"]], row["facility"])
        if opposed == row["is_opposed"]:
            continue
        mine = request_patients.c.message_id == row["message_id"]
        await unit.connection.execute(update(request_patients).where(mine).values(is_opposed=opposed))
        found.append(
            FeedingOpposed(
                event_id=derived_id("event", cause, row["message_id"], "feeding-opposed", str(opposed)),
                occurred_at=unit.now,
                report_id=ReportId(row["report_id"]),
                message_id=MessageId(row["message_id"]),
                opposed=opposed,
                cause=cause,
            )
        )
    return found


def _requests_of(keys: Sequence[str]) -> Any:
    return select(patient_index.c.message_id).where(patient_index.c.subject.in_(list(keys)))


def _corrected(unit: IngestUnit, row: Any, patient: Patient, cause: str) -> PatientCorrected:
    return PatientCorrected(
        event_id=derived_id("event", cause, row["message_id"], "patient-corrected"),
        occurred_at=unit.now,
        report_id=ReportId(row["report_id"]),
        message_id=MessageId(row["message_id"]),
        patient=patient,
        cause=cause,
    )


async def _write(unit: IngestUnit, row: Any, was: Patient, now: Patient) -> None:
    """Keep the corrected patient: found under his new keys alone, and the demand's own from now on."""
    message_id, facility, execute = row["message_id"], row["facility"], unit.connection.execute
    mine = request_patients.c.message_id == message_id
    await execute(update(request_patients).where(mine).values(patient=now.model_dump_json()))
    gone = set(subjects(was, facility)) - set(subjects(now, facility))
    under = patient_index.c.subject.in_(gone)
    await execute(delete(patient_index).where(patient_index.c.message_id == message_id, under))
    await insert_ignore(unit.connection, patient_index, index_rows(now, facility, message_id))
    if now.local_ids != was.local_ids:
        table = tables.reports
        demand = update(table).where(table.c.report_id == row["report_id"])
        await execute(demand.values(patient_key=patient_key(now, facility)))
    query = select(departures.c.fact).where(departures.c.message_id == message_id)
    kept = (await execute(query)).scalar_one_or_none()
    if kept is None:
        return
    fact = ReportReceived.model_validate_json(kept)
    changed = fact.model_copy(update={"report": fact.report.model_copy(update={"patient": now})})
    leaves = update(departures).where(departures.c.message_id == message_id)
    await execute(leaves.values(fact=changed.model_dump_json().encode()))  # what waits leaves with the right patient
