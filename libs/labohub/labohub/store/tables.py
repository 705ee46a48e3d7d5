"""The tables that every service's database has."""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from labohub.store.types import UtcDateTime

SCHEMA_VERSION = 1


class CommonTables:
    """Outbox, inbox, parked events and schema version, on the service's own metadata."""

    def __init__(self, metadata: MetaData) -> None:
        self.outbox = Table(
            "outbox",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=True),
            Column("topic", String, nullable=False),
            Column("key", String, nullable=False),
            Column("headers", Text, nullable=False),  # JSON object of strings
            Column("value", LargeBinary, nullable=False),
            sqlite_autoincrement=True,
        )
        self.inbox = Table(
            "inbox",
            metadata,
            Column("consumer_event", String, primary_key=True),  # "<handler>:<event id>"
            Column("claimed_at", UtcDateTime, nullable=False),
        )
        self.parked = Table(
            "parked",
            metadata,
            Column("id", Integer, primary_key=True, autoincrement=True),
            Column("topic", String, nullable=False),
            Column("key", String, nullable=False),
            Column("headers", Text, nullable=False),
            Column("value", LargeBinary, nullable=False),
            Column("attempts", Integer, nullable=False),
            Column("due_at", UtcDateTime, nullable=False),
            Column("error_code", String, nullable=False),
            Index("parked_by_key", "topic", "key", "id"),
            sqlite_autoincrement=True,
        )
        self.schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True))


def common_tables(metadata: MetaData) -> CommonTables:
    """Return the common tables of a service's metadata, adding them the first time."""
    known = metadata.info.get("labohub.common")
    if isinstance(known, CommonTables):
        return known
    tables = CommonTables(metadata)
    metadata.info["labohub.common"] = tables
    return tables
