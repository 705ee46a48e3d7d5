"""One item of the worklist, whole: what came, and the report it is about, for the person who decides."""

from typing import Any

from labohub.standards.mail_reading import addresses, body_text, file_name, header, parse_mail, parts
from mss_sender.core.values import Integration, PlannedMail, Return

MAX_TEXT_CHARACTERS = 20_000


def view(
    item: str, kept: Return, raw: bytes, mail: PlannedMail | None, integration: Integration | None
) -> dict[str, Any]:
    """Return the item as JSON: the words of the mail, never its attachments' content."""
    message = parse_mail(raw)
    return {
        "id": item,
        "kind": kept.kind,
        "at": kept.fetched_at.isoformat(),
        "mailbox": kept.account,
        "sent_to": kept.sent_to,
        "from": next(iter(addresses(message, "From")), ""),
        "subject": header(message, "Subject"),
        "text": body_text(message)[:MAX_TEXT_CHARACTERS],
        "files": [name for part in parts(message) if (name := file_name(part))],
        "report": _report(mail) if mail else None,
        "outcomes": [each.model_dump() for each in integration.outcomes] if integration else [],
    }


def _report(mail: PlannedMail) -> dict[str, Any]:
    report, facts = mail.source.report, mail.source.facts
    return {
        "report_id": report.report_id,
        "message_id": report.message_id,
        "control_id": report.control_id,
        "sender_application": report.sender.application,
        "sender_facility": report.sender.facility,
        "mail_id": mail.mail_id,
        "recipient": mail.to,
        "recipient_kind": mail.recipient.kind.value,
        "document_id": facts.unique_id,
        "title": facts.title or facts.code_label,
        "order_number": facts.order_number,
        "act_started_at": facts.act_started_at,
        "request": report.request.value,
    }
