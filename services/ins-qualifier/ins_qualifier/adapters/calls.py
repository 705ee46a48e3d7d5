"""The traces of the calls to INSi, in the service's database."""

from collections.abc import Sequence

from sqlalchemy import Column, Integer, MetaData, String, Table, Text
from sqlalchemy.ext.asyncio import AsyncConnection

from ins_qualifier.ports import Call
from labohub.contracts.values import BlobRef
from labohub.store.sql import insert_ignore
from labohub.store.types import UtcDateTime


def call_table(metadata: MetaData) -> Table:
    """Return the table of a service's metadata. Sent traits and raw answers are encrypted documents beside it."""
    return Table(
        "insi_calls",
        metadata,
        Column("message_id", String, primary_key=True),
        Column("check_id", String, nullable=False, index=True),
        Column("report_id", String, nullable=False, index=True),
        Column("operation", String, nullable=False),
        Column("question", Integer, nullable=False),
        Column("with_birth_place", Integer, nullable=False),
        Column("called_at", UtcDateTime, nullable=False, index=True),
        Column("elapsed_ms", Integer, nullable=False),
        Column("outcome", String, nullable=False),
        Column("answer", Text, nullable=False),  # BlobRef in JSON, or empty
        Column("sent", Text, nullable=False, server_default=""),  # likewise: the traits, as JSON
        Column("trigger", String, nullable=False, server_default=""),
        Column("certificate", String, nullable=False, server_default=""),
        Column("software", String, nullable=False, server_default=""),
        Column("conformance", String, nullable=False, server_default=""),
    )


class CallTable:
    """The traces of the calls, seen from one unit."""

    def __init__(self, connection: AsyncConnection, table: Table) -> None:
        self._connection, self._table = connection, table

    async def add(self, calls: Sequence[Call]) -> None:
        """Keep traces."""
        await insert_ignore(self._connection, self._table, [_row(call) for call in calls])


def _row(call: Call) -> dict[str, object]:
    return {
        "message_id": call.message_id,
        "check_id": call.check_id,
        "report_id": call.report_id,
        "operation": call.operation,
        "question": call.question,
        "with_birth_place": int(call.with_birth_place),
        "called_at": call.called_at,
        "elapsed_ms": call.elapsed_ms,
        "outcome": call.outcome,
        "answer": _stored(call.answer),
        "sent": _stored(call.sent),
        "trigger": call.trigger,
        "certificate": call.certificate,
        "software": call.software,
        "conformance": call.conformance,
    }


def _stored(document: BlobRef | None) -> str:
    return document.model_dump_json() if document else ""
