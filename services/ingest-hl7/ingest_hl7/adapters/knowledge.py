"""What one transaction must know before it writes a batch of messages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, select, text

from ingest_hl7.adapters import tables
from ingest_hl7.core.answering import Answers
from ingest_hl7.core.decision import Decision, Ordered, Relayed, Structured
from ingest_hl7.core.intake import Arrival
from ingest_hl7.core.order import OrderState
from ingest_hl7.core.settlement import Outcome
from ingest_hl7.ports import IngestUnit
from labohub.contracts.values import BlobRef
from labohub.store.sql import among

REFUSED = "refused"  # a corrected message may come back under the same number
REFUSED_BY_PERSON = "hl7.sender-refused"  # an operator's word about a sender nobody named: it stands
FRAME_END = b"\x1c"
_MESSAGES = select(
    tables.messages.c.message_id,
    tables.messages.c.natural_key,
    tables.messages.c.state,
    tables.messages.c.reason,
    tables.messages.c.answer_code,
    tables.messages.c.answers,
).where(among(tables.messages.c.natural_key, "keys"))


@dataclass(frozen=True, slots=True)
class KnownReport:
    """What is known of a demand."""

    version: int  # of what is known, not of what left
    patient_key: str
    results: BlobRef
    times: Mapping[str, str]  # battery to MSH-7 of its last change
    left: int  # reports that left
    digest: str  # of the last that left


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """An order in the store. `content` holds all orders of its message."""

    order_key: str
    group_key: str
    state: OrderState
    person: str
    content: BlobRef
    position: int


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A relayed document that was accepted, and the other format that came with it ("" for none)."""

    report_id: str
    sha256: str
    companion_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One message to write, with the blobs that already hold its content."""

    arrival: Arrival
    decision: Decision
    raw: BlobRef
    contents: tuple[BlobRef, ...] = ()  # the CDA, one or two; or the results
    base_version: int = 0  # of the demand that `decision` was made upon; 0: none
    informed: bool = False  # `decision` was made upon the orders and former demands that are known
    warnings: tuple[str, ...] = ()
    traceparent: str = ""


@dataclass(slots=True)
class Batch:
    """What one transaction knows and is about to write."""

    seen: dict[str, Answers] = field(default_factory=dict)  # message_id to its answers
    keys: set[str] = field(default_factory=set)  # natural keys
    reconsidered: set[str] = field(default_factory=set)  # messages refused that may pass now
    documents: dict[str, KnownDocument] = field(default_factory=dict)  # by identifier
    sent: set[tuple[str, str, str]] = field(default_factory=set)  # document, request, target: it arrived
    superseded: set[str] = field(default_factory=set)
    reports: dict[str, KnownReport] = field(default_factory=dict)
    fillers: dict[str, str] = field(default_factory=dict)  # filler number to the demand it is known in
    orders: dict[str, RecordedOrder] = field(default_factory=dict)  # by key
    resulted: set[str] = field(default_factory=set)  # orders that just got results
    former: dict[str, dict[str, BlobRef]] = field(default_factory=dict)  # patient to his demands, the latest first
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, table: str, *rows: dict[str, Any]) -> None:
        """Keep rows to be written at the end."""
        self.rows.setdefault(table, []).extend(rows)


async def load(unit: IngestUnit, entries: Sequence[Entry]) -> Batch:
    """Return what is stored about these entries: same numbers, documents, former sendings."""
    batch = Batch()
    await _take_turns(unit, entries)
    await _load_messages(unit, batch, entries)
    relayed = [entry.decision for entry in entries if isinstance(entry.decision, Relayed)]
    if relayed:
        await _load_documents(unit, batch, relayed)
    return batch


async def _load_messages(unit: IngestUnit, batch: Batch, entries: Sequence[Entry]) -> None:
    keys = {entry.arrival.receipt.key for entry in entries}
    for message_id, key, state, reason, code, frames in await unit.connection.execute(_MESSAGES, {"keys": list(keys)}):
        batch.seen[message_id] = Answers(code, unpack_frames(frames))
        if state != REFUSED:
            batch.keys.add(key)
        elif reason != REFUSED_BY_PERSON:
            batch.reconsidered.add(message_id)


async def _load_documents(unit: IngestUnit, batch: Batch, relayed: Iterable[Relayed]) -> None:
    ids = _ids(relayed)
    table, sendings = tables.documents, tables.sendings
    for row in await unit.connection.execute(select(table).where(table.c.document_id.in_(ids))):
        batch.documents[row.document_id] = KnownDocument(row.report_id, row.sha256, row.companion_id)
    outcomes = tables.outcomes
    same = and_(outcomes.c.message_id == sendings.c.message_id, outcomes.c.target == sendings.c.target)
    arrived = select(sendings).join(outcomes, same).where(outcomes.c.outcome == str(Outcome.DELIVERED))
    for row in await unit.connection.execute(arrived.where(sendings.c.document_id.in_(ids))):
        batch.sent.add((row.document_id, row.request, row.target))
    ended = tables.superseded.c.document_id
    batch.superseded |= set((await unit.connection.execute(select(ended).where(ended.in_(ids)))).scalars())


def _ids(relayed: Iterable[Relayed]) -> set[str]:
    return {each for decision in relayed for one in decision.documents for each in (one.document_id, one.target_id)}


async def _take_turns(unit: IngestUnit, entries: Sequence[Entry]) -> None:
    """Wait for other processes that write about the same numbers, documents or demands; held until the unit ends.

    What is not stored yet has no row to lock, hence PostgreSQL's advisory locks. SQLite has one writer.
    """
    if unit.connection.dialect.name != "postgresql":
        return
    names = {entry.arrival.receipt.key for entry in entries}
    for entry in entries:
        if isinstance(entry.decision, Relayed):
            names |= _ids([entry.decision])
        elif isinstance(entry.decision, Structured):
            names.add(str(entry.decision.report.report_id))
        elif isinstance(entry.decision, Ordered):
            names |= {f"order\x1f{each.key}" for each in entry.decision.orders}
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    await unit.connection.execute(lock, [{"name": name} for name in sorted(names)])  # one order: no deadlock


def pack_frames(frames: tuple[bytes, ...]) -> bytes:
    """Return the answers in one column, each ended by FS."""
    return b"".join(frame + FRAME_END for frame in frames)


def unpack_frames(packed: bytes) -> tuple[bytes, ...]:
    """Return the answers of the column."""
    return tuple(packed.split(FRAME_END)[:-1])
