"""What a returned mail is. The first test that fits decides: content types, then attachments, then words."""

import re
from dataclasses import dataclass
from email.message import Message
from enum import StrEnum

from labohub.standards.bounce import Bounce, is_bounce_subject, read_bounce
from labohub.standards.dsn import Dsn, read_dsn
from labohub.standards.mail import ARCHIVE_NAME, XDM_PREFIX
from labohub.standards.mail_reading import addresses, body_text, file_name, header, message_ids, parts
from labohub.standards.mdn import Mdn, integration_error_code, is_integration_error, read_mdn
from mss_sender.core.incoming import NotIntegrated, document_ids, read_documents
from mss_sender.core.laboratory import Laboratories
from mss_sender.core.planning import PATIENT_DOMAIN

LOOP_HEADER = "X-Labohub-Loop"
MAX_HOPS = 25  # Received headers; a longer way is a loop
_ROBOTS = re.compile(
    r"^(mailer-?daemon|postmaster|no-?reply|ne-?pas-?repondre|double-bounce|mail-?delivery(-system)?|bounces?)([+-].*)?@",
    re.IGNORECASE,
)
_MACHINE_SUBJECT = re.compile(
    r"(réponse automatique|auto(matic|matique)?[ -]?(reply|response)|out of office)", re.IGNORECASE
)
_ABSENCE_SUBJECT = re.compile(r"(réponse automatique|automatic reply|out of office|absen(t|ce))", re.IGNORECASE)
_AUTOMATIC_HEADERS = ("X-Autoreply", "X-Auto-Reply", "X-Autorespond", "X-AutoReply-From", "X-Mail-Autoreply")
_LISTS = ("bulk", "junk", "list")


class Kind(StrEnum):
    """What a return is; the value is stored."""

    UNREADABLE = "unreadable"
    LOOP = "loop"  # our own mail, come back
    CIRCULAR = "circular"  # from one of our own mailboxes, or after too many servers: not sent on any further
    DSN = "dsn"
    MDN = "mdn"
    INTEGRATION_ERROR = "integration_error"
    BOUNCE = "bounce"
    OUTSIDE = "outside"
    AUTO_REPLY = "auto_reply"
    BULK = "bulk"
    UNCLEAR = "unclear"  # no sender to return it to, and no word that says why
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
    bounce: Bounce | None = None
    error_code: str = ""
    document_ids: frozenset[str] = frozenset()  # of an XDM that answers something


def sort(message: Message, laboratories: Laboratories) -> Sorted:
    """Return what a mail is."""
    sender = next(iter(addresses(message, "From")), "")
    kind = _kind(message, sender, laboratories)
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
        return Sorted(kind, sender, message_ids=_distinct(clues), bounce=read_bounce(message))
    thread = _distinct(_thread(message))
    documents = _document_ids(message) if kind is Kind.XDM and thread else frozenset()
    return Sorted(kind, sender, message_ids=thread, document_ids=documents)


def _kind(message: Message, sender: str, laboratories: Laboratories) -> Kind:
    subject = header(message, "Subject")
    if not message.keys():
        return Kind.UNREADABLE
    if _is_ours(message, sender, laboratories):
        return Kind.LOOP
    if read_dsn(message) is not None:
        return Kind.DSN
    if read_mdn(message) is not None:
        return Kind.MDN
    if is_integration_error(message):
        return Kind.INTEGRATION_ERROR
    if _is_bounce(message, sender, subject):
        return Kind.BOUNCE
    if laboratories.own(sender) or len(message.get_all("Received", [])) > MAX_HOPS:
        return Kind.CIRCULAR
    if not laboratories.allows(sender):
        return Kind.OUTSIDE
    answers_us = any(laboratories.wrote(each) for each in _thread(message))
    return _automatic(message, subject, answers_us) or _written(message, sender, subject)


def _written(message: Message, sender: str, subject: str) -> Kind:
    if sender.lower().endswith("@" + PATIENT_DOMAIN):  # whatever is attached: patients send no documents to integrate
        return Kind.PATIENT_REPLY
    if _has_archive(message, subject):
        return Kind.XDM
    return Kind.REPLY if _thread(message) else Kind.HUMAN


def _is_ours(message: Message, sender: str, laboratories: Laboratories) -> bool:
    ours = laboratories.wrote(header(message, "Message-ID")) and laboratories.sends_from(sender)
    return ours or LOOP_HEADER in message


def _null_return_path(message: Message) -> bool:
    return header(message, "Return-Path").replace(" ", "") == "<>"


def _is_bounce(message: Message, sender: str, subject: str) -> bool:
    """Return whether a server says that a mail did not arrive: by its words, never by its being a server alone."""
    if "X-Failed-Recipients" in message:
        return True
    robot, null = bool(_ROBOTS.match(sender)), _null_return_path(message)
    if _MACHINE_SUBJECT.match(subject) or not (robot or null):
        return False
    return is_bounce_subject(subject) or (robot and null and read_bounce(message).says_something)


def _automatic(message: Message, subject: str, answers_us: bool) -> Kind | None:
    """Return how a machine wrote it; None when a person may have. A person who answers through a list is a person."""
    submitted = header(message, "Auto-Submitted").split(";")[0].strip().lower()
    precedence = header(message, "Precedence").lower()
    absent = "X-Auto-Response-Suppress" in message and bool(_ABSENCE_SUBJECT.match(subject))
    if submitted not in ("", "no") or precedence in ("auto_reply", "auto-reply") or absent:
        return Kind.AUTO_REPLY
    if any(name in message for name in _AUTOMATIC_HEADERS) or _MACHINE_SUBJECT.match(subject):
        return Kind.AUTO_REPLY
    if ("List-Id" in message or precedence in _LISTS) and not answers_us:
        return Kind.BULK
    return Kind.UNCLEAR if _null_return_path(message) else None


def _has_archive(message: Message, subject: str) -> bool:
    names = [file_name(part).lower() for part in parts(message)]
    return ARCHIVE_NAME.lower() in names or (
        subject.startswith(XDM_PREFIX.rstrip("+")) and any(name.endswith(".zip") for name in names)
    )


def _document_ids(message: Message) -> frozenset[str]:
    try:
        return document_ids(read_documents(message, production=False))
    except NotIntegrated:
        return frozenset()


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
