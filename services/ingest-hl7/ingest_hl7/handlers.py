"""What happens to a request later: outcomes come back as events, become a terminal state and ZAM for the source.

Handlers run inside the inbox transaction: no network.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict
from zoneinfo import ZoneInfo

from ingest_hl7.core import returns, settlement
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.returns import Return, Us
from ingest_hl7.core.settlement import DMP, Outcome, Target
from ingest_hl7.core.webhooks import news_of
from ingest_hl7.ports import IngestUnit, Request
from labohub.contracts.codec import derived_id
from labohub.contracts.events import (
    AnswerSettled,
    DeliveryEvent,
    DocumentRefused,
    Event,
    IdentityUnresolved,
    MailAccepted,
    MailBounced,
    MailDelivered,
    MailRead,
    MailUncertain,
    MessageSettled,
    SubmissionAccepted,
    SubmissionRefused,
)
from labohub.contracts.values import MessageId, ReportId
from labohub.runtime.logging import get_logger
from labohub.standards.hl7 import zam
from labohub.standards.hl7.zam import ZamKind
from labohub.store.work import NewWork

log = get_logger(__name__)

NO_ENDPOINT = "answers.no-endpoint"
UNCONFIRMED = "mss.unconfirmed"  # taken by an operator that gives no receipt
_STOPPED_LABEL = "Document non transmis"


class Outcomes:
    """Follows the requests this service accepted."""

    def __init__(self, us: Us, zone: ZoneInfo, registry: Registry) -> None:
        self.us = us
        self._zone = zone
        self._registry = registry

    async def stop(self, event: DocumentRefused | IdentityUnresolved, unit: IngestUnit) -> None:
        """Nothing leaves: every destination still pending is stopped, and the source is told.

        A report that a person let go on may be stopped again, for another reason.
        """
        await self.stop_for(event, event.code, unit)

    async def announce(self, unit: IngestUnit, event: Event, application: str, facility: str, control_id: str) -> None:
        """Plan the webhooks of an event, if its sender has any."""
        sender = self._registry.named(application, facility)
        if sender is not None and sender.webhooks:
            await unit.webhooks.add(*news_of(event, sender, control_id, unit.now))

    async def _announce(self, unit: IngestUnit, event: Event, owed: Return) -> None:
        application, facility = owed.their_application.split("^")[0], owed.their_facility.split("^")[0]
        await self.announce(unit, event, application, facility, owed.control_id)

    async def stop_for(self, event: Event, code: str, unit: IngestUnit) -> None:
        """As `stop`, for a reason of our own."""
        request = await unit.requests.find(event.message_id)
        if request is None:
            return
        for target in request.targets:
            if target.outcome in (Outcome.PENDING, Outcome.STOPPED):
                await unit.requests.record(event.message_id, Target(target.name, Outcome.STOPPED, code))
        if isinstance(event, DocumentRefused | IdentityUnresolved):
            await self._announce(unit, event, request.owed)
        told = returns.stopped_outcomes(request.owed, code, _STOPPED_LABEL)
        await self.owe(unit, request.owed, told, **_about(event))
        await self._settle(event, request, unit)

    async def mail_accepted(self, event: MailAccepted, unit: IngestUnit) -> None:
        """An operator without receipts: its acceptance is all that will be known. No ZAM is made from it."""
        if not event.confirmable:
            await self._mail(event, unit, Outcome.DELIVERED, UNCONFIRMED)

    async def mail_delivered(self, event: MailDelivered, unit: IngestUnit) -> None:
        """The mail is in the mailbox, as far as can be proved: Z02 Y."""
        await self._mail(event, unit, Outcome.DELIVERED, "", kind=ZamKind.MSS_RECEPTION)

    async def mail_bounced(self, event: MailBounced, unit: IngestUnit) -> None:
        """The mail will not arrive: Z02 N."""
        error = event.smtp_code or returns.UNDELIVERABLE
        await self._mail(event, unit, Outcome.FAILED, event.code, kind=ZamKind.MSS_RECEPTION, error_code=error)

    async def mail_uncertain(self, event: MailUncertain, unit: IngestUnit) -> None:
        """Nobody knows yet: an outcome, which a later receipt improves."""
        await self._mail(event, unit, Outcome.UNCERTAIN, event.code)

    async def mail_read(self, event: MailRead, unit: IngestUnit) -> None:
        """The recipient read or integrated it, or could not: Z03."""
        request = await unit.requests.find(event.message_id)
        if request is not None:
            await self._announce(unit, event, request.owed)
            outcome = returns.mail_outcome(ZamKind.MSS_READING, request.owed, event.recipient, event.error_code)
            await self.owe(unit, request.owed, [outcome], **_about(event))

    async def submission_accepted(self, event: SubmissionAccepted, unit: IngestUnit) -> None:
        """The DMP has it: Z01 Y."""
        await self._submission(event, unit, Outcome.DELIVERED, "")

    async def submission_refused(self, event: SubmissionRefused, unit: IngestUnit) -> None:
        """The DMP will not have it: Z01 N with its code."""
        error = event.dmp_code or event.code
        await self._submission(event, unit, Outcome.FAILED, event.code, error_code=error, label=event.dmp_label)

    async def owe(
        self,
        unit: IngestUnit,
        owed: Return,
        outcomes: Iterable[zam.Outcome],
        *,
        message_id: str,
        report_id: str,
        occurred_at: datetime,
    ) -> None:
        """Add a row of work for each ZAM that was asked for. Without an endpoint it is kept, closed, for the API."""
        rows = []
        for outcome in outcomes:
            if not returns.is_wanted(outcome.kind, owed):
                continue
            at = occurred_at.astimezone(self._zone)
            row, told = returns.plan(outcome, owed, self.us, message_id=message_id, report_id=report_id, at=at)
            where = told.endpoint
            rows.append(
                NewWork(
                    id=row,
                    lane=f"{where.host}:{where.port}" if where else f"nowhere:{row}",
                    payload=told.model_dump_json(),
                    state="due" if where else "no-endpoint",
                    is_open=where is not None,
                    extra={
                        "message_id": message_id,
                        "message_type": told.message_type,
                        "control_id": told.control_id,
                    },
                )
            )
        await unit.answers.add(*rows)
        nowhere = [row for row in rows if not row.is_open]
        await unit.publish(*(_unsendable(row, owed, message_id, report_id, unit.now) for row in nowhere))

    async def _mail(
        self,
        event: DeliveryEvent,
        unit: IngestUnit,
        outcome: Outcome,
        code: str,
        *,
        kind: ZamKind | None = None,
        error_code: str = "",
    ) -> None:
        target = Target(event.recipient.address.lower(), outcome, code)
        request = await self._record(event, target, unit)
        if request is not None and kind is not None:
            told = returns.mail_outcome(kind, request.owed, event.recipient, error_code)
            await self.owe(unit, request.owed, [told], **_about(event))

    async def _submission(
        self,
        event: SubmissionAccepted | SubmissionRefused,
        unit: IngestUnit,
        outcome: Outcome,
        code: str,
        *,
        error_code: str = "",
        label: str = "",
    ) -> None:
        request = await self._record(event, Target(DMP, outcome, code), unit)
        if request is not None:
            told = returns.dmp_outcome(request.owed, error_code, label)
            await self.owe(unit, request.owed, [told], **_about(event))

    async def _record(self, event: Event, target: Target, unit: IngestUnit) -> Request | None:
        """Write an outcome. A certain one is never made uncertain by an older event."""
        message_id = event.message_id
        request = await unit.requests.find(message_id)
        known = {each.name: each for each in request.targets} if request else {}
        if request is None or target.name not in known:
            log.warning("outcome.unknown-target", message_id=message_id, code=target.code)
            return None
        certain = known[target.name].outcome in (Outcome.DELIVERED, Outcome.FAILED)
        if not (certain and target.outcome is Outcome.UNCERTAIN):
            await unit.requests.record(message_id, target)
        await self._announce(unit, event, request.owed)
        await self._settle(event, request, unit)
        return request

    async def _settle(self, event: Event, before: Request, unit: IngestUnit) -> None:
        """Give the message its one terminal state, once. Later news change the outcomes, never the state.

        One exception: what was stopped and went on after a person's decision is told again, as a revision.
        """
        message_id = event.message_id
        request = await unit.requests.find(message_id)
        end = settlement.settle(request.targets) if request else None
        if request is None or end is None:
            return
        if request.is_settled and not settlement.is_revised(before.targets, request.targets):
            return
        revises = (event.event_id,) if request.is_settled else ()
        await unit.requests.close(message_id, end.state)
        settled = MessageSettled(
            event_id=derived_id("event", message_id, "message-settled", *revises),
            occurred_at=unit.now,
            report_id=ReportId(request.report_id),
            message_id=MessageId(message_id),
            control_id=request.owed.control_id,
            state=end.state,
            delivered=end.delivered,
            failed=end.failed,
            uncertain=end.uncertain,
            code=end.code,
            is_revision=request.is_settled,
        )
        await unit.publish(settled)
        await self._announce(unit, settled, request.owed)
        log.info("message.settled", message_id=message_id, report_id=request.report_id, state=end.state, code=end.code)


class About(TypedDict):
    """Whom a ZAM is about, and when it happened."""

    message_id: str
    report_id: str
    occurred_at: datetime


def _about(event: Event) -> About:
    return About(message_id=event.message_id, report_id=event.report_id, occurred_at=event.occurred_at)


def _unsendable(row: NewWork, owed: Return, message_id: str, report_id: str, at: datetime) -> AnswerSettled:
    return AnswerSettled(
        event_id=derived_id("event", row.id, "answer-settled"),
        occurred_at=at,
        report_id=ReportId(report_id),
        message_id=MessageId(message_id),
        control_id=owed.control_id,
        message_type=row.extra["message_type"],
        outcome=NO_ENDPOINT,
    )
