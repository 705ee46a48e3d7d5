"""People's answers reach the organisational mailbox: a new mail of ours with the answer attached as it came.

Never redirected under the person's own address: the operator refuses a sender that is not ours. The Reply-To is the
person's, so that the laboratory answers to whom wrote. Doing it twice is harmless and has the same Message-ID.
"""

import random
from datetime import datetime, timedelta

from labohub.errors import HubError, Refused
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.standards.mail import AddressMalformed, MailHeaders, compose, encode_original, normal_address
from labohub.store.blobs import Blobs
from labohub.store.work import Work
from mss_sender.core.laboratory import Laboratories, Laboratory
from mss_sender.core.sorting import LOOP_HEADER
from mss_sender.core.texts import handover_body
from mss_sender.core.values import HandOver
from mss_sender.ports import MssOperator, Outgoing, Units
from mss_sender.workers.sending import Patience
from mss_sender.workers.sorting import TRIAGE, reply_received

log = get_logger(__name__)


class HandOvers:
    """The worker that forwards answers."""

    def __init__(
        self, units: Units, blobs: Blobs, operator: MssOperator, laboratories: Laboratories, patience: Patience
    ) -> None:
        self._units = units
        self._blobs = blobs
        self._operator = operator
        self._laboratories = laboratories
        self._patience = patience

    async def hand_over_due(self, _units: Units, now: datetime) -> bool:
        """Forward one answer. Return False when none is due."""
        async with self._units() as unit:
            works = await unit.handovers.queue.lease_due(1, self._patience.lease)
        for work in works:
            with span("return.hand-over", work.traceparent):
                await self._hand_over(work, now)
        return bool(works)

    async def _hand_over(self, work: Work, now: datetime) -> None:
        value = HandOver.model_validate_json(work.payload)
        try:
            laboratory = self._laboratories.of_box(value.account)
            content = forwarded(value, await self._blobs.read(value.raw), laboratory)
            account = laboratory.bal_applicative
            outgoing = Outgoing(account, account, value.target, value.handover_id, content)
            await self._operator.submit(outgoing, _nothing)
        except Refused as error:  # a person must look: the answer stays in the worklist, with its bytes
            await self._give_up(work, value, error.code)
        except HubError as error:
            await self._again(work, now, error.code)
        else:
            await self._done(work, value)

    async def _done(self, work: Work, value: HandOver) -> None:
        async with self._units() as unit:
            if await unit.handovers.queue.settle(work, "handed-over") and value.mail is not None:
                await unit.mails.record(value.mail.mail_id, reply_received(value, value.mail, unit.now))
        log.info("reply.handed-over", report_id=value.mail.source.report_id if value.mail else "")

    async def _again(self, work: Work, now: datetime, code: str) -> None:
        patience = self._patience
        wait = backoff_seconds(
            work.attempts, first=patience.retry_first, cap=patience.retry_cap, fraction=random.random()
        )
        async with self._units() as unit:
            await unit.handovers.queue.settle(
                work, "due", is_open=True, due_at=now + timedelta(seconds=wait), error_code=code
            )
        log.warning("reply.postponed", code=code, attempt=work.attempts)

    async def _give_up(self, work: Work, value: HandOver, code: str) -> None:
        async with self._units() as unit:
            if await unit.handovers.queue.settle(work, TRIAGE, error_code=code):
                await unit.returns.queue.change(value.return_id, state=TRIAGE, error_code=code)
        log.error("reply.not-handed-over", code=code)


def forwarded(value: HandOver, raw: bytes, laboratory: Laboratory) -> bytes:
    """Return the mail that brings an answer to the organisational mailbox."""
    try:
        reply_to = normal_address(value.sender)
    except AddressMalformed:
        reply_to = ""
    headers = MailHeaders(
        sender_name=laboratory.name,
        sender_address=laboratory.bal_applicative,
        to=value.target,
        reply_to=reply_to,
        subject="Réponse reçue par le laboratoire",
        sent_at=value.received_at,
        message_id=f"<{value.handover_id}@{laboratory.domain}>",
        product_reference=laboratory.product_reference,
        automatic=True,
        extra=((LOOP_HEADER, value.handover_id),),
    )
    return compose(headers, handover_body(reply_to or "un correspondant"), [encode_original(raw)])


async def _nothing() -> None:
    return None
