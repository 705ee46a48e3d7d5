"""What the intake remembers for the laboratory's word: how each request leaves, and what was said about it."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from ingest_hl7.adapters.tables import metadata
from labohub.store.types import UtcDateTime

departures = Table(
    "departures",  # one per accepted request, in the order of acceptance
    metadata,
    Column("message_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("accepted_at", UtcDateTime, nullable=False),  # never twice the same in one commit
    Column("held_for", String, nullable=False),  # "": it left; else why it waits, or waited when it never left
    Column("needs_validation", Boolean, nullable=False),
    Column("only_withdraws", Boolean, nullable=False),  # it says nothing to whom got no former version
    Column("fact", LargeBinary, nullable=False),  # JSON of the ReportReceived that leaves
    Index("departures_report_id", "report_id"),
)

report_names = Table(
    "report_names",  # under which an SGL event may speak of a report (core/holding.py)
    metadata,
    Column("key", String, primary_key=True),
    Column("report_id", String, primary_key=True),
)

added_recipients = Table(
    "added_recipients",  # of a demand, by events: they get its corrections too
    metadata,
    Column("report_id", String, primary_key=True),
    Column("address", String, primary_key=True),  # lower case
    Column("recipient", Text, nullable=False),  # JSON
)

sgl_marks = Table(
    "sgl_marks",  # said about something that may still have to come
    metadata,
    Column("key", String, primary_key=True),
    Column("mark", String, primary_key=True),
    Column("event_id", String, nullable=False),
    Column("since", UtcDateTime, nullable=False),
)

sgl_events = Table(
    "sgl_events",
    metadata,
    Column("event_id", String, primary_key=True),  # ours, derived from source and id
    Column("id", String, nullable=False),
    Column("application", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("type", String, nullable=False),
    Column("sha256", String, nullable=False),  # of the content, however it was spelt
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("key_id", String, nullable=False),  # who presented it: a key's or a certificate's name
    Column("body", Text, nullable=False),  # JSON of a BlobRef: the event as received
    Column("state", String, nullable=False),  # applied, waiting, no-effect, refused
    Column("code", String, nullable=False),
    Column("status", Integer, nullable=False),  # of the answer
    Column("answer", Text, nullable=False),  # JSON
    Index("sgl_events_id", "id"),
)

refused_calls = Table(
    "refused_calls",  # audit: who was not let in, at most one line per caller, reason and minute
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    Column("route", String, nullable=False),
    Column("code", String, nullable=False),
    Column("caller", String, nullable=False),  # a key's name, or an address
    Column("count", Integer, nullable=False),
    sqlite_autoincrement=True,
)
