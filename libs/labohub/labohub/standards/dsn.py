"""Delivery status notifications: what a server says of a mail's fate.

Source: RFC 3461, 3463, 3464, 6522, 6533; table SMTPERRORCODE of the CDA-in-HL7 volet (ANS, 2.1).
"""

import re
from dataclasses import dataclass
from email.message import Message

from labohub.standards.mail_reading import content, header, message_ids, parse_mail, report_of

STATUS_TYPES = ("message/delivery-status", "message/global-delivery-status")
RETURNED_TYPES = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")
SMTP_CODES = frozenset(
    (
        "101",
        "111",
        "251",
        "252",
        "420",
        "421",
        "422",
        "431",
        "432",
        "441",
        "442",
        "450",
        "451",
        "452",
        "500",
        "501",
        "502",
        "503",
        "504",
        "510",
        "512",
        "513",
        "523",
        "530",
        "541",
        "550",
        "551",
        "552",
        "553",
        "554",
    )
)
_BY_STATUS = {"1.1": "550", "1.2": "512", "1.3": "553", "1.10": "550", "2.2": "552", "2.3": "523", "3.4": "523"}
_BY_TRANSIENT_STATUS = {"2.2": "422", "4.1": "441", "4.2": "442", "4.7": "420"}
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$")
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")


@dataclass(frozen=True, slots=True)
class DsnRecipient:
    """What one block says of one recipient."""

    action: str  # one of ACTIONS; empty when it says something else
    status: str  # enhanced status, e.g. 5.1.1; empty when absent
    final_recipient: str
    original_recipient: str = ""
    diagnostic: str = ""  # Diagnostic-Code, with its type
    remote_mta: str = ""
    will_retry_until: str = ""

    @property
    def smtp_code(self) -> str:
        """The three digits of table SMTPERRORCODE."""
        return smtp_code(self.status, self.diagnostic)


@dataclass(frozen=True, slots=True)
class Dsn:
    """One notice. `message_id` is the returned mail's, when its head came back."""

    envelope_id: str
    message_id: str
    reporting_mta: str
    recipients: tuple[DsnRecipient, ...]


def xtext(value: str) -> str:
    """Return the value as an ESMTP parameter writes it (RFC 3461, 4)."""
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in value)


def from_xtext(value: str) -> str:
    """Return the value of an ESMTP parameter."""
    return _XTEXT.sub(lambda found: chr(int(found.group(1), 16)), value)


def smtp_code(status: str, diagnostic: str = "") -> str:
    """Return the code of table SMTPERRORCODE: the server's own three digits, else what its status means."""
    kind, _, said = diagnostic.partition(";")
    if kind.strip().lower() == "smtp" and said.strip()[:3] in SMTP_CODES and said.strip()[:1] in "45":
        return said.strip()[:3]
    major, _, detail = status.partition(".")
    if major == "4":
        return _BY_TRANSIENT_STATUS.get(detail, "451")
    return _BY_STATUS.get(detail, "554")


def is_dsn(message: Message) -> bool:
    """Return whether a mail is a delivery status notification, by its content types alone.

    A notice that somebody attaches to a mail of his own is not one.
    """
    report = report_of(message)
    claimed = str(report.get_param("report-type") or "").strip('"').lower()
    return (report.get_content_type() == "multipart/report" and claimed == "delivery-status") or any(
        part.get_content_type() in STATUS_TYPES and part.get_content_disposition() != "attachment"
        for part in _top(report)
    )


def read_dsn(raw: bytes | Message) -> Dsn | None:
    """Return the notice, with every recipient block; None when the mail holds none."""
    message = parse_mail(raw) if isinstance(raw, bytes) else raw
    if not is_dsn(message):
        return None
    general: dict[str, str] = {}
    recipients: list[DsnRecipient] = []
    returned = ""
    for part in _top(report_of(message)):
        kind = part.get_content_type()
        if kind in STATUS_TYPES:
            for block in _blocks(part):
                if "action" in block or "final-recipient" in block:
                    recipients.append(_recipient(block))
                else:
                    general = general or block
        elif kind in RETURNED_TYPES and not returned:
            returned = _returned_id(part)
    return Dsn(
        envelope_id=general.get("original-envelope-id", ""),
        message_id=returned,
        reporting_mta=_typed(general.get("reporting-mta", "")),
        recipients=tuple(recipients),
    )


def _top(message: Message) -> list[Message]:
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        return [part for part in payload if isinstance(part, Message)]
    return [message]


def _blocks(part: Message) -> list[dict[str, str]]:
    payload = part.get_payload()
    if isinstance(payload, list) and part.get_content_type() == STATUS_TYPES[0]:  # read as one message per block
        blocks = [
            {name.lower(): " ".join(str(value).split()) for name, value in block.items()}
            for block in payload
            if isinstance(block, Message)
        ]
        if len(blocks) > 1 or (blocks and blocks[0]):
            return [block for block in blocks if block]
    source = content(part).decode("utf-8", "replace").replace("\r\n", "\n")
    return [found for block in re.split(r"\n[ \t]*\n", source) if (found := _fields(block))]


def _fields(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        if line[:1] in (" ", "\t") and name:
            found[name] += " " + line.strip()
        elif match := _FIELD.match(line):
            name = match.group(1).lower()
            found[name] = match.group(2).strip()
    return found


def _recipient(block: dict[str, str]) -> DsnRecipient:
    action = block.get("action", "").split("(")[0].strip().lower()
    return DsnRecipient(
        action=action if action in ACTIONS else "",
        status=_precise(block.get("status", ""), block.get("diagnostic-code", "")),
        final_recipient=_typed(block.get("final-recipient", "")),
        original_recipient=_typed(block.get("original-recipient", "")),
        diagnostic=block.get("diagnostic-code", ""),
        remote_mta=_typed(block.get("remote-mta", "")),
        will_retry_until=block.get("will-retry-until", ""),
    )


def _precise(status: str, diagnostic: str) -> str:
    """Return the enhanced status; the one of the remote server when the notice's own is general (Exim: 5.0.0)."""
    said, remote = _STATUS.search(status), _STATUS.search(diagnostic)
    if remote and (said is None or said.group(1)[1:] == ".0.0"):
        return remote.group(1)
    return said.group(1) if said else ""


def _typed(value: str) -> str:
    """Return what follows the type of a typed field (`rfc822;…`, `dns;…`), bare of brackets."""
    _, semicolon, rest = value.partition(";")
    return (rest if semicolon else value).strip().strip("<>")


def _returned_id(part: Message) -> str:
    payload = part.get_payload()
    if isinstance(payload, list) and payload and isinstance(payload[0], Message):
        found = message_ids(header(payload[0], "Message-ID"))
    else:
        head = content(part).decode("utf-8", "replace").replace("\r\n", "\n").split("\n\n")[0]
        found = message_ids(_fields(head).get("message-id", ""))
    return found[0] if found else ""
