"""Notices that we write about mails we received: MDN of an integration, and the error mail ("courriel standard").

Both go with a null envelope sender. Source: RFC 8098, 6522; ANS volet "Transmission au LPS de documents CDA provenant
d'un courriel MSSanté" 1.1.2, 1.1.3.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from labohub.standards.mail import encode_original

_POLICY = SMTP.clone(cte_type="7bit")
KO = "[KO Intégration système !]"


@dataclass(frozen=True, slots=True)
class Notice:
    """What a notice says of one received mail. `error_code` is empty in success."""

    sender_name: str
    sender: str  # our mailbox that the mail came to
    to: str
    message_id: str  # of the notice
    sent_at: datetime
    product_reference: str  # X-MSS-NIL
    original_id: str
    original_subject: str
    original: bytes
    text: str
    error_code: str = ""
    error_label: str = ""


def write_mdn(notice: Notice, *, in_disposition: bool = False) -> bytes:
    """Return the MDN of an automatic integration, the original whole in its third part.

    Args:
        in_disposition: repeat the error in the Disposition field, as the guide 1.1.2 had it.
    """
    outcome = ""
    if notice.error_code:
        said = f"{notice.error_code}^{notice.error_label}"
        outcome = f"/Error: {said}" if in_disposition else "/error"
    fields = [
        f"Reporting-UA: {notice.sender.rpartition('@')[2]}; Labohub",
        f"Original-Recipient: rfc822;{notice.sender}",
        f"Final-Recipient: rfc822;{notice.sender}",
        f"Original-Message-ID: {notice.original_id}",
        f"Disposition: automatic-action/MDN-sent-automatically; processed{outcome}",
    ]
    if notice.error_code:
        fields.append(f"Error: {notice.error_code}^{notice.error_label}^applicationErrorCondition")
    machine = b"Content-Type: message/disposition-notification\r\n"
    body = "\r\n".join([*fields, "", ""]).encode()
    if not body.isascii():
        machine += b"Content-Transfer-Encoding: 8bit\r\n"
        body = body.decode().translate(_PLAIN).encode("ascii", "replace")
        machine = machine.replace(b"8bit", b"7bit")
    return _compose(notice, "report; report-type=disposition-notification", [machine + b"\r\n" + body])


def write_error_mail(notice: Notice) -> bytes:
    """Return the error mail for a sender who asked for no MDN."""
    return _compose(notice, "mixed", [])


_PLAIN = str.maketrans("àâäçéèêëîïôöùûüÀÂÄÇÉÈÊËÎÏÔÖÙÛÜ’", "aaaceeeeiioouuuAAACEEEEIIOOUUU'")


def _compose(notice: Notice, kind: str, middle: list[bytes]) -> bytes:
    boundary = "=_" + hashlib.sha256(notice.message_id.encode()).hexdigest()[:40]
    head = EmailMessage(policy=_POLICY)
    head["Date"] = format_datetime(notice.sent_at)
    head["From"] = Address(notice.sender_name, addr_spec=notice.sender)
    head["To"] = notice.to
    head["Message-ID"] = notice.message_id
    if notice.original_id:
        head["In-Reply-To"] = head["References"] = notice.original_id
    head["Subject"] = (
        f"{KO}[{notice.error_code}] {notice.original_subject}" if notice.error_code else (notice.original_subject)
    )
    head["Auto-Submitted"] = "auto-replied"
    head["X-MSS-NIL"] = notice.product_reference
    head["MIME-Version"] = "1.0"
    lines = b"".join(_POLICY.fold_binary(*item) for item in head.items())
    lines += f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n'.encode()
    text = EmailMessage(policy=_POLICY)
    text.set_content(notice.text, cte="quoted-printable")
    del text["MIME-Version"]
    fence = b"--" + boundary.encode() + b"\r\n"
    out = [lines, b"\r\n"]
    for part in (text.as_bytes(), *middle, encode_original(notice.original)):
        out += [fence, part, b"" if part.endswith(b"\r\n") else b"\r\n"]
    return b"".join([*out, b"--", boundary.encode(), b"--\r\n"])
