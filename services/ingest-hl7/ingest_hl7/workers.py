"""Carries ZAM to the source, and news to its webhooks. A source hears of its outcomes in order."""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_hl7.core.registry import Registry
from ingest_hl7.core.returns import Zam
from ingest_hl7.core.webhooks import News, endpoint_of
from ingest_hl7.ports import IngestUnit, Receiver, Source
from labohub.contracts.codec import derived_id
from labohub.contracts.events import AnswerSettled
from labohub.contracts.values import MessageId, ReportId
from labohub.errors import HubError, Unavailable
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.store.unit import Units
from labohub.store.work import Work

log = get_logger(__name__)

GIVEN_UP = "answers.given-up"
WEBHOOKS_AT_ONCE = 16  # deliveries of one turn, of different reports or endpoints
GONE = 410  # the receiver wants no more of it
RUN_LENGTH = 50  # ZAM sent before the runtime may stop the worker
REFUSED_CODES = ("AE", "CE")  # the source read it and will not have it: sending it again is useless


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to try, in seconds and attempts."""

    lease_seconds: float
    first_seconds: float
    cap_seconds: float
    max_attempts: int


class ReturnCarrier:
    """The worker."""

    def __init__(self, source: Source, patience: Patience) -> None:
        self._source = source
        self._patience = patience

    async def run(self, units: Units[IngestUnit], now: datetime) -> bool:
        """Send due ZAM, one after the other. Return False when nothing is due."""
        async with units() as unit:
            work = await self._lease(unit)
        if work is None:
            return False
        for left in reversed(range(RUN_LENGTH)):
            work = await self._send(units, work, then_next=left > 0)
            if work is None:
                break
        return True

    async def _lease(self, unit: IngestUnit) -> Work | None:
        leased = await unit.answers.lease_due(1, self._patience.lease_seconds)
        return leased[0] if leased else None

    async def _send(self, units: Units[IngestUnit], work: Work, *, then_next: bool) -> Work | None:
        """Send a ZAM and settle it; return the next one, leased in the same commit, if asked and there is one."""
        told = Zam.model_validate_json(work.payload)
        with span("answer.send", work.traceparent, report_id=told.report_id):
            outcome, again = await self._deliver(work, told)
        async with units() as unit:
            if again:
                wait = self._wait(work.attempts)
                await unit.answers.settle(
                    work, "due", is_open=True, due_at=unit.now + timedelta(seconds=wait), error_code=outcome
                )
            elif await unit.answers.settle(work, "settled", error_code="" if outcome == "AA" else outcome):
                await unit.publish(_settled(work, told, outcome, unit.now))
            following = await self._lease(unit) if then_next else None
        log.info(
            "answer.sent",
            report_id=told.report_id,
            message_id=told.message_id,
            message_type=told.message_type,
            outcome=outcome,
            attempt=work.attempts,
        )
        return following

    async def _deliver(self, work: Work, told: Zam) -> tuple[str, bool]:
        """Return the outcome and whether to try again."""
        assert told.endpoint is not None
        try:
            answer = await self._source.deliver(told.endpoint, told.er7.encode(told.codec), told.control_id)
        except Unavailable as error:
            spent = work.attempts >= self._patience.max_attempts
            return (GIVEN_UP, False) if spent else (error.code, True)
        if answer.code in ("AA", "CA"):
            return "AA", False
        if answer.code in REFUSED_CODES:
            return "AE", False
        spent = work.attempts >= self._patience.max_attempts
        return ("AR", not spent) if not spent else (GIVEN_UP, False)

    def _wait(self, attempt: int) -> float:
        patience = self._patience
        return backoff_seconds(
            attempt, first=patience.first_seconds, cap=patience.cap_seconds, fraction=random.random()
        )


@dataclass(frozen=True, slots=True)
class WebhookPatience:
    """How long to try, in seconds."""

    lease_seconds: float
    first_seconds: float
    cap_seconds: float
    give_up_seconds: float


class WebhookCarrier:
    """Delivers news. One report's news reach an endpoint in order; one that does not answer rests and delays nobody."""

    def __init__(self, receiver: Receiver, registry: Registry, patience: WebhookPatience) -> None:
        self._receiver = receiver
        self._registry = registry
        self._patience = patience

    async def run(self, units: Units[IngestUnit], now: datetime) -> bool:
        """Deliver what is due, a handful at once. Return False when nothing is."""
        async with units() as unit:
            works = await unit.webhooks.lease_due(WEBHOOKS_AT_ONCE, self._patience.lease_seconds)
        if not works:
            return False
        ends = await asyncio.gather(*(self._deliver(work, now) for work in works))
        async with units() as unit:
            for work, (state, code, status) in zip(works, ends, strict=True):
                await self._settle(unit, work, state, code, status)
        return True

    async def _deliver(self, work: Work, now: datetime) -> tuple[str, str, int]:
        """Return the state, the reason and the HTTP status; the state `due` is tried again."""
        news = News.model_validate_json(work.payload)
        webhook = endpoint_of(self._registry.senders, news)
        if webhook is None:
            return "gone", "webhook.endpoint-removed", 0
        try:
            status = await self._receiver.deliver(webhook, work.id, news.body, now)
        except HubError as error:
            return "due", error.code, 0
        if 200 <= status < 300:
            return "delivered", "", status
        return ("gone", "webhook.gone", status) if status == GONE else ("due", "webhook.refused", status)

    async def _settle(self, unit: IngestUnit, work: Work, state: str, code: str, status: int) -> None:
        created: datetime = work.extra["created_at"]
        if state == "due" and unit.now - created >= timedelta(seconds=self._patience.give_up_seconds):
            state = "dead"
        again = state == "due"
        wait = backoff_seconds(
            work.attempts, first=self._patience.first_seconds, cap=self._patience.cap_seconds, fraction=random.random()
        )
        due_at = unit.now + timedelta(seconds=wait) if again else None
        extra = {"status": status}
        await unit.webhooks.settle(work, state, is_open=again, due_at=due_at, error_code=code, extra=extra)
        if due_at is not None and status == 0:  # it answers nobody: its other news must not take everybody's turns
            await unit.rest_webhook(work.extra["sender"], work.extra["endpoint"], due_at)
        write = log.info if state == "delivered" else log.warning
        write(
            "webhook.delivered" if state == "delivered" else "webhook.not-delivered",
            report_id=work.extra["report_id"],
            name=work.extra["endpoint"],
            kind=work.extra["kind"],
            state=state,
            code=code,
            status=status,
            attempt=work.attempts,
        )


def _settled(work: Work, told: Zam, outcome: str, at: datetime) -> AnswerSettled:
    return AnswerSettled(
        event_id=derived_id("event", work.id, "answer-settled"),
        occurred_at=at,
        report_id=ReportId(told.report_id),
        message_id=MessageId(told.message_id),
        control_id=told.request_control_id,
        message_type=told.message_type,
        outcome=outcome,
    )
