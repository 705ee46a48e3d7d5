"""Planned mails go to the operator: leased, written, handed over with no transaction open, settled in a second unit.

Just before the content leaves, the row is durably marked `transmitting`. A lease found again in that state means that
we stopped between the content and the answer: the operator may have the mail. It is never resent, it is *uncertain*,
until a delivery notice or a person tells. A lease found again before the mark is sent, with the same identifiers.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from labohub.contracts.events import MailAccepted, MailUncertain
from labohub.contracts.values import BlobRef
from labohub.errors import HubError, Refused, Unavailable
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.store.batching import Batcher
from labohub.store.blobs import Blobs
from labohub.store.work import Work
from mss_sender.core.effects import Fact, bounced, bounced_code, delivery_event
from mss_sender.core.laboratory import Laboratories
from mss_sender.core.values import PlannedMail
from mss_sender.ports import (
    LeaseLost,
    MailPostponed,
    MailRefused,
    MailUnknown,
    MssOperator,
    OperatorRejectsUs,
    Outgoing,
    Receipt,
    SendingUnit,
    Units,
)
from mss_sender.workers.composing import Composer

log = get_logger(__name__)

TRANSMITTING, UNCERTAIN = "transmitting", "uncertain"
GROUP = 64  # marks and settlements that one commit carries


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, and until when. Seconds."""

    lease: float
    retry_first: float
    retry_cap: float
    give_up_after: float
    halt: float
    outage_pause: float


Step = Callable[[SendingUnit], Awaitable[bool]]


class Sender:
    """The sending worker. `send_due` is what the runtime calls."""

    def __init__(
        self,
        *,
        units: Units,
        blobs: Blobs,
        operator: MssOperator,
        composer: Composer,
        laboratories: Laboratories,
        patience: Patience,
        batch_size: int,
        max_mail_bytes: int,
    ) -> None:
        self._units = units
        self._blobs = blobs
        self._operator = operator
        self._composer = composer
        self._laboratories = laboratories
        self._patience = patience
        self._batch_size = batch_size
        self._max_mail_bytes = max_mail_bytes
        self._steps: Batcher[tuple[str, Step], bool] = Batcher(self._commit, GROUP)
        self._paused: dict[str, datetime] = {}  # until when, by our mailbox: one refused stops only its own mails

    async def send_due(self, _units: Units, now: datetime) -> bool:
        """Send the mails that are due, a batch at a time. Return False when there are none, or none may go now."""
        if all(self._is_paused(each.bal_applicative, now) for each in self._laboratories.all):
            return False
        async with self._units() as unit:
            works = await unit.mails.queue.lease_due(self._batch_size, self._patience.lease)
        if not works:
            return False
        outcomes = await asyncio.gather(*(self._send(work, now) for work in works), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return True

    async def close(self) -> None:
        """Return when what was settled is written."""
        await self._steps.close()

    async def _send(self, work: Work, now: datetime) -> None:
        mail = PlannedMail.model_validate_json(work.payload)
        with span("mail.send", work.traceparent, mail_id=mail.mail_id):
            if work.retaken and work.state == TRANSMITTING:
                await self._uncertain(work, mail)
                return
            if self._is_paused(account := self._account(mail), now):
                await self._again(work, self._paused[account], work.error_code)
                return
            marked = False

            async def mark() -> None:
                nonlocal marked
                if not await self._write(work, self._marked(work)):
                    raise LeaseLost("another worker has this mail")
                marked = True

            try:
                evidence, receipt = await self._hand_over(mail, mark)
            except LeaseLost:
                return
            except MailUnknown:
                await self._uncertain(work, mail)
            except MailRefused as error:
                code = bounced_code(mail, error.answer.status)
                await self._bounce(work, mail, error.answer.smtp_code, error.answer.status, code)
            except OperatorRejectsUs as error:
                await self._halt(work, mail, now, error)
            except MailPostponed as error:
                await self._postpone(work, mail, now, error.smtp_code, error)
            except Unavailable as error:
                await self._postpone(work, mail, now, "451", error)
            except Refused as error:
                await self._bounce(work, mail, "523" if isinstance(error, MailTooBig) else "554", "", error.code)
            except Exception as error:
                log.bug("mail.failed", error, report_id=mail.source.report_id, mail_id=mail.mail_id)
                await (self._uncertain(work, mail) if marked else self._postpone(work, mail, now, "451", error))
            else:
                await self._accepted(work, mail, evidence, receipt)

    def _account(self, mail: PlannedMail) -> str:
        return self._laboratories.of(mail.source.report.sender).bal_applicative

    def _is_paused(self, account: str, now: datetime) -> bool:
        return account in self._paused and now < self._paused[account]

    async def _hand_over(self, mail: PlannedMail, mark: Callable[[], Awaitable[None]]) -> tuple[BlobRef, Receipt]:
        content = await self._composer.write(mail)
        if len(content) > self._max_mail_bytes:
            raise MailTooBig("above the size limit")
        evidence = await self._blobs.put(content, "message/rfc822")
        account = self._account(mail)
        outgoing = Outgoing(account, account, mail.to, mail.envelope_id, content)
        return evidence, await self._operator.submit(outgoing, mark)

    async def _accepted(self, work: Work, mail: PlannedMail, evidence: BlobRef, receipt: Receipt) -> None:
        async def step(unit: SendingUnit) -> bool:
            if not await unit.mails.queue.settle(work, "accepted"):
                return False
            event = delivery_event(
                MailAccepted, mail, "accepted", unit.now, confirmable=receipt.confirmable, evidence=evidence
            )
            return await unit.mails.record(mail.mail_id, Fact("accepted", event, "accepted"))

        if await self._write(work, step):
            log.info("mail.accepted", report_id=mail.source.report_id, mail_id=mail.mail_id, attempt=work.attempts)

    async def _uncertain(self, work: Work, mail: PlannedMail) -> None:
        async def step(unit: SendingUnit) -> bool:
            if not await unit.mails.queue.settle(work, UNCERTAIN, error_code=MailUnknown.code):
                return False
            event = delivery_event(MailUncertain, mail, "uncertain", unit.now)
            return await unit.mails.record(mail.mail_id, Fact("uncertain", event, UNCERTAIN))

        if await self._write(work, step):
            log.warning("mail.uncertain", report_id=mail.source.report_id, mail_id=mail.mail_id, retaken=work.retaken)

    async def _bounce(self, work: Work, mail: PlannedMail, smtp_code: str, status: str, code: str) -> None:
        async def step(unit: SendingUnit) -> bool:
            if not await unit.mails.queue.settle(work, "bounced", error_code=code):
                return False
            return await unit.mails.record(mail.mail_id, bounced(mail, unit.now, smtp_code, status, code))

        if await self._write(work, step):
            log.warning("mail.bounced", report_id=mail.source.report_id, mail_id=mail.mail_id, code=code)

    async def _postpone(self, work: Work, mail: PlannedMail, now: datetime, smtp_code: str, error: Exception) -> None:
        """Try later; give up when the mail is too old: a report that comes days late helps nobody unseen."""
        patience = self._patience
        code = error.code if isinstance(error, HubError) else "bug"
        if now - mail.planned_at > timedelta(seconds=patience.give_up_after):
            await self._bounce(work, mail, smtp_code, "", "mss.gave-up")
            return
        wait = backoff_seconds(
            work.attempts, first=patience.retry_first, cap=patience.retry_cap, fraction=random.random()
        )
        if isinstance(error, MailPostponed) and smtp_code in ("101", "111"):
            until = now + timedelta(seconds=patience.outage_pause)
            self._paused.update({each.bal_applicative: until for each in self._laboratories.all})  # one operator
        await self._again(work, now + timedelta(seconds=wait), code)
        log.info("mail.postponed", report_id=mail.source.report_id, mail_id=mail.mail_id, code=code)

    async def _halt(self, work: Work, mail: PlannedMail, now: datetime, error: OperatorRejectsUs) -> None:
        """Stop sending from this mailbox for a while: it is about us. The mail keeps its place, however long."""
        until = self._paused[self._account(mail)] = now + timedelta(seconds=self._patience.halt)
        await self._again(work, until, error.code)
        log.error("mail.halted", report_id=mail.source.report_id, mail_id=mail.mail_id, code=error.code)

    async def _again(self, work: Work, due_at: datetime, code: str) -> None:
        await self._write(
            work, lambda unit: unit.mails.queue.settle(work, "due", is_open=True, due_at=due_at, error_code=code)
        )

    def _marked(self, work: Work) -> Step:
        async def step(unit: SendingUnit) -> bool:
            if not await unit.mails.queue.mark(work, TRANSMITTING):
                return False
            until = unit.now + timedelta(seconds=self._patience.lease)  # a full lease for the content itself
            return await unit.mails.queue.change(work.id, leased_until=until)

        return step

    async def _write(self, work: Work, step: Step) -> bool:
        """Return what a step returned, once committed together with those of other mails."""
        return await self._steps.submit((work.traceparent, step))

    async def _commit(self, steps: list[tuple[str, Step]]) -> list[bool]:
        async with self._units() as unit:
            outcomes = []
            for traceparent, step in steps:
                with span("mail.settle", traceparent):
                    outcomes.append(await step(unit))
            return outcomes


class MailTooBig(Refused):
    """The mail is above the size limit of the settings: another channel is needed."""

    code = "mss.too-big"
