"""What a returned mail is. The first test that fits decides: content types, then attachments, then words."""

import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from labohub.standards.dsn import Dsn, read_dsn
from labohub.standards.mail import ARCHIVE_NAME, XDM_PREFIX, same_address
from labohub.standards.mail_reading import addresses, body_text, file_name, header, message_ids, parts
from labohub.standards.mdn import Mdn, integration_error_code, is_integration_error, read_mdn
from mss_sender.core.laboratory import Laboratory
from mss_sender.core.planning import PATIENT_DOMAIN

LOOP_HEADER = "X-Labohub-Loop"
MAX_HOPS = 25  # Received headers; a longer way is a loop
_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|ne-pas-repondre|double-bounce)(\+.*)?@", re.IGNORECASE)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|delivery (status|failure|has failed)|mail delivery failed|returned (mail|to sender)|failure notice|"
    r"non[ -]remis|non[ -]distribu|échec de (la )?(remise|distribution|livraison)",
    re.IGNORECASE,
)
_ABSENCE_SUBJECT = re.compile(r"réponse automatique|automatic reply|out of office|absen(t|ce)", re.IGNORECASE)


class Kind(StrEnum):
    """What a return is; the value is stored."""

    UNREADABLE = "unreadable"
    LOOP = "loop"
    DSN = "dsn"
    MDN = "mdn"
    INTEGRATION_ERROR = "integration_error"
    BOUNCE = "bounce"
    OUTSIDE = "outside"
    AUTO_REPLY = "auto_reply"
    BULK = "bulk"
    XDM = "xdm"
    PATIENT_REPLY = "patient_reply"
    REPLY = "reply"
    HUMAN = "human"

    @property
    def is_human(self) -> bool:
        """Whether a person wrote it, and a person must read it."""
        return self in (Kind.PATIENT_REPLY, Kind.REPLY, Kind.HUMAN)


@dataclass(frozen=True, slots=True)
class Sorted:
    """A return as understood: its kind, what it may be about (best clue first) and what it reports."""

    kind: Kind
    sender: str
    envelope_id: str = ""
    message_ids: tuple[str, ...] = ()
    dsn: Dsn | None = None
    mdn: Mdn | None = None
    error_code: str = ""


def sort(message: Message, laboratory: Laboratory) -> Sorted:
    """Return what a mail is."""
    sender = next(iter(addresses(message, "From")), "")
    kind = _kind(message, sender, laboratory)
    if kind is Kind.DSN and (dsn := read_dsn(message)):
        clues = (dsn.message_id, *_thread(message), *message_ids(body_text(message)))
        return Sorted(kind, sender, dsn.envelope_id, _distinct(clues), dsn=dsn)
    if kind is Kind.MDN and (mdn := read_mdn(message)):
        return Sorted(kind, sender, message_ids=_distinct((mdn.message_id, *_thread(message))), mdn=mdn)
    if kind is Kind.INTEGRATION_ERROR:
        clues = (*_thread(message), *_attached_ids(message))
        return Sorted(kind, sender, message_ids=_distinct(clues), error_code=integration_error_code(message))
    if kind is Kind.BOUNCE:
        clues = (*_thread(message), *_attached_ids(message), *message_ids(body_text(message)))
        return Sorted(kind, sender, message_ids=_distinct(clues))
    return Sorted(kind, sender, message_ids=_distinct(_thread(message)))


def _kind(message: Message, sender: str, laboratory: Laboratory) -> Kind:
    subject = header(message, "Subject")
    if not message.keys():
        return Kind.UNREADABLE
    if _is_loop(message, sender, laboratory):
        return Kind.LOOP
    if read_dsn(message) is not None:
        return Kind.DSN
    if read_mdn(message) is not None:
        return Kind.MDN
    if is_integration_error(message):
        return Kind.INTEGRATION_ERROR
    if _is_bounce(message, sender, subject):
        return Kind.BOUNCE
    if not laboratory.allows(sender):
        return Kind.OUTSIDE
    return _automatic(message, subject) or _written(message, sender, subject)


def _written(message: Message, sender: str, subject: str) -> Kind:
    if _has_archive(message, subject):
        return Kind.XDM
    if sender.lower().endswith("@" + PATIENT_DOMAIN):
        return Kind.PATIENT_REPLY
    return Kind.REPLY if _thread(message) else Kind.HUMAN


def _is_loop(message: Message, sender: str, laboratory: Laboratory) -> bool:
    ours = header(message, "Message-ID").rstrip(">").endswith("@" + laboratory.domain) and same_address(
        sender, laboratory.bal_applicative
    )
    return ours or LOOP_HEADER in message or len(message.get_all("Received", [])) > MAX_HOPS


def _null_return_path(message: Message) -> bool:
    return header(message, "Return-Path") == "<>"


def _is_bounce(message: Message, sender: str, subject: str) -> bool:
    if "X-Failed-Recipients" in message:
        return True
    return bool(_ROBOTS.match(sender)) and (_null_return_path(message) or bool(_BOUNCE_SUBJECT.search(subject)))


def _automatic(message: Message, subject: str) -> Kind | None:
    submitted = header(message, "Auto-Submitted").split(";")[0].strip().lower()
    precedence = header(message, "Precedence").lower()
    if "List-Id" in message or precedence in ("bulk", "junk", "list"):
        return Kind.BULK
    absent = "X-Auto-Response-Suppress" in message and bool(_ABSENCE_SUBJECT.search(subject))
    if submitted not in ("", "no") or precedence == "auto_reply" or _null_return_path(message) or absent:
        return Kind.AUTO_REPLY
    return None


def _has_archive(message: Message, subject: str) -> bool:
    names = [file_name(part).lower() for part in parts(message)]
    return ARCHIVE_NAME.lower() in names or (
        subject.startswith(XDM_PREFIX.rstrip("+")) and any(name.endswith(".zip") for name in names)
    )


def _thread(message: Message) -> tuple[str, ...]:
    """Return the messages it answers: In-Reply-To, then References from the right."""
    references = message_ids(header(message, "References"))
    return (*message_ids(header(message, "In-Reply-To")), *reversed(references))


def _attached_ids(message: Message) -> tuple[str, ...]:
    found: list[str] = []
    for part in parts(message):
        inner = part.get_payload()
        if part.get_content_type() == "message/rfc822" and isinstance(inner, list) and inner:
            first = inner[0]
            if isinstance(first, Message):
                found += message_ids(header(first, "Message-ID"))
    return tuple(found)


def _distinct(clues: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(clue for clue in clues if clue))
