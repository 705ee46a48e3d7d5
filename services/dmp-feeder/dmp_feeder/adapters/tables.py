"""State of dmp-feeder: filings as leasable work, who waits for them, and what was put on the wire."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dmp_feeder.core.filing import (
    ACCEPTED,
    DELETE,
    DELETED,
    DUE,
    REFUSED,
    REPLACED,
    Asker,
    FiledDocument,
    Filing,
)
from dmp_feeder.ports import KeptLot
from labohub.contracts.values import BlobRef, MessageId, ReportId
from labohub.store.sql import insert_ignore
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit
from labohub.store.work import NewWork, Work, WorkQueue, work_table

metadata = MetaData()
filings = work_table("filings", metadata, Column("operation", String, nullable=False))
fed = Table(  # the documents of the feedings, each with what became of it in the DMP
    "fed_documents",
    metadata,
    Column("filing_id", String, primary_key=True),
    Column("document_id", String, primary_key=True),
    Column("rank", Integer, nullable=False),  # in its lot: the first, or its other format
    Column("set_id", String, nullable=False),
    Column("lane", String, nullable=False),
    Column("state", String, nullable=False),
    Index("fed_documents_document", "document_id"),
    Index("fed_documents_set", "set_id"),
    Index("fed_documents_lane", "lane"),
)
ended = Table(  # documents that a filing replaces or deletes: they are not fed any more
    "ended_documents",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("filing_id", String, nullable=False),
)
askers = Table(
    "askers",
    metadata,
    Column("filing_id", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
)
lots = Table(
    "lots",
    metadata,
    Column("filing_id", String, primary_key=True),
    Column("evidence", Text, nullable=False),  # BlobRef: the last request, without the document
    Column("replaced", Text, nullable=False),  # JSON: replaced document by the one that comes
)
oppositions = Table(
    "oppositions",  # messages whose patient opposes the feeding; the document may still have to come
    metadata,
    Column("message_id", String, primary_key=True),
    Column("cause", String, nullable=False),  # the message or event that said so
    Column("since", UtcDateTime, nullable=False),
)


class Filings(WorkQueue):
    """The filings of one unit."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(filings, unit)
        self._connection = unit.connection

    async def plan(self, row: NewWork, filing: Filing) -> None:
        """Add a filing with its documents; one that is known is left as it is."""
        await self.add(row)
        ids = [each.document_id for each in filing.documents]
        if filing.operation == DELETE:
            ends = ids
        else:
            ends = [each.replaces for each in filing.documents if each.replaces]
            documents = [
                {
                    "filing_id": filing.filing_id, "document_id": each.document_id, "rank": rank,
                    "set_id": each.set_id, "lane": filing.report_id, "state": DUE,
                }
                for rank, each in enumerate(filing.documents)
            ]  # fmt: skip
            await insert_ignore(self._connection, fed, documents)
        rows = [{"document_id": each, "filing_id": filing.filing_id} for each in dict.fromkeys(ends)]
        await insert_ignore(self._connection, ended, rows)

    async def is_ended(self, filing: Filing) -> bool:
        """Return whether something replaces or deletes a document of a feeding."""
        ids = [each.document_id for each in filing.documents]
        found = select(ended.c.filing_id).where(ended.c.document_id.in_(ids))
        return await self._connection.scalar(found.limit(1)) is not None

    async def withdraw(self, filing_id: str, error_code: str) -> None:
        """End a filing that has not left: whoever was about to send it has lost it."""
        await self.change(
            filing_id, state=REFUSED, is_open=False, error_code=error_code, lease_token="", leased_until=None
        )
        await self.settle_documents(filing_id, REFUSED)

    async def reopen(self, filing_id: str, payload: str, now: datetime) -> None:
        """Make a refused filing due again."""
        statement = update(filings).where(filings.c.id == filing_id, filings.c.state == REFUSED)
        values = {"state": DUE, "is_open": True, "due_at": now, "attempts": 0, "payload": payload, "error_code": ""}
        await self._connection.execute(statement.values(**values))

    async def has_later_accepted(self, known: Work) -> bool:
        """Return whether the DMP took a later document of the same report."""
        later = select(filings.c.id).where(
            filings.c.lane == known.lane, filings.c.sequence > known.sequence, filings.c.state == ACCEPTED
        )
        return await self._connection.scalar(later.limit(1)) is not None

    async def document_state(self, document_id: str) -> str:
        """Return the state of a document that was, or is to be, fed; empty when it is unknown."""
        query = select(fed.c.state).where(fed.c.document_id == document_id)
        states = set((await self._connection.execute(query)).scalars())
        return next((state for state in (ACCEPTED, REPLACED, DELETED) if state in states), next(iter(states), ""))

    async def latest_accepted(self, document: FiledDocument, lane: str) -> str:
        """Return the document that stands in the DMP for its set; without set, for its report and format."""
        rank = select(fed.c.rank).where(fed.c.document_id == document.document_id).limit(1).scalar_subquery()
        same = fed.c.set_id == document.set_id if document.set_id else and_(fed.c.lane == lane, fed.c.rank == rank)
        query = select(fed.c.document_id).join(filings, filings.c.id == fed.c.filing_id)
        query = query.where(same, fed.c.state == ACCEPTED).order_by(filings.c.sequence.desc())
        return str(await self._connection.scalar(query.limit(1)) or "")

    async def settle_documents(self, filing_id: str, state: str) -> None:
        """Write how the feeding of a filing's documents ended."""
        await self._connection.execute(update(fed).where(fed.c.filing_id == filing_id).values(state=state))

    async def mark_document(self, document_id: str, state: str) -> None:
        """Write what became of a document that the DMP took: replaced, or deleted."""
        taken = (fed.c.document_id == document_id, fed.c.state.in_((ACCEPTED, REPLACED)))
        await self._connection.execute(update(fed).where(*taken).values(state=state))


class Askers:
    """Who waits for a filing's outcome."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, filing_id: str, asker: Asker) -> None:
        """Write an asker once."""
        row = {"filing_id": filing_id, "message_id": asker.message_id, "report_id": asker.report_id}
        await insert_ignore(self._connection, askers, [row])

    async def take(self, filing_id: str) -> list[Asker]:
        """Return the askers of a filing, and forget them."""
        rows = (await self._connection.execute(select(askers).where(askers.c.filing_id == filing_id))).mappings()
        found = [Asker(report_id=ReportId(row["report_id"]), message_id=MessageId(row["message_id"])) for row in rows]
        await self._connection.execute(delete(askers).where(askers.c.filing_id == filing_id))
        return found

    async def filings_of(self, message_id: str) -> list[str]:
        """Return the filings that a message waits for."""
        query = select(askers.c.filing_id).where(askers.c.message_id == message_id).order_by(askers.c.filing_id)
        return list((await self._connection.execute(query)).scalars())

    async def drop(self, filing_id: str, message_id: str) -> bool:
        """Forget one asker. Return whether others wait for the filing."""
        mine = and_(askers.c.filing_id == filing_id, askers.c.message_id == message_id)
        await self._connection.execute(delete(askers).where(mine))
        others = select(askers.c.message_id).where(askers.c.filing_id == filing_id).limit(1)
        return await self._connection.scalar(others) is not None


class Oppositions:
    """The messages whose patient opposes the feeding."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, message_id: str, cause: str, now: datetime) -> None:
        """Write an opposition once."""
        row = {"message_id": message_id, "cause": cause, "since": now}
        await insert_ignore(self._connection, oppositions, [row])

    async def lift(self, message_id: str) -> None:
        """Forget an opposition."""
        await self._connection.execute(delete(oppositions).where(oppositions.c.message_id == message_id))

    async def has(self, message_id: str) -> bool:
        """Return whether a message's patient opposes the feeding."""
        query = select(oppositions.c.message_id).where(oppositions.c.message_id == message_id)
        return await self._connection.scalar(query) is not None

    async def among(self, filing_ids: Sequence[str]) -> set[str]:
        """Return the feedings that are opposed for all who wait for them."""
        if not filing_ids:
            return set()
        query = (
            select(askers.c.filing_id, func.count(askers.c.message_id), func.count(oppositions.c.message_id))
            .join(filings, filings.c.id == askers.c.filing_id)
            .outerjoin(oppositions, oppositions.c.message_id == askers.c.message_id)
            .where(askers.c.filing_id.in_(filing_ids), filings.c.operation != DELETE)
            .group_by(askers.c.filing_id)
        )
        rows = (await self._connection.execute(query)).all()
        return {filing_id for filing_id, waiting, opposed in rows if waiting == opposed}


class Lots:
    """What was put on the wire, kept before it left."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, filing_id: str, lot: KeptLot) -> None:
        """Write the lot of a filing in place of the former one."""
        await self.drop(filing_id)
        values = {"replaced": json.dumps(dict(lot.replaced)), "evidence": lot.evidence.model_dump_json()}
        await self._connection.execute(insert(lots).values(filing_id=filing_id, **values))

    async def find(self, filing_ids: Sequence[str]) -> dict[str, KeptLot]:
        """Return the kept lots by filing."""
        rows = (await self._connection.execute(select(lots).where(lots.c.filing_id.in_(filing_ids)))).mappings()
        return {
            row["filing_id"]: KeptLot(BlobRef.model_validate_json(row["evidence"]), json.loads(row["replaced"]))
            for row in rows
        }

    async def drop(self, filing_id: str) -> None:
        """Forget the lot of a filing: the next attempt makes another."""
        await self._connection.execute(delete(lots).where(lots.c.filing_id == filing_id))


class DmpUnit(Unit):
    """One transaction of dmp-feeder."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.filings = Filings(self)
        self.askers = Askers(connection)
        self.lots = Lots(connection)
        self.oppositions = Oppositions(connection)
