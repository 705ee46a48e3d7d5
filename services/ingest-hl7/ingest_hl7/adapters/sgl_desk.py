"""Where an SGL event takes effect: one event, one transaction, one answer for ever."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from ingest_hl7.adapters.departing import take_turn
from ingest_hl7.adapters.sgl_ledger import Ledger
from ingest_hl7.adapters.sgl_tables import sgl_events
from ingest_hl7.core.holding import HOLD, Mark, key_of, report_key
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import ReportPolicy, Sender
from ingest_hl7.core.sgl_events import (
    APPLIED,
    NO_EFFECT,
    REFUSED,
    WAITING,
    Departure,
    EventRefused,
    NothingWaits,
    ReportUnknown,
    announced,
    check_announcement,
    check_in_time,
    recipients_after,
    whole,
    with_report,
)
from ingest_hl7.handlers import Outcomes
from ingest_hl7.ports import IngestUnit
from labohub.contracts.codec import derived_id
from labohub.contracts.sgl import (
    AnnouncementDone,
    RecipientsChanged,
    ReportHold,
    ReportRelease,
    ReportValidated,
    SglEvent,
)
from labohub.contracts.values import BlobRef, Path, Request
from labohub.runtime.logging import get_logger
from labohub.store.sql import upsert
from labohub.store.unit import Units

log = get_logger(__name__)

ACCEPTED = 202


class EventIdReused(EventRefused):
    """This source used this id for another event."""

    code = "event.id-reused"


class EventUnsupported(EventRefused):
    """The hub knows this type and does not serve it."""

    code = "event.unsupported"
    status = 422


@dataclass(frozen=True, slots=True)
class Presented:
    """An event as it came: its content's hash, where its bytes are kept, who presented it."""

    event: SglEvent
    sha256: str
    body: BlobRef
    key_id: str

    @property
    def event_id(self) -> str:
        """Return our identifier: the same for the same id from the same source."""
        source = self.event.source
        return derived_id("sgl-event", source.application, source.facility, self.event.id)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event did."""

    state: str
    code: str = ""
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the source is told. `replayed`: it was told before."""

    status: int
    content: dict[str, Any]
    replayed: bool = False


class SglDesk:
    """Takes events, one at a time for each source."""

    def __init__(self, units: Units[IngestUnit], registry: Registry, outcomes: Outcomes) -> None:
        self._units = units
        self._registry = registry
        self._outcomes = outcomes

    async def take(self, presented: Presented) -> Reply:
        """Return the answer, durable together with the effect. Raises: Unavailable."""
        event, event_id = presented.event, presented.event_id
        async with self._units() as unit:
            await take_turn(unit, event.source.application, event.source.facility)
            query = select(sgl_events).where(sgl_events.c.event_id == event_id)
            known = (await unit.connection.execute(query)).mappings().first()
            if known is not None and known["sha256"] == presented.sha256 and known["state"] != REFUSED:
                return Reply(known["status"], json.loads(known["answer"]), replayed=True)
            if known is not None and known["state"] != REFUSED:
                raise EventIdReused("this id was used for another event")
            effect, status = await self._try(unit, event, event_id)
            content = {
                "event_id": event_id,
                "id": event.id,
                "type": event.type,
                "state": effect.state,
                "code": effect.code,
                "reports": list(effect.reports),
                "received_at": unit.now.isoformat(),
            }
            await upsert(unit.connection, sgl_events, [_row(presented, effect, status, content, unit)])
        log.info("sgl-event.taken", event_id=event_id, kind=event.type, state=effect.state, code=effect.code)
        return Reply(status, content)

    async def _try(self, unit: IngestUnit, event: SglEvent, event_id: str) -> tuple[Effect, int]:
        """Return the effect. A refusal comes before anything is written."""
        ledger = Ledger(unit, self._outcomes, event_id)
        key = key_of(event.source, event.subject)
        sender = self._registry.named(event.source.application, event.source.facility)
        try:
            reports = await ledger.named(key)
            return await self._apply(ledger, event, key, sender, reports), ACCEPTED
        except EventRefused as error:
            return Effect(REFUSED, error.code), error.status

    async def _apply(
        self, ledger: Ledger, event: SglEvent, key: str, sender: Sender | None, reports: Sequence[list[Departure]]
    ) -> Effect:
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
            case _:
                raise EventUnsupported("not served")


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


def _changed(report: Any) -> dict[str, Any]:
    return {"visibility": report.visibility, "recipients": report.recipients}


def _ids(reports: Sequence[list[Departure]]) -> tuple[str, ...]:
    return tuple(known[0].report.report_id for known in reports if known)


def _row(
    presented: Presented, effect: Effect, status: int, content: dict[str, Any], unit: IngestUnit
) -> dict[str, Any]:
    event = presented.event
    return {
        "event_id": presented.event_id,
        "id": event.id,
        "application": event.source.application,
        "facility": event.source.facility,
        "type": event.type,
        "sha256": presented.sha256,
        "occurred_at": event.occurred_at,
        "received_at": unit.now,
        "key_id": presented.key_id,
        "body": presented.body.model_dump_json(),
        "state": effect.state,
        "code": effect.code,
        "status": status,
        "answer": json.dumps(content),
    }
