"""What an operator and its users write back: notices, receipts, answers. Built apart from the hub's own code."""

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import format_datetime, make_msgid

OPERATOR = "operateur.simule.test"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What MAIL and RCPT said of one recipient."""

    mail_from: str
    rcpt_to: str
    envelope_id: str = ""
    notify: frozenset[str] = frozenset()
    original_recipient: str = ""


def head_of(raw: bytes) -> Message:
    """Return the head of a mail."""
    return email.message_from_bytes(raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=email.policy.default)


def delivery_notice(envelope: Envelope, raw: bytes, action: str, status: str, reason: str) -> bytes:
    """Return a DSN (RFC 3464) about one recipient."""
    failed = action == "failed"
    subject = "Undelivered Mail Returned to Sender" if failed else "Successful Mail Delivery Report"
    head = [
        f"From: Mail Delivery System <MAILER-DAEMON@{OPERATOR}>",
        f"To: {envelope.mail_from}",
        f"Subject: {subject}",
        "Auto-Submitted: auto-replied",
    ]
    text = f"Le message destiné à <{envelope.rcpt_to}> : {reason}.\r\n"
    message_block = [f"Reporting-MTA: dns; {OPERATOR}"]
    if envelope.envelope_id:
        message_block.append(f"Original-Envelope-Id: {envelope.envelope_id}")
    block = [f"Final-Recipient: rfc822; {envelope.rcpt_to}"]
    if envelope.original_recipient:
        block.append(f"Original-Recipient: {envelope.original_recipient}")
    block += [f"Action: {action}", f"Status: {status}"]
    if failed:
        block.append(f"Diagnostic-Code: X-Simulator; {reason}")
    report = "\r\n".join([*message_block, "", *block, ""])
    returned = raw.split(b"\r\n\r\n")[0] + b"\r\n"
    parts = [
        ('text/plain; charset="utf-8"', text.encode()),
        ("message/delivery-status", report.encode("ascii", "replace")),
        ("text/rfc822-headers", returned),
    ]
    return _report(head, "delivery-status", parts)


def receipt(envelope: Envelope, raw: bytes, disposition: str, error: str = "") -> bytes:
    """Return an MDN (RFC 8098) of a recipient; `error` is a code 900…906."""
    original = head_of(raw)
    mode = (
        "manual-action/MDN-sent-manually" if disposition == "displayed" else "automatic-action/MDN-sent-automatically"
    )
    fields = [
        f"Reporting-UA: {envelope.rcpt_to.rpartition('@')[2]}; simulateur",
        f"Final-Recipient: rfc822;{envelope.rcpt_to}",
        f"Original-Message-ID: {original['Message-ID']}",
        f"Disposition: {mode}; {disposition}{'/error' if error else ''}",
    ]
    if error:
        fields.append(f"Error: {error}^Identifiant patient inconnu^applicationErrorCondition")
    head = [
        f"From: {envelope.rcpt_to}",
        f"To: {original['Disposition-Notification-To']}",
        f"Subject: {'[KO] ' if error else ''}Accuse de lecture",
        f"In-Reply-To: {original['Message-ID']}",
        "Auto-Submitted: auto-replied",
    ]
    parts = [
        ('text/plain; charset="utf-8"', "Accusé produit par le simulateur.\r\n".encode()),
        ("message/disposition-notification", ("\r\n".join(fields) + "\r\n").encode()),
        ("text/rfc822-headers", raw.split(b"\r\n\r\n")[0] + b"\r\n"),
    ]
    return _report(head, "disposition-notification", parts)


def answer(raw: bytes, sender: str, text: str) -> bytes:
    """Return a person's answer to a mail, as a mail client writes it."""
    original = head_of(raw)
    reply = EmailMessage(policy=email.policy.SMTP)
    reply["From"] = sender
    reply["To"] = str(original["Reply-To"] or original["From"])
    reply["Subject"] = f"Re: {original['Subject']}"
    reply["Date"] = datetime.now(UTC)
    reply["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    reply["In-Reply-To"] = reply["References"] = str(original["Message-ID"])
    reply.set_content(text)
    return reply.as_bytes()


def _report(head: list[str], kind: str, parts: list[tuple[str, bytes]]) -> bytes:
    boundary = f"=_sim_{make_msgid().strip('<>').split('@')[0]}"
    lines = [
        "Return-Path: <>",
        *head,
        f"Date: {format_datetime(datetime.now(UTC))}",
        f"Message-ID: {make_msgid(domain=OPERATOR)}",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind};\r\n boundary="{boundary}"',
    ]
    out = ["\r\n".join(lines).encode(), b"\r\n"]
    for content_type, body in parts:
        encoding = b"7bit" if body.isascii() else b"8bit"
        out.append(
            b"\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s"
            % (boundary.encode(), content_type.encode(), encoding, body)
        )
    out.append(b"\r\n--%s--\r\n" % boundary.encode())
    return b"".join(out)
