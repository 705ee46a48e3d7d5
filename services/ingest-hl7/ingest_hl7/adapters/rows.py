"""Values to rows and events: how a decision is written."""

from typing import Any

from ingest_hl7.adapters.knowledge import REFUSED, Entry, pack_frames
from ingest_hl7.core.answering import Answers
from ingest_hl7.core.decision import Archived, Decision, Ordered, Quarantined, Refusal, Relayed, Silent, Structured
from ingest_hl7.core.returns import Return
from labohub.contracts.codec import derived_id
from labohub.contracts.events import Event, MessageArchived, MessageSettled, ReportHeld, ReportReceived
from labohub.contracts.values import MessageId, Report, ReportId

QUARANTINED = "quarantined"
ORDERS = "ltw.order"


def owed(entry: Entry, report: Report) -> Return:
    """Return what is owed to the source of a request."""
    header, sender = entry.arrival.header, entry.arrival.sender
    assert header is not None
    assert sender is not None
    return Return(
        control_id=report.control_id,
        their_application=as_text(header.field(3)),
        their_facility=as_text(header.field(4)),
        processing_id=report.processing_id,
        codec=sender.answer_charset,
        endpoint=sender.answers,
        wants_reception=report.wants_reception_ack,
        wants_reading=report.wants_reading_ack,
        to_dmp=report.to_dmp,
        recipients=report.recipients,
    )


def as_text(field_: str) -> str:
    """Return a field of MSH, seen as Latin-1, as the text it most likely is."""
    try:
        return field_.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return field_


def archive_events(entry: Entry, decision: Archived) -> list[Event]:
    """Return the facts of a message that asks for nothing now: it ends here."""
    receipt, header = entry.arrival.receipt, entry.arrival.header
    assert header is not None
    report_id = ReportId(decision.report_id or derived_id("archived", receipt.message_id))
    archived = MessageArchived(
        event_id=derived_id("event", receipt.message_id, "message-archived"),
        occurred_at=receipt.received_at,
        report_id=report_id,
        message_id=MessageId(receipt.message_id),
        control_id=as_text(header.field(10)),
        message_type=as_text(header.field(9)),
        sender_application=as_text(header.component(3, 1)),
        sender_facility=as_text(header.component(4, 1)),
        reason=decision.reason,
    )
    settled = MessageSettled(
        event_id=derived_id("event", receipt.message_id, "message-settled"),
        occurred_at=receipt.received_at,
        report_id=report_id,
        message_id=MessageId(receipt.message_id),
        control_id=archived.control_id,
        state="archived",
        code=decision.reason,
    )
    return [archived, settled]


def quarantine_id(message_id: str) -> str:
    """Return the report under which a message in quarantine is shown: what it is about is not known yet."""
    return derived_id("quarantine", message_id)


def quarantined(entry: Entry, decision: Quarantined) -> ReportHeld:
    """Return the fact that a message waits for an operator."""
    receipt, header = entry.arrival.receipt, entry.arrival.header
    assert header is not None
    return ReportHeld(
        event_id=derived_id("event", receipt.message_id, "message-quarantined"),
        occurred_at=receipt.received_at,
        report_id=ReportId(quarantine_id(receipt.message_id)),
        message_id=MessageId(receipt.message_id),
        control_id=as_text(header.field(10)),
        message_type=as_text(header.field(9)),
        sender_application=as_text(header.component(3, 1)),
        sender_facility=as_text(header.component(4, 1)),
        reason=decision.reason,
    )


def message_row(entry: Entry, decision: Decision, given: Answers) -> dict[str, Any]:
    """Return the row of a message, refused ones included."""
    header, receipt = entry.arrival.header, entry.arrival.receipt
    state, reason, report_id, codes = "accepted", "", "", list(entry.warnings)
    if isinstance(decision, Refusal):
        state, reason = REFUSED, decision.findings[0].reason
        codes += [finding.reason for finding in decision.findings[1:]]
    elif isinstance(decision, Archived):
        state, reason, report_id = "archived", decision.reason, decision.report_id
    elif isinstance(decision, Quarantined):
        state, reason, report_id = QUARANTINED, decision.reason, quarantine_id(receipt.message_id)
    elif isinstance(decision, Relayed):
        report_id = decision.report.report_id
    elif isinstance(decision, Structured):
        report_id = decision.report.report_id
        state, reason = ("archived", decision.waits) if decision.results is None else (state, reason)
    elif isinstance(decision, Ordered):
        state, reason = "archived", ORDERS
    if not isinstance(decision, Refusal | Silent):
        codes += [finding.reason for finding in decision.warnings]
    if isinstance(decision, Structured | Archived):
        codes += decision.notes
    return {
        "message_id": receipt.message_id,
        "natural_key": receipt.key,
        "sha256": entry.arrival.sha256,
        "received_at": receipt.received_at,
        "control_id": as_text(header.field(10)) if header else "",
        "message_type": as_text(header.field(9)) if header else "",
        "state": state,
        "reason": reason,
        "warnings": " ".join(dict.fromkeys(codes)),
        "report_id": report_id,
        "raw": entry.raw.model_dump_json(),
        "answer_code": given.code,
        "answers": pack_frames(given.frames),
    }


def received(report: Report) -> ReportReceived:
    """Return the fact that a request is durable."""
    return ReportReceived(
        event_id=derived_id("event", report.message_id, "report-received"),
        occurred_at=report.received_at,
        report_id=report.report_id,
        message_id=report.message_id,
        report=report,
    )
