"""State of dmp-feeder: filings as leasable work, who waits for them, and what was put on the wire."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Index, MetaData, String, Table, Text, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dmp_feeder.core.filing import ACCEPTED, DELETE, DUE, REFUSED, REPLACED, Asker
from dmp_feeder.ports import KeptLot
from labohub.contracts.values import BlobRef, MessageId, ReportId
from labohub.store.sql import insert_ignore
from labohub.store.unit import Unit
from labohub.store.work import Work, WorkQueue, work_table

metadata = MetaData()
filings = work_table(
    "filings",
    metadata,
    Column("document_id", String, nullable=False),
    Column("set_id", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("operation", String, nullable=False),
)
Index("filings_document", filings.c.document_id)
Index("filings_set", filings.c.set_id)
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
    Column("replaced_id", String, nullable=False),
)


class Filings(WorkQueue):
    """The filings of one unit."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(filings, unit)
        self._connection = unit.connection

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

    async def of_document(self, document_id: str) -> Work | None:
        """Return the feeding of a document."""
        query = select(filings.c.id).where(filings.c.document_id == document_id, filings.c.operation != DELETE)
        found = await self._connection.scalar(query)
        return await self.find(found) if found else None

    async def latest_accepted(self, set_id: str, lane: str) -> str:
        """Return the document that stands in the DMP for a set (or a report, without set); empty without any."""
        same = filings.c.set_id == set_id if set_id else filings.c.lane == lane
        query = select(filings.c.document_id).where(same, filings.c.state == ACCEPTED, filings.c.operation != DELETE)
        found = await self._connection.scalar(query.order_by(filings.c.sequence.desc()).limit(1))
        return str(found or "")

    async def mark_document(self, document_id: str, state: str) -> None:
        """Change the state of an accepted feeding: replaced, or deleted."""
        await self._connection.execute(
            update(filings)
            .where(
                filings.c.document_id == document_id,
                filings.c.operation != DELETE,
                filings.c.state.in_((ACCEPTED, REPLACED)),
            )
            .values(state=state)
        )


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


class Lots:
    """What was put on the wire, kept before it left."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, filing_id: str, lot: KeptLot) -> None:
        """Write the lot of a filing in place of the former one."""
        await self.drop(filing_id)
        values = {"replaced_id": lot.replaced_id, "evidence": lot.evidence.model_dump_json()}
        await self._connection.execute(insert(lots).values(filing_id=filing_id, **values))

    async def find(self, filing_ids: Sequence[str]) -> dict[str, KeptLot]:
        """Return the kept lots by filing."""
        rows = (await self._connection.execute(select(lots).where(lots.c.filing_id.in_(filing_ids)))).mappings()
        return {
            row["filing_id"]: KeptLot(BlobRef.model_validate_json(row["evidence"]), row["replaced_id"]) for row in rows
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
