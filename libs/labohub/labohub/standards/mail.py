"""Mails that carry documents: names, headers and MIME, as MSSanté asks. Bytes out, always 7-bit, CRLF.

The attachments of a document are encoded once (`encode_attachment`) and reused for each of its recipients.

Source: référentiel socle MSSanté #2 (ECO.2.1, 2.2, 2.4), RFC 5322, 2045–2047, 2231, 8098.
"""

import binascii
import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from labohub.errors import Refused

XDM_PREFIX = "XDM/1.0/DDM+"  # ECO.2.1.3
LABEL_CHARACTERS = 40  # ECO.2.1.3 and 2.1.6
ARCHIVE_NAME = "IHE_XDM.zip"  # ECO.2.1.1
_POLICY = SMTP.clone(cte_type="7bit")
_FOLDED_AT_ONCE = re.compile(rb"\A([!-9;-~]+):\r\n[ \t]+")  # legal, yet readers differ: some keep the blank
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_NOT_IN_FILE_NAMES = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')


class AddressMalformed(Refused):
    """A mail address that no server would take."""

    code = "mail.address-malformed"


@dataclass(frozen=True, slots=True)
class MailHeaders:
    """What the head of one mail says. One recipient, one patient."""

    sender_name: str
    sender_address: str  # also the envelope sender: an automatic MDN is only sent to it (RFC 8098, 2.1)
    to: str
    subject: str
    sent_at: datetime
    message_id: str  # with its angle brackets
    product_reference: str  # X-MSS-NIL, on every mail
    reply_to: str = ""
    asks_reading: bool = False  # Disposition-Notification-To; never towards a patient
    document_codes: tuple[str, ...] = ()  # X-MSS-CODECDA: one per CDA, repeated when repeated
    has_ins: bool = False  # X-MSS-INS, only with documents
    closes_exchange: bool = False  # X-MSS-MES: FIN, only towards a patient
    in_reply_to: str = ""
    automatic: bool = False  # Auto-Submitted: a notice of ours, not a document
    extra: tuple[tuple[str, str], ...] = ()


def normal_address(text: str) -> str:
    """Return an address with its domain in lower-case A-labels; the local part keeps its case.

    Raises:
        AddressMalformed: not one plain address.
    """
    local, at, domain = text.strip().rpartition("@")
    try:
        ascii_domain = domain.lower().encode("idna").decode("ascii")
    except UnicodeError:
        raise AddressMalformed("the domain cannot be written in ASCII") from None
    if not at or len(local) > 64 or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        raise AddressMalformed("not a mail address")
    return f"{local}@{ascii_domain}"


def same_address(first: str, second: str) -> bool:
    """Return whether two addresses name one mailbox: case never counts in MSSanté."""
    return first.strip().casefold() == second.strip().casefold()


def without_accents(text: str) -> str:
    """Return the text with plain Latin letters: marks fall, ligatures are spelled."""
    spelled = text.translate({0x153: "oe", 0x152: "OE", 0xE6: "ae", 0xC6: "AE", 0xDF: "ss", 0xF8: "o", 0xD8: "O"})
    decomposed = unicodedata.normalize("NFKD", spelled.replace("\u2019", "'"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def subject(label: str, birth_name: str, given_name: str, birth_date: str = "") -> str:
    """Return the subject of a mail with documents; the birth date (YYYYMMDD) is left out when unknown.

    Source: ECO.2.1.3.
    """
    words = [_one_line(label)[:LABEL_CHARACTERS].strip(), _plain_name(birth_name), _plain_name(given_name)]
    if re.fullmatch(r"\d{8}", birth_date):
        words.append(f"{birth_date[6:8]}/{birth_date[4:6]}/{birth_date[:4]}")
    return XDM_PREFIX + " ".join(word for word in words if word)


def pdf_name(act_at: str, label: str, birth_name: str, given_name: str, order_number: str = "") -> str:
    """Return the file name of a PDF copy; `act_at` is a CDA time, of which the day is kept.

    Source: ECO.2.1.6.
    """
    parts = [act_at[:8], _one_line(label)[:LABEL_CHARACTERS].strip(), _plain_name(birth_name)]
    parts += [without_accents(_one_line(given_name)), order_number]
    clean = [" ".join(_NOT_IN_FILE_NAMES.sub(" ", _one_line(part)).split()).strip(" .") for part in parts]
    return "_".join(part for part in clean if part) + ".pdf"


def encode_attachment(name: str, media_type: str, content: bytes) -> bytes:
    """Return one MIME part, complete with its headers, in base64."""
    part = MIMEPart(policy=_POLICY)
    part["Content-Type"] = media_type
    part["Content-Transfer-Encoding"] = "base64"
    part.add_header("Content-Disposition", "attachment", filename=name)
    return _head(part) + b"\r\n" + _base64(content)


def encode_original(raw: bytes) -> bytes:
    """Return a MIME part that holds a whole mail as it was received (message/rfc822)."""
    body = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    if not body.isascii() or any(len(line) > 998 for line in body.split(b"\r\n")):
        return encode_attachment("message_original.eml", "application/octet-stream", raw)
    part = MIMEPart(policy=_POLICY)
    part["Content-Type"] = "message/rfc822"
    part["Content-Transfer-Encoding"] = "7bit"
    part.add_header("Content-Disposition", "attachment", filename="message_original.eml")
    return _head(part) + b"\r\n" + body


def compose(headers: MailHeaders, text: str, parts: Sequence[bytes]) -> bytes:
    """Return the mail: its head, the text for the reader, then the parts already encoded.

    The same arguments always give the same bytes.

    Raises:
        AddressMalformed: an address of the head.
    """
    boundary = "=_" + hashlib.sha256(headers.message_id.encode()).hexdigest()[:40]  # `=_` occurs in no base64 or QP
    fence = b"--" + boundary.encode()
    head = _from_line(_one_line(headers.sender_name), normal_address(headers.sender_address))
    head += _head(_header_block(headers, boundary))
    chunks = [head, b"\r\n"]
    for part in (_text_part(text), *parts):
        chunks += [fence, b"\r\n", part, b"" if part.endswith(b"\r\n") else b"\r\n"]
    chunks += [fence, b"--\r\n"]
    return b"".join(chunks)


def _header_block(headers: MailHeaders, boundary: str) -> EmailMessage:
    message = EmailMessage(policy=_POLICY)
    sender = normal_address(headers.sender_address)
    message["To"] = normal_address(headers.to)
    if headers.reply_to:
        message["Reply-To"] = normal_address(headers.reply_to)
    message["Date"] = format_datetime(headers.sent_at)
    message["Message-ID"] = headers.message_id
    if headers.in_reply_to:
        message["In-Reply-To"] = message["References"] = headers.in_reply_to
    message["Subject"] = _one_line(headers.subject)
    if headers.asks_reading:
        message["Disposition-Notification-To"] = sender
    if headers.automatic:
        message["Auto-Submitted"] = "auto-generated"
    message["X-MSS-NIL"] = _one_line(headers.product_reference)
    if headers.document_codes:
        message["X-MSS-CODECDA"] = ",".join(headers.document_codes)
        message["X-MSS-INS"] = "O" if headers.has_ins else "N"
    if headers.closes_exchange:
        message["X-MSS-MES"] = "FIN"
    for name, value in headers.extra:
        message[name] = _one_line(value)
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = f'multipart/mixed; boundary="{boundary}"'
    return message


def _text_part(text: str) -> bytes:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").encode().split(b"\n")
    encoded = b"\r\n".join(_quoted(line) for line in lines)
    return (
        b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
        + encoded
        + b"\r\n\r\n"  # the last end of line belongs to the boundary
    )


def _quoted(line: bytes) -> bytes:
    return binascii.b2a_qp(line, quotetabs=False, istext=True).replace(b"=\n", b"=\r\n")


def _base64(content: bytes) -> bytes:
    text = binascii.b2a_base64(content, newline=False)
    return b"\r\n".join([text[start : start + 76] for start in range(0, len(text), 76)]) + b"\r\n"


def _head(message: EmailMessage | MIMEPart) -> bytes:
    """Return the header lines. A value always begins on its header's own line: `XDM/1.0/DDM+` is looked for there."""
    return b"".join(_FOLDED_AT_ONCE.sub(rb"\1: ", _POLICY.fold_binary(*item), count=1) for item in message.items())


@lru_cache(maxsize=64)
def _from_line(name: str, address: str) -> bytes:
    """Return the From header: the same for all mails of a laboratory, and the slowest to encode."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(name, addr_spec=address)
    return _head(message)


def _one_line(text: str) -> str:
    """Return the text without control characters: nobody adds a header through a name."""
    return " ".join(
        "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in text).split()
    )


def _plain_name(text: str) -> str:
    return without_accents(_one_line(text)).upper()
