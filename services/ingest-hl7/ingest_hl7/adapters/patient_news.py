"""News of a patient, applied in one transaction: what is kept, and the facts for the requests that must follow.

The journal calls `apply` for an ADT; whoever hears a consent otherwise calls `record_consent`.
"""

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert, select, update

from ingest_hl7.adapters.followers import follow_consent, follow_identity
from ingest_hl7.adapters.patient_tables import (
    consents,
    known_patients,
    merged_identifiers,
    patient_index,
    request_patients,
)
from ingest_hl7.adapters.patients import MERGED, KnownPatients, hold_subjects, known_of
from ingest_hl7.core.consents import Consent, Consultation, Feeding, ins_subject, local_subject, subjects
from ingest_hl7.core.decision import Archived, Merge, PatientNews
from ingest_hl7.ports import IngestUnit
from labohub.contracts.events import Event
from labohub.standards.hl7.findings import warning
from labohub.standards.hl7.pam import moment
from labohub.store.sql import insert_ignore, upsert

OLDER = "pam.older-state"
_HELD_BACK = {
    OLDER: "Identité plus ancienne que celle déjà connue : conservée, non appliquée.",
    MERGED: "Identité d'un identifiant fusionné : conservée, non appliquée.",
}


async def apply(unit: IngestUnit, news: PatientNews, cause: str, zone: ZoneInfo) -> tuple[Archived, list[Event]]:
    """Write what an ADT says. Return how it is archived, and the facts for the requests it changes.

    Args:
        cause: the message.
        zone: of its times without offset.
    """
    at = _past(moment(news.recorded_at, zone), unit.now)
    for each in news.merges:
        await _merge(unit, each, news.facility, cause)
    mine = subjects(news.patient, news.facility)
    known = await known_of(unit, set(mine))
    keys = tuple(dict.fromkeys(known.merged[key][0] if key in known.merged else key for key in mine))
    reason, found, events = news.reason, list(news.warnings), list[Event]()
    if news.tells_identity:
        local = _local(news, known)
        held_back = await _why_not_applied(unit, news, local, known, at)
        if held_back:
            reason = held_back
            found.append(warning("PID^1", held_back, _HELD_BACK[held_back]))
        else:
            await _keep_identity(unit, news, local, at, cause)
            events += await follow_identity(unit, local, news, cause)
    if news.stated is not None:
        events += await record_consent(unit, keys, _consent(news, cause, at, zone))
    elif news.tells_identity:
        events += await follow_consent(unit, keys, cause)
    return Archived(reason, warnings=tuple(found)), events


async def record_consent(unit: IngestUnit, keys: Iterable[str], consent: Consent) -> list[Event]:
    """Keep what a patient said. Return the facts for his requests under way: publish them in the same unit.

    Args:
        keys: the patient's subjects (core/consents.py); `subjects_of_report` gives those of a report.
    """
    wanted = list(keys)
    await hold_subjects(unit, wanted)
    said = {
        "feeding": consent.feeding.value,
        "consultation": consent.consultation.value,
        "decided_at": min(consent.decided_at, unit.now),  # a clock ahead of ours must not outlast what comes later
        "consultation_at": consent.consultation_at,
        "recorded_at": unit.now,
        "source": consent.source,
        "cause": consent.cause,
    }
    if wanted:
        await unit.connection.execute(insert(consents), [{"subject": key, **said} for key in wanted])
    return await follow_consent(unit, wanted, consent.cause)


async def subjects_of_report(unit: IngestUnit, report_id: str) -> tuple[str, ...]:
    """Return the subjects of a report's patient; empty for a report that never was here."""
    mine = select(request_patients.c.message_id).where(request_patients.c.report_id == report_id)
    query = select(patient_index.c.subject).where(patient_index.c.message_id.in_(mine)).distinct()
    return tuple((await unit.connection.execute(query)).scalars())


async def _merge(unit: IngestUnit, merge: Merge, facility: str, cause: str) -> None:
    """Let one identifier stand for another, and for all that the other stood for. The latest word counts."""
    table, execute = merged_identifiers, unit.connection.execute
    prior, survivor = local_subject(merge.prior, facility), local_subject(merge.survivor, facility)
    value = merge.survivor.value
    known = (await known_of(unit, {survivor})).merged.get(survivor)
    if known is not None and known[0] == prior:
        await execute(delete(table).where(table.c.subject == survivor))  # the other way round, from now on
    elif known is not None:
        survivor, value = known
    standing = {"survivor": survivor, "value": value}
    await execute(update(table).where(table.c.survivor == prior).values(**standing))
    await upsert(unit.connection, table, [{"subject": prior, **standing, "cause": cause, "merged_at": unit.now}])
    of_prior = select(patient_index.c.message_id).where(patient_index.c.subject == prior)
    moved = (await execute(of_prior)).scalars().all()
    rows = [{"subject": survivor, "message_id": each} for each in moved]
    await insert_ignore(unit.connection, patient_index, rows)
    await execute(delete(patient_index).where(patient_index.c.subject == prior))
    await execute(delete(known_patients).where(known_patients.c.subject == prior))
    await execute(update(consents).where(consents.c.subject == prior).values(subject=survivor))


def _local(news: PatientNews, known: KnownPatients) -> tuple[str, ...]:
    """Return the keys that the identity is told under: local identifiers, the matricule only without any."""
    keys = [local_subject(each, news.facility) for each in news.patient.local_ids]
    if not keys and news.patient.ins is not None:
        keys = [ins_subject(news.patient.ins)]
    return tuple(dict.fromkeys(known.merged[key][0] if key in known.merged else key for key in keys))


async def _why_not_applied(
    unit: IngestUnit, news: PatientNews, local: tuple[str, ...], known: KnownPatients, at: datetime
) -> str:
    """Return why an identity is only kept; "" when it is applied. A merge always is: its PID is the survivor's."""
    if news.merges:
        return ""
    if any(local_subject(each, news.facility) in known.merged for each in news.patient.local_ids):
        return MERGED
    table = known_patients
    later = select(table.c.subject).where(table.c.subject.in_(local), table.c.recorded_at > at).limit(1)
    return OLDER if await unit.connection.scalar(later) is not None else ""


async def _keep_identity(unit: IngestUnit, news: PatientNews, local: tuple[str, ...], at: datetime, cause: str) -> None:
    if news.patient.traits.birth_name:
        patient = news.patient.model_dump_json()
        rows = [{"subject": key, "patient": patient, "recorded_at": at, "cause": cause} for key in local]
        await upsert(unit.connection, known_patients, rows)


def _consent(news: PatientNews, cause: str, at: datetime, zone: ZoneInfo) -> Consent:
    stated = news.stated
    assert stated is not None
    return Consent(
        feeding=Feeding(stated.feeding or Feeding.NOT_COLLECTED),
        decided_at=_past(moment(stated.feeding_at, zone), at),
        source="zfa",
        cause=cause,
        consultation=Consultation(stated.consultation or Consultation.NOT_COLLECTED),
        consultation_at=moment(stated.consultation_at, zone),
    )


def _past(told: datetime | None, now: datetime) -> datetime:
    """Return a time that was told, at most now; now when none was."""
    return now if told is None else min(told, now)
