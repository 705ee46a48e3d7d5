"""Mails that come in: a tolerant reader. Nothing here raises on what a stranger wrote.

Source: RFC 5322, 2045–2047; MSSanté correspondents write dates, headers and MIME in many wrong ways.
"""

import re
from collections.abc import Iterator
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses

_PARSER = BytesParser(policy=compat32)
_MESSAGE_ID = re.compile(r"<\s*([^<>\s@]+@[^<>\s]+?)\s*>")
MAX_TEXT_CHARACTERS = 200_000  # what is searched in a body; a report's notice is far shorter


def parse_mail(raw: bytes) -> Message:
    """Return the mail as Python's `email` reads it, defects and all."""
    return _PARSER.parsebytes(raw)


def header(message: Message, name: str) -> str:
    """Return a header with its encoded words read and its folds removed; empty when absent."""
    return next(iter(_values(message, name)), "")


def _values(message: Message, name: str) -> Iterator[str]:
    """Yield the values of a header, decoded; bytes that should not be there are taken as UTF-8."""
    for raw in _raw(message, name):
        yield " ".join(_without_encoded_words(raw).split())


def _raw(message: Message, name: str) -> Iterator[str]:
    for found, raw in message.raw_items():
        if found.lower() == name.lower():
            yield _decoded(str(raw).encode("utf-8", "surrogateescape"), None)


def _without_encoded_words(value: str) -> str:
    try:
        pieces = decode_header(value)
        return "".join(piece if isinstance(piece, str) else _decoded(piece, charset) for piece, charset in pieces)
    except (ValueError, LookupError):
        return value


def addresses(message: Message, name: str) -> tuple[str, ...]:
    """Return the addresses of a header, in order, without display names."""
    values = list(_raw(message, name))
    return tuple(address for _, address in getaddresses(values) if "@" in address)


def message_ids(text: str) -> tuple[str, ...]:
    """Return the message identifiers of a text, with brackets; spaces inside them are dropped."""
    return tuple(f"<{found}>" for found in _MESSAGE_ID.findall(text))


def parts(message: Message, depth: int = 4) -> Iterator[Message]:
    """Yield the leaf parts, in order, without entering attached mails."""
    if depth and message.get_content_maintype() == "multipart" and isinstance(message.get_payload(), list):
        for child in message.get_payload():
            if isinstance(child, Message):
                yield from parts(child, depth - 1)
    else:
        yield message


def report_of(message: Message) -> Message:
    """Return the multipart/report of a mail: itself, or the one to which a gateway added a footer.

    A report that comes after a text is one that a person sends on: not what the mail is.
    """
    payload = message.get_payload()
    if message.get_content_type() == "multipart/mixed" and isinstance(payload, list) and payload:
        first = payload[0]
        if isinstance(first, Message) and first.get_content_type() == "multipart/report":
            return first
    return message


def content(part: Message) -> bytes:
    """Return a part's decoded bytes; for a part that holds parts, their source."""
    if part.is_multipart():
        inner = part.get_payload()
        return b"\r\n".join(child.as_bytes() for child in inner if isinstance(child, Message)) if inner else b""
    try:
        found = part.get_payload(decode=True)
    except (ValueError, LookupError):
        return b""
    return found if isinstance(found, bytes) else b""


def text_of(part: Message) -> str:
    """Return a part's text, whatever charset it claims."""
    return _decoded(content(part), part.get_content_charset())[:MAX_TEXT_CHARACTERS]


def body_text(message: Message) -> str:
    """Return the plain text that a person reads: all text/plain parts that are not attached files."""
    chosen = [
        text_of(part)
        for part in parts(message)
        if part.get_content_type() == "text/plain" and part.get_content_disposition() != "attachment"
    ]
    return "\n".join(chosen)


def file_name(part: Message) -> str:
    """Return the name of an attached file; empty when it has none."""
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError):
        return ""
    return str(name) if name else ""


def _decoded(content_bytes: bytes, charset: str | None) -> str:
    for candidate in (charset, "utf-8"):
        if candidate:
            try:
                return content_bytes.decode(candidate)
            except (LookupError, UnicodeDecodeError):
                continue
    return content_bytes.decode("latin-1")
