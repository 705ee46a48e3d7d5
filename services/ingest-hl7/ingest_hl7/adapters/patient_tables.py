"""What the intake remembers of patients: their requests, their identifiers, what their hospital and they said.

Keys are opaque (core/consents.py). Identities are patient data: they stay in this database.
"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from ingest_hl7.adapters.tables import metadata
from labohub.store.types import UtcDateTime

request_patients = Table(
    "request_patients",  # whom each accepted request is about, as corrected since
    metadata,
    Column("message_id", String, primary_key=True),
    Column("report_id", String, nullable=False),
    Column("facility", String, nullable=False),  # MSH-4.1
    Column("patient", Text, nullable=False),  # JSON
    Column("is_feeding", Boolean, nullable=False),  # False for a deletion
    Column("is_opposed", Boolean, nullable=False),  # the DMP's feeder was told so
)

patient_index = Table(
    "patient_index",  # the requests of a subject
    metadata,
    Column("subject", String, primary_key=True),
    Column("message_id", String, primary_key=True),
    Index("patient_index_message", "message_id"),
)

known_patients = Table(
    "known_patients",  # the identity that an ADT gave last
    metadata,
    Column("subject", String, primary_key=True),
    Column("patient", Text, nullable=False),  # JSON
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("cause", String, nullable=False),
)

merged_identifiers = Table(
    "merged_identifiers",  # each points at the one that stands for it now, never at another merged one
    metadata,
    Column("subject", String, primary_key=True),
    Column("survivor", String, nullable=False, index=True),
    Column("value", String, nullable=False),  # of the survivor, under the same authority
    Column("cause", String, nullable=False),
    Column("merged_at", UtcDateTime, nullable=False),
)

consents = Table(
    "consents",  # all that was ever said, in the order of reception
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("subject", String, nullable=False, index=True),
    Column("feeding", String, nullable=False),
    Column("consultation", String, nullable=False),
    Column("decided_at", UtcDateTime, nullable=False),
    Column("consultation_at", UtcDateTime),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("source", String, nullable=False),  # zfa, sgl
    Column("cause", String, nullable=False),  # our identifier of the message or event
    sqlite_autoincrement=True,
)
