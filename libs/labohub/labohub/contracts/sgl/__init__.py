"""What a laboratory's system tells the hub outside HL7: the public contract of `POST /api/v1/events`."""

from labohub.contracts.sgl.events import (
    TYPES,
    AnnouncementDone,
    ConsentRecorded,
    EventMalformed,
    RecipientsChanged,
    ReportHold,
    ReportRelease,
    ReportValidated,
    SglEvent,
    SglRecipient,
    Source,
    Subject,
    SubjectKind,
    read_event,
    schema_of,
)

__all__ = [
    "TYPES", "AnnouncementDone", "ConsentRecorded", "EventMalformed", "RecipientsChanged", "ReportHold",
    "ReportRelease", "ReportValidated", "SglEvent", "SglRecipient", "Source", "Subject", "SubjectKind", "read_event",
    "schema_of",
]  # fmt: skip
