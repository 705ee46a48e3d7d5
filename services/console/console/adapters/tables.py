"""The read model: nine tables that only facts change."""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text

from labohub.store.types import UtcDateTime

metadata = MetaData()

reports = Table(
    "reports",
    metadata,
    Column("report_id", String, primary_key=True),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_message_id", String, nullable=False),  # the newest message by its reception
    Column("last_received_at", UtcDateTime, nullable=False),
    Column("patient", String, nullable=False, default=""),  # masked
    Column("traits", Text, nullable=False, default=""),  # JSON, shown only by an audited act
    Index("reports_newest", "last_received_at", "report_id"),
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),  # the oldest fact known
    Column("last_at", UtcDateTime, nullable=False),  # the newest
    Column("received_at", UtcDateTime),
    Column("control_id", String, nullable=False, default=""),
    Column("message_type", String, nullable=False, default=""),
    Column("sender_application", String, nullable=False, default=""),
    Column("sender_facility", String, nullable=False, default=""),
    Column("path", String, nullable=False, default=""),
    Column("request", String, nullable=False, default=""),
    Column("processing_id", String, nullable=False, default=""),
    Column("expected", Integer, nullable=False, default=0),  # destinations
    Column("stage", String, nullable=False),
    Column("stage_rank", Integer, nullable=False),
    Column("state", String, nullable=False, default=""),  # terminal, or empty
    Column("settled_at", UtcDateTime),
    Column("code", String, nullable=False, default=""),
    Column("delivered", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("uncertain", Integer, nullable=False, default=0),
    Index("messages_of_report", "report_id", "seen_at"),
    Index("messages_by_control_id", "control_id"),
    Index("messages_by_state", "state", "stage", "seen_at"),
)

numbers = Table(
    "numbers",
    metadata,
    Column("number", String, primary_key=True),
    Column("report_id", String, primary_key=True),
)

steps = Table(
    "steps",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("report_id", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("service", String, nullable=False),
    Column("step", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("code", String, nullable=False, default=""),
    Column("target", String, nullable=False, default=""),
    Column("detail", Text, nullable=False, default="{}"),
    Column("trace_id", String, nullable=False, default=""),
    Index("steps_of_report", "report_id", "at"),
    Index("steps_by_time", "at"),
    Index("steps_of_service", "service", "at"),
    sqlite_autoincrement=True,
)

evidence = Table(
    "evidence",
    metadata,
    Column("event_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("step", String, nullable=False),
    Column("blob", Text, nullable=False),  # JSON of a BlobRef
    Index("evidence_of_report", "report_id", "at"),
)

destinations = Table(
    "destinations",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("target_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("channel", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("target", String, nullable=False),
    Column("name", String, nullable=False, default=""),
    Column("outcome", String, nullable=False),
    Column("outcome_rank", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("code", String, nullable=False, default=""),
    Column("document_id", String, nullable=False, default=""),
    Index("destinations_of_report", "report_id"),
)

documents = Table(
    "documents",
    metadata,
    Column("document_id", String, primary_key=True),
    Column("report_id", String, primary_key=True),
    Column("message_id", String, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("title", String, nullable=False),
    Column("level", String, nullable=False),
    Column("version_number", Integer, nullable=False),
    Column("replaces", String, nullable=False, default=""),
    Column("conformance", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("blob", Text, nullable=False),  # JSON of a BlobRef
    Column("pdf", Text, nullable=False, default=""),
    Column("conformance_report", Text, nullable=False, default=""),
    Index("documents_of_report", "report_id", "at"),
)

waiting = Table(
    "waiting",
    metadata,
    Column("item_id", String, primary_key=True),
    Column("worklist", String, nullable=False),
    Column("report_id", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("is_open", Boolean, nullable=False),
    Column("code", String, nullable=False),
    Column("target", String, nullable=False, default=""),
    Index("waiting_open", "worklist", "is_open", "opened_at"),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String, nullable=False),
    Column("act", String, nullable=False),
    Column("report_id", String, nullable=False),
    Column("subject", String, nullable=False, default=""),
    Column("reason", String, nullable=False, default=""),
    sqlite_autoincrement=True,
)
