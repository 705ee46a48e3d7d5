"""The state of ingest-hl7: messages, what they ask, what they got, what is owed to their source."""

from datetime import datetime

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest_hl7.core.returns import Return
from ingest_hl7.core.settlement import Outcome, Target
from ingest_hl7.ports import IngestUnit, Request
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit
from labohub.store.work import WorkQueue, work_table

metadata = MetaData()

messages = Table(
    "messages",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("natural_key", String, nullable=False),  # MSH-3, MSH-4, MSH-10
    Column("sha256", String, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("control_id", String, nullable=False),
    Column("message_type", String, nullable=False),
    Column("state", String, nullable=False),  # accepted, archived, refused
    Column("reason", String, nullable=False),
    Column("warnings", Text, nullable=False),  # space-separated codes
    Column("report_id", String, nullable=False),
    Column("raw", Text, nullable=False),  # JSON of a BlobRef
    Column("answer_code", String, nullable=False),
    Column("answers", LargeBinary, nullable=False),  # frames, each ended by FS as on the wire
    Index("messages_natural_key", "natural_key"),
    Index("messages_received_at", "received_at"),
    Index("messages_control_id", "control_id"),
    Index("messages_state", "state", "received_at"),
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("companion_id", String, nullable=False),  # its other format, in the same message; "" when it came alone
)

sendings = Table(
    "sendings",  # who last asked a document to reach a destination
    metadata,
    Column("document_id", String, primary_key=True),
    Column("request", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("message_id", String, nullable=False),
)

superseded = Table(
    "superseded",  # replaced or deleted by a later message: never sent again, never sent late
    metadata,
    Column("document_id", String, primary_key=True),
    Column("message_id", String, nullable=False),
)

reports = Table(
    "reports",  # structuring path: all that is known of each demand
    metadata,
    Column("report_id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("patient_key", String, nullable=False),
    Column("results", Text, nullable=False),  # JSON of a BlobRef
    Column("times", Text, nullable=False),  # JSON: battery to MSH-7 of its last change
    Column("published", Integer, nullable=False),  # reports of this demand that left
    Column("digest", String, nullable=False),  # of the last that left
    Column("changed_at", UtcDateTime, nullable=False),
    Index("reports_patient", "patient_key", "changed_at"),
)

fillers = Table(
    "fillers",  # which demand a filler number is known in: its results stay there, whatever ORC-4 says later
    metadata,
    Column("filler_key", String, primary_key=True),  # opaque: number, namespace and sender
    Column("report_id", String, nullable=False),
)

orders = Table(
    "orders",  # what prescribers told of their orders
    metadata,
    Column("order_key", String, primary_key=True),  # number and namespace
    Column("group_key", String, nullable=False, index=True),  # of the demand; "" for none
    Column("state", String, nullable=False),
    Column("person", String, nullable=False),  # opaque: what must not change
    Column("content", Text, nullable=False),  # JSON of a BlobRef: the orders of its message
    Column("position", Integer, nullable=False),  # among them
    Column("message_id", String, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("owed", Text, nullable=False),  # JSON of a Return
    Column("is_settled", Boolean, nullable=False),
    Column("state", String, nullable=False),
    Column("settled_at", UtcDateTime),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("target", String, primary_key=True),
    Column("outcome", String, nullable=False),
    Column("code", String, nullable=False),
)

answers = work_table(
    "answers",
    metadata,
    Column("message_id", String, nullable=False, index=True),
    Column("message_type", String, nullable=False),
    Column("control_id", String, nullable=False),
)

webhooks = work_table(
    "webhooks",
    metadata,
    Column("sender", String, nullable=False),
    Column("endpoint", String, nullable=False),  # its identifier in the sender's entry
    Column("kind", String, nullable=False),
    Column("report_id", String, nullable=False),
    Column("message_id", String, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("status", Integer, nullable=False),  # HTTP status of the last attempt; 0: none
)


class RequestTable:
    """The requests and their outcomes, seen from one unit."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    async def find(self, message_id: str) -> Request | None:
        """Return a request with its destinations, held until the unit ends.

        Outcomes of one message come from several topics at once. Without the hold two units would each see the other's
        destination as pending, and nobody would close the message. SQLite has one writer and needs none.
        """
        held = select(requests.c.message_id).where(requests.c.message_id == message_id).with_for_update()
        if self._unit.connection.dialect.name == "postgresql":
            await self._unit.connection.execute(held)
        query = (
            select(requests, outcomes.c.target, outcomes.c.outcome, outcomes.c.code)
            .outerjoin(outcomes, outcomes.c.message_id == requests.c.message_id)
            .where(requests.c.message_id == message_id)
            .order_by(outcomes.c.target)
        )
        rows = (await self._unit.connection.execute(query)).mappings().all()
        if not rows:
            return None
        targets = tuple(Target(row["target"], Outcome(row["outcome"]), row["code"]) for row in rows if row["target"])
        first = rows[0]
        owed = Return.model_validate_json(first["owed"])
        return Request(message_id, first["report_id"], owed, targets, first["is_settled"])

    async def record(self, message_id: str, target: Target) -> None:
        """Write where a destination stands now."""
        await self._unit.connection.execute(
            update(outcomes)
            .where(outcomes.c.message_id == message_id, outcomes.c.target == target.name)
            .values(outcome=str(target.outcome), code=target.code)
        )

    async def close(self, message_id: str, state: str) -> None:
        """Write the terminal state."""
        await self._unit.connection.execute(
            update(requests)
            .where(requests.c.message_id == message_id)
            .values(is_settled=True, state=state, settled_at=self._unit.now)
        )


class TableUnit(IngestUnit):
    """One transaction, on our tables."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        super().__init__(connection, now)
        self.answers = WorkQueue(answers, self)
        self.webhooks = WorkQueue(webhooks, self)
        self.requests = RequestTable(self)

    async def rest_webhook(self, sender: str, endpoint: str, until: datetime) -> None:
        """Leave an endpoint that does not answer alone until then, whatever else is due to it."""
        table = webhooks
        its = (table.c.sender == sender) & (table.c.endpoint == endpoint)
        waiting = its & table.c.is_open & table.c.leased_until.is_(None) & (table.c.due_at < until)
        await self.connection.execute(update(table).where(waiting).values(due_at=until))
