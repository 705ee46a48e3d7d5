"""What came back is understood and acted on: raw mails kept by the collector become facts, hand-overs or triage."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from labohub.contracts.codec import derived_id
from labohub.contracts.events import ReplyReceived
from labohub.errors import Refused, Unavailable
from labohub.runtime.logging import get_logger
from labohub.runtime.telemetry import span
from labohub.standards.mail_reading import parse_mail
from labohub.store.blobs import Blobs
from labohub.store.work import NewWork, Work
from mss_sender.core.effects import Fact, delivery_event, facts_of
from mss_sender.core.laboratory import Laboratories
from mss_sender.core.sorting import Kind, Sorted, sort
from mss_sender.core.values import HandOver, Integration, PlannedMail, Return, integration_id
from mss_sender.ports import SendingUnit, Units
from mss_sender.workers.sending import TRANSMITTING, UNCERTAIN

log = get_logger(__name__)

TRIAGE = "triage"  # waits for a person, in the worklist
SORTED = "sorted"
INTEGRATING = "integrating"  # its documents are on their way to the software
STALE_DELIVERY = frozenset(("delivered", "relayed", "expanded"))
REPORTS = frozenset((Kind.DSN, Kind.MDN, Kind.INTEGRATION_ERROR, Kind.BOUNCE))
FOR_PEOPLE = frozenset((Kind.UNREADABLE, Kind.OUTSIDE, Kind.XDM, Kind.UNCLEAR, Kind.CIRCULAR))
LOOP_WINDOW = timedelta(hours=1)
PATIENCE_SECONDS = 1.0  # a notice that overtakes our own settlement waits for it


class Sorter:
    """The sorting worker."""

    def __init__(
        self,
        units: Units,
        blobs: Blobs,
        laboratories: Laboratories,
        *,
        batch_size: int,
        lease_seconds: float,
        hourly_limit: int,
    ) -> None:
        """`hourly_limit`: mails of one correspondent that are sent on in an hour; more is a loop, for a person."""
        self._units = units
        self._blobs = blobs
        self._laboratories = laboratories
        self._hourly_limit = hourly_limit
        self._batch_size = batch_size
        self._lease_seconds = lease_seconds

    async def sort_due(self, _units: Units, _now: datetime) -> bool:
        """Sort the returns that are due. Return False when there are none."""
        async with self._units() as unit:
            works = await unit.returns.queue.lease_due(self._batch_size, self._lease_seconds)
        if not works:
            return False
        understood = await asyncio.gather(*(self._understand(work) for work in works))
        async with self._units() as unit:
            for work, found in zip(works, understood, strict=True):
                with span("return.sort", work.traceparent):
                    await self._act(unit, work, found)
        return True

    async def _understand(self, work: Work) -> Sorted | None:
        """Return what a return is; None when its bytes cannot be read now."""
        kept = Return.model_validate_json(work.payload)
        try:
            raw = await self._blobs.read(kept.raw)
            if kept.truncated:
                return Sorted(Kind.UNREADABLE, "")
            return await asyncio.to_thread(lambda: sort(parse_mail(raw), self._laboratories))
        except Unavailable:
            return None
        except Refused:
            return Sorted(Kind.UNREADABLE, "")
        except Exception as error:  # a stranger's mail that breaks the reader: a person looks at it
            log.bug("return.unreadable", error)
            return Sorted(Kind.UNREADABLE, "")

    async def _act(self, unit: SendingUnit, work: Work, found: Sorted | None) -> None:
        kept = Return.model_validate_json(work.payload)
        if found is None:
            await self._later(unit, work)
            return
        ours = await unit.mails.find_by(found.envelope_id, found.message_ids)
        if ours is not None and ours.state == TRANSMITTING and ours.is_open and found.kind in REPORTS:
            await self._later(unit, work)  # our own settlement is on its way, or the lease will end: uncertain
            return
        mail = PlannedMail.model_validate_json(ours.payload) if ours else None
        if mail is not None and found.document_ids and found.document_ids <= _sent(mail):
            found = replace(found, kind=Kind.REPLY)  # an answer that brings our own archive back: no new document
        state = await self._apply(unit, kept, found, ours, mail)
        report_id = mail.source.report_id if mail else ""
        changes = {
            "kind": found.kind.value,
            "mail_id": mail.mail_id if mail else "",
            "report_id": report_id,
            "sent_to": self._people(kept, mail) if found.kind.is_human else "",
        }
        payload = kept.model_copy(update=changes).model_dump_json()
        await unit.returns.queue.settle(work, state, payload=payload, error_code=found.kind.value)
        log.info("return.sorted", kind=found.kind.value, state=state, report_id=report_id)

    async def _apply(
        self, unit: SendingUnit, kept: Return, found: Sorted, ours: Work | None, mail: PlannedMail | None
    ) -> str:
        """Return the state of the return, after its effects."""
        if found.kind in REPORTS:
            if ours is None or mail is None:
                return await _about_handover(unit, found)
            return await _record(unit, ours, mail, facts_of(found, mail, unit.now))
        if found.kind.is_human:
            return await self._answered(unit, kept, found, mail)
        if not self._laboratories.sends_from(kept.account):  # people read this mailbox themselves
            return SORTED
        if found.kind is Kind.XDM and self._laboratories.of_box(kept.account).lps is not None:
            return await _integrate(unit, kept, found.sender)
        return TRIAGE if found.kind in FOR_PEOPLE else SORTED

    async def _answered(self, unit: SendingUnit, kept: Return, found: Sorted, mail: PlannedMail | None) -> str:
        """Bring what a person wrote to people, once; it stays in the worklist until one of them has closed it."""
        target = self._people(kept, mail)
        value = HandOver(
            handover_id=derived_id("handover", target.lower(), kept.content_key or kept.return_id),
            return_id=kept.return_id,
            raw=kept.raw,
            account=self._laboratories.of_box(kept.account).bal_applicative,
            target=target,
            sender=found.sender,
            received_at=kept.fetched_at,
            mail=mail,
        )
        if not self._laboratories.sends_from(kept.account):  # it lies where people read
            if mail is not None:
                await unit.mails.record(mail.mail_id, reply_received(value, mail, unit.now))
            return TRIAGE if mail is not None else SORTED
        if await unit.handovers.count_since(found.sender, unit.now - LOOP_WINDOW) >= self._hourly_limit:
            log.warning("reply.too-many", report_id=mail.source.report_id if mail else "")
            return TRIAGE
        await unit.handovers.add(value)
        return TRIAGE

    def _people(self, kept: Return, mail: PlannedMail | None) -> str:
        """Return the mailbox of ours where people read an answer: that of the site that sent the report."""
        if not self._laboratories.sends_from(kept.account):
            return kept.account
        laboratory = self._laboratories.of_box(kept.account)
        if mail is None:
            return laboratory.answers_box(None)
        sender = mail.source.report.sender
        return self._laboratories.of(sender).answers_box(sender)

    async def _later(self, unit: SendingUnit, work: Work) -> None:
        due_at = unit.now + timedelta(seconds=PATIENCE_SECONDS)
        await unit.returns.queue.settle(work, "due", is_open=True, due_at=due_at)


async def _record(unit: SendingUnit, ours: Work, mail: PlannedMail, facts: list[Fact]) -> str:
    """Keep what a report says of a mail; return TRIAGE when a person should see that it contradicts what was known."""
    known = await unit.mails.known(mail.mail_id)
    contradicts = not facts
    for fact in facts:
        if fact.name == "failed" and known & STALE_DELIVERY:
            contradicts = True  # failed after delivered: the source was told "delivered" once, a person tells it now
            continue
        if fact.name in STALE_DELIVERY and "failed" in known:
            contradicts = True
            continue
        if not await unit.mails.record(mail.mail_id, fact):
            continue
        if fact.state and (ours.state == UNCERTAIN or fact.state == "bounced"):
            await unit.mails.queue.change(mail.mail_id, state="accepted" if fact.state != "bounced" else "bounced")
        log.info("mail.told", mail_id=mail.mail_id, report_id=mail.source.report_id, outcome=fact.name)
    return TRIAGE if contradicts else SORTED


async def _about_handover(unit: SendingUnit, found: Sorted) -> str:
    """Return the state of a report on an answer that we sent on: one that did not reach people is for a person."""
    clues = (found.envelope_id, *(each.strip("<>").partition("@")[0] for each in found.message_ids))
    for clue in clues:
        if not clue or await unit.handovers.queue.find(clue) is None:
            continue
        failed = found.dsn is None or any(block.action == "failed" for block in found.dsn.recipients)
        if found.kind is Kind.MDN or not failed:
            return SORTED
        await unit.handovers.queue.change(clue, state="bounced", error_code="mss.bounced")
        log.error("reply.bounced")
    return TRIAGE


def _sent(mail: PlannedMail) -> frozenset[str]:
    return frozenset(built.facts.unique_id for built in mail.source.documents)


async def _integrate(unit: SendingUnit, kept: Return, sender: str) -> str:
    """Hand a mail with documents to the integrator. Return the state of the return.

    What one sender writes goes in order: a replacement never overtakes its original.
    """
    value = Integration(
        integration_id=integration_id(kept.return_id),
        return_id=kept.return_id,
        raw=kept.raw,
        account=kept.account,
        received_at=kept.fetched_at,
    )
    lane = derived_id("integration-lane", kept.account.lower(), sender.strip().lower())
    await unit.integrations.add(NewWork(value.integration_id, lane, value.model_dump_json()))
    return INTEGRATING


def reply_received(value: HandOver, mail: PlannedMail, at: datetime) -> Fact:
    """Return the fact that a person answered a mail."""
    name = f"answered-{value.handover_id}"
    return Fact(name, delivery_event(ReplyReceived, mail, name, at, evidence=value.raw))
