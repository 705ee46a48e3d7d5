"""What each type of SGL event does to the reports it speaks of. A refusal comes before anything is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest_hl7.adapters.sgl_ledger import Ledger
from ingest_hl7.core.consents import Consent, Consultation, Feeding, local_subject
from ingest_hl7.core.holding import HOLD, Mark, report_key
from ingest_hl7.core.senders import ReportPolicy, Sender
from ingest_hl7.core.sgl_events import (
    APPLIED,
    NO_EFFECT,
    WAITING,
    Departure,
    announced,
    check_announcement,
    check_in_time,
    patient_identifier,
    recipients_after,
    whole,
    with_report,
)
from ingest_hl7.core.sgl_refusals import NothingWaits, ReportUnknown
from labohub.contracts.sgl import (
    AnnouncementDone,
    ConsentRecorded,
    RecipientsChanged,
    ReportHold,
    ReportRelease,
    ReportValidated,
    SglEvent,
    SubjectKind,
)
from labohub.contracts.values import Path, Report, Request

_FEEDING = {
    "opposed": Feeding.OPPOSED, "not-opposed": Feeding.NOT_OPPOSED, "not-collected": Feeding.NOT_COLLECTED,
}  # fmt: skip
_CONSULTATION = {
    "consents": Consultation.CONSENTS, "refuses": Consultation.REFUSES, "not-collected": Consultation.NOT_COLLECTED,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event did."""

    state: str
    code: str = ""
    reports: tuple[str, ...] = ()


async def apply(
    ledger: Ledger, event: SglEvent, key: str, sender: Sender | None, reports: Sequence[list[Departure]]
) -> Effect:
    """Return what the event did. Raises: EventRefused."""
    match event:
        case ReportHold():
            return await _hold(ledger, event, key, reports)
        case ReportRelease():
            return await _release(ledger, key, reports)
        case ReportValidated():
            return await _validated(ledger, key, sender, reports)
        case AnnouncementDone():
            return await _announced(ledger, sender, reports)
        case RecipientsChanged():
            return await _recipients(ledger, event, sender, reports)
        case ConsentRecorded():
            return await _consent(ledger, event, reports)
        case _:
            raise NotImplementedError(event.type)


async def _hold(ledger: Ledger, event: ReportHold, key: str, reports: Sequence[list[Departure]]) -> Effect:
    if not event.data.next_version:
        for known in reports:
            check_in_time(known)
    await ledger.mark(key, Mark.HOLD)
    for known in reports:
        for each in known:
            if each.waits and each.held_for != HOLD:
                await ledger.keep_waiting(each, HOLD)
    waiting = [known for known in reports if any(each.waits for each in known)]
    if waiting or reports:
        return Effect(APPLIED, "" if waiting else "hold.next-version", _ids(reports))
    return Effect(WAITING, "report.awaited")


async def _release(ledger: Ledger, key: str, reports: Sequence[list[Departure]]) -> Effect:
    if not await ledger.unmark(key, Mark.HOLD):
        raise NothingWaits("no hold on this subject")
    still = await ledger.let_go(reports)
    return Effect(APPLIED, "report.still-held" if still else "", _ids(reports))


async def _validated(ledger: Ledger, key: str, sender: Sender | None, reports: Sequence[list[Departure]]) -> Effect:
    if sender is None or sender.report_policy is not ReportPolicy.ON_EVENT:
        return Effect(NO_EFFECT, "sgl.policy-not-on-event", _ids(reports))
    if not reports:
        await ledger.mark(key, Mark.VALIDATED)
        return Effect(WAITING, "report.awaited")
    valid = [each for known in reports for each in known if each.waits and each.needs_validation]
    if not valid:
        raise NothingWaits("no version of the report waits for a validation")
    for each in valid:
        await ledger.validate(each)
    still = await ledger.let_go(await ledger.again(reports))
    return Effect(APPLIED, "report.still-held" if still else "", _ids(reports))


async def _announced(ledger: Ledger, sender: Sender | None, reports: Sequence[list[Departure]]) -> Effect:
    lasts = [last for last in map(whole, reports) if last is not None]
    if not lasts:
        raise ReportUnknown("no such report")
    masked = [last for last in lasts if check_announcement(last)]
    for last in masked:
        await ledger.mark(report_key(last.report.report_id), Mark.ANNOUNCED)
        report = announced(last.report, sender)
        if last.waits:
            await ledger.rewrite(with_report(last, **_changed(report)))
        else:
            visibility = report.visibility.model_copy(update={"changes_visibility": True})
            changes = {**_changed(report), "visibility": visibility, "request": Request.REPLACEMENT}
            await ledger.reissue(last, changes)
    return Effect(APPLIED if masked else NO_EFFECT, "" if masked else "report.not-masked", _ids(reports))


async def _recipients(
    ledger: Ledger, event: RecipientsChanged, sender: Sender | None, reports: Sequence[list[Departure]]
) -> Effect:
    lasts = [last for last in map(whole, reports) if last is not None]
    if not lasts:
        raise ReportUnknown("no such report")
    plans = [(last, recipients_after(event, last, sender)) for last in lasts]
    changed = False
    for last, recipients in plans:
        if recipients == last.report.recipients:
            continue
        changed = True
        known = {each.address.casefold() for each in last.report.recipients}
        new = tuple(each for each in recipients if each.address.casefold() not in known)
        if last.report.path is Path.STRUCTURING:
            await ledger.remember_recipients(last.report.report_id, new, event.data.remove)
        if last.waits:
            await ledger.rewrite(with_report(last, recipients=recipients))
        else:
            await ledger.reissue(last, {"recipients": new, "to_dmp": False})
    return Effect(APPLIED if changed else NO_EFFECT, "" if changed else "recipients.known", _ids(reports))


async def _consent(ledger: Ledger, event: ConsentRecorded, reports: Sequence[list[Departure]]) -> Effect:
    if event.subject.kind is SubjectKind.PATIENT:
        keys = [local_subject(patient_identifier(event.subject), event.source.facility)]
    elif reports:
        keys = await ledger.subjects_of(reports)
    else:
        raise ReportUnknown("no such report")
    at: datetime = min(event.occurred_at, ledger.now)
    consultation = _CONSULTATION[event.data.consultation]
    consent = Consent(
        feeding=_FEEDING[event.data.feeding],
        decided_at=at,
        source="sgl",
        cause=ledger.event_id,
        consultation=consultation,
        consultation_at=None if consultation is Consultation.NOT_COLLECTED else at,
    )
    if await ledger.consent(keys, consent):
        return Effect(APPLIED, "", _ids(reports))
    return Effect(WAITING, "patient.awaited")


def _changed(report: Report) -> dict[str, Any]:
    return {"visibility": report.visibility, "recipients": report.recipients}


def _ids(reports: Sequence[list[Departure]]) -> tuple[str, ...]:
    return tuple(known[0].report.report_id for known in reports if known)
