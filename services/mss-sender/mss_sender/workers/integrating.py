"""Documents that came by mail go to the software that integrates them; their sender is told what became of them.

One MDM per document, one notice per mail, after the last acknowledgement. What was acknowledged is written before the
next document leaves: a retry repeats nothing but what was not answered, under the same MSH-10.
"""

import asyncio
import random
from datetime import datetime, timedelta
from typing import Literal

from labohub.contracts.codec import derived_id
from labohub.errors import HubError, Refused, Unavailable
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.telemetry import span
from labohub.standards.hl7.mdm import IncomingMail, LpsAnswer, write_mdm
from labohub.standards.hl7.tables import APPLICATION_ERROR
from labohub.standards.hl7.zam import Parties
from labohub.standards.mail import AddressMalformed, normal_address
from labohub.standards.mail_reading import parse_mail
from labohub.standards.mdn_writing import Notice, write_error_mail, write_mdn
from labohub.store.blobs import Blobs
from labohub.store.work import Work
from mss_sender.core.access import Lps
from mss_sender.core.incoming import OTHER, IncomingDocument, Letter, NotIntegrated, read_documents, read_letter
from mss_sender.core.laboratory import Laboratories, Laboratory
from mss_sender.core.texts import notice_body
from mss_sender.core.values import Integrated, Integration
from mss_sender.ports import LpsDoor, LpsUnreachable, MssOperator, Outgoing, Units
from mss_sender.workers.sending import Patience
from mss_sender.workers.sorting import SORTED, TRIAGE

log = get_logger(__name__)

Profile = Literal["1.1.2", "1.1.3"]


class Integrator:
    """The worker of incoming documents."""

    def __init__(
        self,
        *,
        units: Units,
        blobs: Blobs,
        operator: MssOperator,
        lps: LpsDoor,
        laboratories: Laboratories,
        patience: Patience,
        production: bool,
        profile: Profile,
    ) -> None:
        self._units = units
        self._blobs = blobs
        self._operator = operator
        self._lps = lps
        self._laboratories = laboratories
        self._patience = patience
        self._production = production
        self._profile: Profile = profile

    async def integrate_due(self, _units: Units, now: datetime) -> bool:
        """Bring one mail's documents further. Return False when none is due."""
        async with self._units() as unit:
            works = await unit.integrations.lease_due(1, self._patience.lease)
        for work in works:
            with span("document.integrate", work.traceparent):
                await self._integrate(work, now)
        return bool(works)

    async def _integrate(self, work: Work, now: datetime) -> None:
        value = Integration.model_validate_json(work.payload)
        laboratory = self._laboratories.of_box(value.account)
        try:
            raw = await self._blobs.read(value.raw)
            letter = await asyncio.to_thread(lambda: read_letter(parse_mail(raw)))
            if not value.is_read:
                value = await self._documents(work, value, letter, raw, now)
            await self._answer(value, laboratory, letter, raw)
        except Unavailable as error:
            await self._again(work, now, error.code)
        except Refused as error:  # the notice cannot go: a person tells the sender
            await self._done(work, value, error.code)
        except HubError as error:
            await self._again(work, now, error.code)
        else:
            await self._done(work, value)

    async def _documents(
        self, work: Work, value: Integration, letter: Letter, raw: bytes, now: datetime
    ) -> Integration:
        """Return the mail with the outcome of each of its documents."""
        try:
            documents = await asyncio.to_thread(lambda: read_documents(parse_mail(raw), production=self._production))
        except NotIntegrated as error:
            refused = Integrated(document_id="", error_code=error.error, error_label=error.label, detail=error.detail)
            return await self._keep(work, value.model_copy(update={"outcomes": (refused,), "is_read": True}))
        for document in documents[len(value.outcomes) :]:
            outcome = await self._deliver(value, document, letter, now)
            outcomes = (*value.outcomes, outcome)
            is_read = len(outcomes) == len(documents)
            value = await self._keep(work, value.model_copy(update={"outcomes": outcomes, "is_read": is_read}))
        return value

    async def _deliver(
        self, value: Integration, document: IncomingDocument, letter: Letter, now: datetime
    ) -> Integrated:
        lps = self._laboratories.of_box(value.account).lps
        if lps is None:
            raise LpsUnreachable("no software is configured for this mailbox")
        number = document.header.id.oid
        control_id = derived_id("mdm", value.integration_id, number).replace("-", "")[:20]
        mail = IncomingMail(
            message_id=letter.message_id,
            subject=letter.subject,
            text=letter.text,
            sender=letter.sender,
            recipient=value.account,
            received_at=value.received_at,
        )
        mdm = await asyncio.to_thread(
            lambda: write_mdm(
                document.content,
                document.header,
                document.action.value,
                document.flags,
                mail,
                parties=_parties(lps),
                control_id=control_id,
                processing_id="P" if self._production else "T",
                at=now,
            )
        )
        answer = await self._lps.deliver(lps, mdm, control_id)
        log.info("document.acknowledged", control_id=control_id, code=answer.code)
        return _outcome(number, answer)

    async def _answer(self, value: Integration, laboratory: Laboratory, letter: Letter, raw: bytes) -> None:
        """Tell the sender, once, as he asked: by an MDN; without one, a failure by the error mail."""
        failed = any(each.error_code for each in value.outcomes)
        to = letter.asks_notice_at or (letter.sender if failed else "")
        if not to or not letter.may_be_answered or self._laboratories.own(to) or not laboratory.allows(to):
            return
        try:
            notice = _notice(value, laboratory, letter, raw, normal_address(to))
        except AddressMalformed:
            return
        content = (
            write_mdn(notice, in_disposition=self._profile == "1.1.2")
            if letter.asks_notice_at
            else write_error_mail(notice)
        )
        await self._operator.submit(
            Outgoing(laboratory.bal_applicative, "", notice.to, value.integration_id, content), _nothing
        )
        log.info("document.answered", count=len(value.outcomes), code=notice.error_code)

    async def _keep(self, work: Work, value: Integration) -> Integration:
        async with self._units() as unit:
            until = unit.now + timedelta(seconds=self._patience.lease)
            await unit.integrations.change(work.id, payload=value.model_dump_json(), leased_until=until)
        return value

    async def _done(self, work: Work, value: Integration, code: str = "") -> None:
        failed = next((each for each in value.outcomes if each.error_code), None)
        code = code or (failed.detail or failed.error_code if failed else "")
        async with self._units() as unit:
            if await unit.integrations.settle(work, "refused" if failed else "integrated", error_code=code):
                await unit.returns.queue.change(value.return_id, state=TRIAGE if code else SORTED)
        log.info("document.settled", state="refused" if failed else "integrated", code=code)

    async def _again(self, work: Work, now: datetime, code: str) -> None:
        """Try later; give up when it is too old: a person decides, and the sender is told that no machine did."""
        patience = self._patience
        wait = backoff_seconds(
            work.attempts, first=patience.retry_first, cap=patience.retry_cap, fraction=random.random()
        )
        async with self._units() as unit:
            kept = await unit.integrations.find(work.id)
        value = Integration.model_validate_json(kept.payload if kept else work.payload)
        payload = None
        if now - value.received_at > timedelta(seconds=patience.give_up_after):
            if value.is_read:
                await self._done(work, value, code)
                return
            gave_up = Integrated(
                document_id="", error_code=OTHER, error_label=APPLICATION_ERROR[OTHER], detail="mss.gave-up"
            )
            payload = value.model_copy(
                update={"outcomes": (*value.outcomes, gave_up), "is_read": True}
            ).model_dump_json()
            wait = 0
        async with self._units() as unit:
            due_at = now + timedelta(seconds=wait)
            await unit.integrations.settle(work, "due", is_open=True, due_at=due_at, error_code=code, payload=payload)
        log.warning("document.postponed", code=code, attempt=work.attempts)


def _outcome(number: str, answer: LpsAnswer) -> Integrated:
    if answer.code in ("AA", "CA"):
        return Integrated(document_id=number)
    code = answer.error_code if answer.error_code in APPLICATION_ERROR else OTHER
    return Integrated(
        document_id=number,
        error_code=code,
        error_label=APPLICATION_ERROR[code],
        detail=f"mss.lps-{answer.code.lower()}",
    )


def _parties(lps: Lps) -> Parties:
    return Parties(lps.our_application, lps.our_facility, lps.application, lps.facility)


def _notice(value: Integration, laboratory: Laboratory, letter: Letter, raw: bytes, to: str) -> Notice:
    failures = [each for each in value.outcomes if each.error_code]
    first = failures[0] if failures else Integrated(document_id="")
    return Notice(
        sender_name=laboratory.name,
        sender=laboratory.bal_applicative,
        to=to,
        message_id=f"<{derived_id('notice', value.integration_id)}@{laboratory.domain}>",
        sent_at=value.received_at,
        product_reference=laboratory.product_reference,
        original_id=letter.message_id,
        original_subject=letter.subject,
        original=raw,
        text=notice_body([(each.error_code, each.error_label) for each in failures], laboratory),
        error_code=first.error_code,
        error_label=first.error_label,
    )


async def _nothing() -> None:
    return None
