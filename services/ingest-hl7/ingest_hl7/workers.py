"""Carries ZAM to the source. One lane per endpoint: a source hears of its outcomes in order."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_hl7.core.returns import Zam
from ingest_hl7.ports import IngestUnit, Source
from labohub.contracts.codec import derived_id
from labohub.contracts.events import AnswerSettled
from labohub.contracts.values import MessageId, ReportId
from labohub.errors import Unavailable
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.store.unit import Units
from labohub.store.work import Work

log = get_logger(__name__)

GIVEN_UP = "answers.given-up"
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
