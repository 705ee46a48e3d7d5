"""The one door behind every transport: bytes in, answers out, and nothing answered AA before it is durable."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from zoneinfo import ZoneInfo

from sqlalchemy.exc import IntegrityError

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.contents import HL7_MEDIA_TYPE, ORDERS, content
from ingest_hl7.adapters.demands import Behind
from ingest_hl7.adapters.intake_notes import note
from ingest_hl7.adapters.journal import Journal, Written
from ingest_hl7.adapters.knowledge import Entry
from ingest_hl7.core import structuring
from ingest_hl7.core.answering import Answers, answers, batch_refusal, batch_too_large, not_now
from ingest_hl7.core.decision import Decision, Ordered, Quarantined, Refusal, Relayed, Silent, Structured
from ingest_hl7.core.intake import Arrival, Policy, arrive, decide
from ingest_hl7.core.order import Order, OrderState
from ingest_hl7.core.peer import NO_PEER, Peer
from ingest_hl7.core.senders import Mllp
from ingest_hl7.ports import IngestUnit
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import BlobRef
from labohub.errors import Unavailable
from labohub.runtime.clock import Clock
from labohub.runtime.courtesy import Courtesy
from labohub.runtime.logging import get_logger
from labohub.runtime.telemetry import current_traceparent, span
from labohub.standards import er7
from labohub.store.batching import Batcher
from labohub.store.blobs import Blobs
from labohub.store.unit import Units

log = get_logger(__name__)

IN_THREAD_BYTES = 64 * 1024  # about a millisecond of reading: more leaves the event loop
HASH_IN_THREAD_BYTES = 2 * 1024 * 1024  # about a millisecond of SHA-256
MAX_BATCH_MESSAGES = 64  # one commit: about 20 ms of work in the database
MAX_BATCH_BLOBS = 16  # messages whose files one thread writes in one go
MAX_DECISIONS = 5  # a report that moves on each time someone looks at it


@dataclass(frozen=True, slots=True)
class Doors:
    """What the intake stands on."""

    policy: Policy
    blobs: Blobs
    units: Units[IngestUnit]
    journal: Journal
    clock: Clock
    zone: ZoneInfo
    notice: Callable[[Arrival], None] = lambda _: None  # told of each message that is durable
    courtesy: Courtesy = field(default_factory=Courtesy)


@dataclass(frozen=True, slots=True)
class Taken:
    """What one frame got. Several messages when it was a batch."""

    answers: tuple[bytes, ...]  # in order, to be sent back
    codes: tuple[str, ...]  # MSA-1 of each message; "" for a message that is never answered
    warnings: tuple[str, ...]  # codes of what was tolerated
    is_durable: bool  # False: nothing was kept, the peer must send it again


@dataclass(frozen=True, slots=True)
class _One:
    answers: Answers
    warnings: tuple[str, ...] = ()
    is_durable: bool = True


Submit = Callable[[Entry], Awaitable[Written | Behind]]


class Intake:
    """Takes messages from any transport, many at a time."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._keeper: Batcher[list[tuple[bytes, str]], list[BlobRef]] = Batcher(self._put_all, MAX_BATCH_BLOBS)
        self._writer: Batcher[Entry, Written | Behind] = Batcher(self._write, MAX_BATCH_MESSAGES)

    async def close(self) -> None:
        """Return when all that was taken is written."""
        await self._keeper.close()
        await self._writer.close()

    def framing(self, peer: Peer) -> Mllp:
        """Return how a peer frames, by its certificate; nothing special for a peer that nobody named."""
        senders = self._doors.policy.registry.of_peer(peer)
        return senders[0].mllp if senders else Mllp()

    def ends_without_cr(self, head: bytes) -> bool:
        """Return whether the sender of a block, by its MSH, is known never to write the CR after FS."""
        sender = self._doors.policy.registry.find(er7.read_header(head))
        return sender is not None and bool(sender.mllp.end_without_cr)

    async def take(
        self, frame: bytes, transport: str, peer: Peer = NO_PEER, *, tolerated: tuple[str, ...] = ()
    ) -> Taken:
        """Return what goes back for one frame. Never raises for a message's sake.

        Args:
            peer: who sent it, as the transport knows.
            tolerated: codes of what the transport forgave; they are kept and counted with the message.
        """
        try:
            batch = await self._split(frame)
        except er7.BatchTooLarge:
            return _taken([await self._refuse_batch(frame, transport, peer, batch_too_large())])
        if batch is None:
            return _taken([await self._take_one(frame, transport, peer, tolerated)])
        if batch.miscounted:
            return _taken([await self._refuse_batch(frame, transport, peer, batch_refusal(batch.miscounted))])
        if not batch.has_header:
            tolerated = (*tolerated, "er7.batch-without-header")
        return _taken([await self._take_one(message, transport, peer, tolerated) for message in batch.messages])

    async def take_again(self, arrival: Arrival, submit: Submit) -> Decision | None:
        """Return what is decided, with all that is known now, of a message kept before; `submit` writes it.

        Nothing is written for a refusal. None: it was written by somebody else meanwhile. Raises: Unavailable.
        """
        decision, warnings = await self._decide(arrival)
        if isinstance(decision, Refusal | Quarantined | Silent):
            return decision
        written = await self._store(arrival, decision, (*arrival.tolerated, *warnings), submit)
        return written.decision

    async def _split(self, frame: bytes) -> er7.Batch | None:
        if len(frame) < IN_THREAD_BYTES:
            return er7.split_batch(frame)
        return await asyncio.to_thread(er7.split_batch, frame)

    async def _arrive(self, raw: bytes, peer: Peer, tolerated: tuple[str, ...]) -> Arrival:
        policy, now = self._doors.policy, self._doors.clock()
        if len(raw) < HASH_IN_THREAD_BYTES:
            return arrive(raw, policy, now, peer=peer, tolerated=tolerated)
        return await asyncio.to_thread(arrive, raw, policy, now, peer=peer, tolerated=tolerated)

    async def _take_one(self, raw: bytes, transport: str, peer: Peer, tolerated: tuple[str, ...]) -> _One:
        started = perf_counter()
        metrics.RECEIVED.labels(transport).inc()
        with metrics.IN_FLIGHT.track_inprogress(), self._doors.courtesy.asking(), span("ingest.message"):
            arrival = await self._arrive(raw, peer, tolerated)
            one = await self._answer(arrival)
        metrics.ANSWER_SECONDS.observe(perf_counter() - started)
        metrics.ANSWERED.labels(one.answers.code or "none").inc()
        return one

    async def _answer(self, arrival: Arrival) -> _One:
        message_id = arrival.receipt.message_id
        try:
            decision, read_warnings = await self._decide(arrival)
            warnings = (*arrival.tolerated, *read_warnings)
            if isinstance(decision, Silent):
                return _One(answers(arrival, decision, self._now()), warnings)
            written = await self._store(arrival, decision, warnings)
        except Unavailable as error:
            log.warning("message.not-now", message_id=message_id, code=error.code)
            return _One(not_now(arrival, self._now()), is_durable=False)
        except Exception as error:
            metrics.BUGS.inc()
            log.bug("message.failed", error, message_id=message_id)
            return _One(not_now(arrival, self._now()), is_durable=False)
        note(arrival, written, warnings)
        if not written.replayed:
            self._doors.notice(arrival)
        return _One(written.answers, warnings)

    async def _decide(self, arrival: Arrival) -> tuple[Decision, tuple[str, ...]]:
        if len(arrival.raw) < IN_THREAD_BYTES:
            return decide(arrival, self._doors.policy)
        return await asyncio.to_thread(decide, arrival, self._doors.policy)

    async def _store(
        self, arrival: Arrival, decision: Decision, tolerated: tuple[str, ...], submit: Submit | None = None
    ) -> Written:
        submit = submit or self._submit
        raw, contents = await self._keep(arrival, decision)
        entry = Entry(arrival, decision, raw, contents, warnings=tolerated, traceparent=current_traceparent())
        for _ in range(MAX_DECISIONS):
            result = await submit(entry)
            if isinstance(result, Written):
                await self._forget_unused(entry, result)
                return result
            entry = await self._again(entry, result)
        raise ReportContended("a report changed too often to be followed")

    async def _submit(self, entry: Entry) -> Written | Behind:
        try:
            return await self._writer.submit(entry)
        except IntegrityError:  # another process wrote the same message between our look and our commit
            return await self._writer.submit(entry)

    async def _keep(self, arrival: Arrival, decision: Decision) -> tuple[BlobRef, tuple[BlobRef, ...]]:
        """Return the references of the message and of its content, durable."""
        documents = [(arrival.raw, HL7_MEDIA_TYPE), *content(decision)]
        refs = await self._keeper.submit(documents)
        return refs[0], tuple(refs[1:])

    async def _put_all(self, groups: list[list[tuple[bytes, str]]]) -> list[list[BlobRef]]:
        refs = iter(await self._doors.blobs.put_many([document for group in groups for document in group]))
        return [[next(refs) for _ in group] for group in groups]

    async def _again(self, entry: Entry, missed: Behind) -> Entry:
        """Return the entry decided upon all that is known: the demand, the patient under his surviving identifiers."""
        decision = entry.decision
        assert isinstance(decision, Structured)
        known = missed.known
        decision = replace(decision, report=decision.report.model_copy(update={"report_id": missed.report.report_id}))
        person = structuring.patient_key(missed.report.patient, decision.report.sender.facility)
        decided = structuring.conclude(
            decision,
            structuring.Known(
                state=await self._state(known.results) if known else None,
                times=known.times if known else {},
                same_patient=known is None or person == known.patient_key,
                left=known.left if known else 0,
                digest=known.digest if known else "",
                orders=await self._orders(missed),
                former=tuple([await self._state(ref) for ref in missed.former]),
            ),
        )
        for ref in entry.contents:
            await self._doors.blobs.erase(ref)
        contents = tuple(await self._doors.blobs.put_many(content(decided))) if content(decided) else ()
        version = known.version if known else 0
        return replace(entry, decision=decided, contents=contents, base_version=version, informed=True)

    async def _state(self, ref: BlobRef) -> LaboratoryReport:
        return LaboratoryReport.model_validate_json(await self._doors.blobs.read(ref))

    async def _orders(self, missed: Behind) -> tuple[tuple[Order, bool], ...]:
        """Return the recorded orders, each with whether it is still expected."""
        messages = {each.content.id: each.content for each in missed.orders}
        content = {id_: ORDERS.validate_json(await self._doors.blobs.read(ref)) for id_, ref in messages.items()}
        return tuple(
            (content[each.content.id][each.position], each.state is OrderState.ORDERED) for each in missed.orders
        )

    async def _forget_unused(self, entry: Entry, written: Written) -> None:
        """Erase what was stored for a message that was here already, and content that is not sent."""
        unused = list(entry.contents) if not isinstance(written.decision, Relayed | Structured | Ordered) else []
        unused += [entry.raw] if written.replayed else [written.spare] if written.spare else []
        for ref in unused:
            await self._doors.blobs.erase(ref)

    async def _write(self, entries: list[Entry]) -> list[Written | Behind]:
        async with self._doors.units() as unit:
            return await self._doors.journal.write(unit, entries)

    async def _refuse_batch(self, frame: bytes, transport: str, peer: Peer, refusal: Refusal) -> _One:
        metrics.RECEIVED.labels(transport).inc()
        arrival = await self._arrive(frame, peer, ())
        try:
            written = await self._store(arrival, refusal, ())
        except Unavailable as error:
            log.warning("message.not-now", message_id=arrival.receipt.message_id, code=error.code)
            return _One(not_now(arrival, self._now()), is_durable=False)
        note(arrival, written, ())
        return _One(written.answers)

    def _now(self) -> datetime:
        return self._doors.clock().astimezone(self._doors.zone)


class ReportContended(Unavailable):
    """Several messages about one demand at once."""

    code = "ltw.report-contended"


def _taken(ones: list[_One]) -> Taken:
    return Taken(
        answers=tuple(frame for one in ones for frame in one.answers.frames),
        codes=tuple(one.answers.code for one in ones),
        warnings=tuple(code for one in ones for code in one.warnings),
        is_durable=all(one.is_durable for one in ones),
    )
