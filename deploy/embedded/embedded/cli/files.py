"""From files to messages, whatever their line ends and framing."""

import re
from collections.abc import Iterator
from pathlib import Path

from labohub.errors import Refused

_START, _END = b"\x0b", b"\x1c"
_HEAD = re.compile(rb"(?:^|\r)(?=MSH[^A-Za-z0-9\r])")
_ENVELOPE = re.compile(rb"^(?:FHS|BHS|BTS|FTS)[^A-Za-z0-9\r].*$")


class NoMessage(Refused):
    """The file holds no HL7 message: no MSH."""

    code = "send.no-message"


def messages_in(data: bytes) -> list[bytes]:
    """Return the messages of a file: MLLP frames, a batch, or ER7 with CR, LF or CRLF; segments end with CR.

    Raises:
        NoMessage: see the class.
    """
    if _START in data:
        frames = (part.split(_END, 1)[0] for part in data.split(_START)[1:])
        return [message for frame in frames for message in _split(frame)]
    return _split(data)


def _split(data: bytes) -> list[bytes]:
    text = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    found = []
    for part in _HEAD.split(text):
        lines = [line for line in part.split(b"\r") if line and not _ENVELOPE.match(line)]
        if lines and lines[0].startswith(b"MSH"):
            found.append(b"\r".join(lines) + b"\r")
    if not found:
        raise NoMessage("no MSH in it")
    return found


def read_all(paths: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Yield the messages of files with the files' names. Raises: NoMessage, OSError."""
    for path in paths:
        try:
            found = messages_in(path.read_bytes())
        except NoMessage:
            raise NoMessage(f"{path.name}: no HL7 message in it") from None
        for message in found:
            yield path.name, message


def with_control_id(message: bytes, suffix: str) -> bytes:
    """Return the message with a suffix on its MSH-10: a new message for the hub."""
    head, end, rest = message.partition(b"\r")
    separator = head[3:4]
    fields = head.split(separator)
    if len(fields) > 9:
        fields[9] += suffix.encode()
    return separator.join(fields) + end + rest
