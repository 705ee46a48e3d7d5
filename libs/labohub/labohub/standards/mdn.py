"""Message disposition notifications: what a recipient, or his software, did with a mail.

Four shapes of a failed integration are read, among them one that is no valid MIME: the national guide's own example.

Source: RFC 8098, 6522; ANS volet "Transmission au LPS de documents CDA provenant d'un courriel MSSanté" 1.1.2, 1.1.3.
"""

import re
from dataclasses import dataclass
from email.message import Message

from labohub.standards.mail_reading import addresses, content, header, message_ids, parse_mail, report_of

DISPOSITION_TYPES = ("message/disposition-notification", "message/global-disposition-notification")
TYPES = ("displayed", "deleted", "dispatched", "processed", "denied", "failed")
INTEGRATION_ERRORS = frozenset(("900", "901", "902", "903", "904", "905", "906"))
OTHER_ERROR = "906"
_FIELD = re.compile(
    r"^[ \t]*(Original-Message-ID|Final-Recipient|Original-Recipient|Disposition|Error|Failure|Warning)"
    r"[ \t]*:[ \t]*(.*(?:\r?\n[ \t]+\S.*)*)",
    re.IGNORECASE | re.MULTILINE,
)
_CODE = re.compile(r"\b(90[0-6])\b")
_KO_SUBJECT = re.compile(r"\[\s*(?:KO\s+Intégration\s+système|Erreur\s+d['\u2019]intégration)\s*!?\s*\]", re.IGNORECASE)
_SUBJECT_CODE = re.compile(r"\[\s*(\d{3})\s*\]")


@dataclass(frozen=True, slots=True)
class Mdn:
    """One notice."""

    message_id: str  # of the mail it speaks of; empty when nothing tells
    recipient: str  # who answers: Final-Recipient, else Original-Recipient
    action_mode: str  # manual-action, automatic-action
    disposition: str  # one of TYPES; empty when unknown
    modifiers: tuple[str, ...] = ()
    error_code: str = ""  # 900…906 when the mail could not be integrated

    @property
    def failed(self) -> bool:
        """Whether the recipient could not integrate the document."""
        return bool(self.error_code)

    @property
    def positive(self) -> bool:
        """Whether a person read it or software integrated it."""
        return not self.failed and self.disposition in ("displayed", "dispatched", "processed")


def is_mdn(message: Message) -> bool:
    """Return whether a mail is a disposition notification, by its content types alone.

    A notice that somebody attaches to a mail of his own is not one.
    """
    report = report_of(message)
    claimed = str(report.get_param("report-type") or "").strip('"').lower()
    payload = report.get_payload()
    top = [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else [report]
    return (report.get_content_type() == "multipart/report" and claimed == "disposition-notification") or any(
        part.get_content_type() in DISPOSITION_TYPES and part.get_content_disposition() != "attachment" for part in top
    )


def is_integration_error(message: Message) -> bool:
    """Return whether the subject is the one of an integration error mail ("courriel standard")."""
    return bool(_KO_SUBJECT.match(header(message, "Subject")))


def integration_error_code(message: Message) -> str:
    """Return the code 900…906 that an error mail's subject gives; 906 when it gives none."""
    found = _SUBJECT_CODE.search(header(message, "Subject"))
    return found.group(1) if found and found.group(1) in INTEGRATION_ERRORS else OTHER_ERROR


def read_mdn(raw: bytes | Message) -> Mdn | None:
    """Return the notice; None when the mail holds none."""
    message = parse_mail(raw) if isinstance(raw, bytes) else raw
    if not is_mdn(message):
        return None
    fields = _fields(message)
    mode, _, outcome = fields.get("disposition", "").partition(";")
    kind, *modifiers = (word.strip() for word in outcome.split("/")) if outcome else ("",)
    disposition = kind.lower() if kind.lower() in TYPES else ""
    found = message_ids(fields.get("original-message-id", ""))
    return Mdn(
        message_id=found[0] if found else _other_id(message),
        recipient=_bare(fields.get("final-recipient") or fields.get("original-recipient") or "") or _from(message),
        action_mode=mode.split("/")[0].strip().lower(),
        disposition=disposition,
        modifiers=tuple(re.split(r"[:,]", "/".join(modifiers))[0].strip().lower() for _ in modifiers[:1]),
        error_code=_error_code(message, fields, disposition, "/".join(modifiers)),
    )


def _error_code(message: Message, fields: dict[str, str], disposition: str, modifiers: str) -> str:
    wrong = disposition == "failed" or modifiers.strip().lower().startswith(("error", "failed", "failure"))
    if not (wrong or "error" in fields or "failure" in fields):
        return ""
    for said in (fields.get("error", ""), fields.get("failure", ""), modifiers):
        if found := _CODE.search(said):
            return found.group(1)
    return integration_error_code(message)


def _fields(message: Message) -> dict[str, str]:
    """Return the fields of the machine-readable part: in it, among its headers or, last, anywhere in the text."""
    payload = report_of(message).get_payload()
    top = [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else [message]
    for part in top:
        if part.get_content_type() in DISPOSITION_TYPES:
            heads = "\n".join(f"{name}: {value}" for name, value in part.items())
            found = _found(heads + "\n" + content(part).decode("utf-8", "replace"))
            if "disposition" in found:
                return found
    return _found("\n".join(content(part).decode("utf-8", "replace") for part in top[:2]))


def _found(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(text):
        fields.setdefault(name.lower(), " ".join(value.split()))
    return fields


def _other_id(message: Message) -> str:
    payload = report_of(message).get_payload()
    for part in payload[2:] if isinstance(payload, list) else []:
        inner = part.get_payload() if isinstance(part, Message) else None
        if not (isinstance(inner, list) and inner and isinstance(inner[0], Message)):
            continue
        if found := message_ids(header(inner[0], "Message-ID")):
            return found[0]
    for name in ("In-Reply-To", "References"):
        if found := message_ids(header(message, name)):
            return found[-1]
    return ""


def _from(message: Message) -> str:
    found = addresses(message, "From")
    return found[0] if found else ""


def _bare(value: str) -> str:
    _, semicolon, rest = value.partition(";")
    return (rest if semicolon else value).strip().strip("<>")
