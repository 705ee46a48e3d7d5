"""Who did what to which message: kept in the store, never in a log. No patient data here either."""

from fastapi import Request
from sqlalchemy import Column, Index, Integer, String, Table

from ingest_hl7.adapters.api_keys import Caller
from ingest_hl7.adapters.tables import metadata
from labohub.store.types import UtcDateTime
from labohub.store.unit import Unit

audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String, nullable=False),
    Column("action", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("detail", String, nullable=False),  # a code or a sender's label
    Index("audit_message_id", "message_id"),
)


def actor_of(request: Request, caller: Caller) -> str:
    """Return who asks: the key's name, and the address of the machine."""
    return f"{caller.id}@{request.client.host if request.client else 'local'}"


async def note(unit: Unit, actor: str, action: str, message_id: str, detail: str = "") -> None:
    """Write one line, in the transaction of what it tells."""
    row = {"at": unit.now, "actor": actor, "action": action, "message_id": message_id, "detail": detail}
    await unit.connection.execute(audit.insert(), row)
