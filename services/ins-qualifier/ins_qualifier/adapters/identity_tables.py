"""What is kept of identities: the store, its history, who has which matricule, answered plans, what left, recalls.

Traits and matricules are sealed; what is searched is a keyed hash.
"""

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from labohub.store.types import UtcDateTime


def identity_tables(metadata: MetaData) -> tuple[Table, ...]:
    """Return the tables of a service's metadata, in the order of this module."""
    identities = Table(
        "identities",
        metadata,
        Column("id", String, primary_key=True),  # keyed hash of the domain, the authority and the local identifier
        Column("domain", String, nullable=False),
        Column("scope", String, nullable=False),
        Column("status", String, nullable=False),
        Column("attributes", String, nullable=False),  # of table 0445, spaces between
        Column("evidence", String, nullable=False),
        Column("evidence_at", UtcDateTime),
        Column("linked", String, nullable=False),
        Column("blocked", String, nullable=False),
        Column("merged_into", String, nullable=False),
        Column("check_id", String, nullable=False),
        Column("told_at", UtcDateTime),
        Column("verified_at", UtcDateTime),
        Column("version", Integer, nullable=False),
        Column("changed_at", UtcDateTime, nullable=False),
        Column("sealed", LargeBinary, nullable=False),  # traits and matricule
        Index("identities_status", "status", "verified_at"),
    )
    changes = Table(
        "identity_changes",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("identity", String, nullable=False, index=True),
        Column("at", UtcDateTime, nullable=False),
        Column("cause", String, nullable=False),
        Column("before", String, nullable=False),
        Column("after", String, nullable=False),
        Column("version", Integer, nullable=False),
        Column("code", String, nullable=False),
        Column("actor", String, nullable=False),
        Column("check_id", String, nullable=False),
        Column("evidence", String, nullable=False),  # the call that INSi answered, or the kind of document
        Column("reason", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    numbers = Table(
        "identity_numbers",
        metadata,
        Column("scope", String, primary_key=True),
        Column("number", String, primary_key=True),  # keyed hash of the matricule
        Column("identity", String, nullable=False, index=True),
    )
    denials = Table(  # a person said that a matricule is not this local patient's
        "identity_denials",
        metadata,
        Column("identity", String, primary_key=True),
        Column("number", String, primary_key=True),
    )
    collisions = Table(
        "identity_collisions",
        metadata,
        Column("id", String, primary_key=True),
        Column("one", String, nullable=False, index=True),  # who had the matricule
        Column("other", String, nullable=False, index=True),  # who came with it; the same with two matricules
        Column("state", String, nullable=False),  # open, closed
        Column("opened_at", UtcDateTime, nullable=False),
        Column("closed_at", UtcDateTime),
    )
    plans = Table(
        "insi_plans",
        metadata,
        Column("id", String, primary_key=True),
        Column("ended_at", UtcDateTime, nullable=False),
        Column("codes", String, nullable=False),
        Column("call", String, nullable=False),
        Column("answer", Text, nullable=False),
    )
    departures = Table(
        "departures",
        metadata,
        Column("message_id", String, primary_key=True),
        Column("kind", String, primary_key=True),  # mail, dmp
        Column("target", String, primary_key=True),  # mail or submission identifier
        Column("report_id", String, nullable=False),
        Column("document_id", String, nullable=False),
        Column("recipient_kind", String, nullable=False),
        Column("recipient", String, nullable=False),  # never a patient's: his address is his matricule
        Column("operation", String, nullable=False),
        Column("at", UtcDateTime, nullable=False),
    )
    recalls = Table(
        "identity_recalls",
        metadata,
        Column("id", String, primary_key=True),  # the check's
        Column("identity", String, nullable=False, index=True),
        Column("report_id", String, nullable=False),
        Column("message_id", String, nullable=False),
        Column("control_id", String, nullable=False),
        Column("sender_application", String, nullable=False),
        Column("sender_facility", String, nullable=False),
        Column("code", String, nullable=False),
        Column("cause", String, nullable=False),  # the message that said so
        Column("details", Text, nullable=False),
        Column("state", String, nullable=False),  # open, or how it was resolved
        Column("opened_at", UtcDateTime, nullable=False),
        Column("changed_at", UtcDateTime, nullable=False),
        Index("identity_recalls_state", "state", "opened_at"),
    )
    return identities, changes, numbers, denials, collisions, plans, departures, recalls
