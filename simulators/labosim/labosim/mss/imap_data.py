"""Words of IMAP commands and items of IMAP answers."""

import re
from email.utils import format_datetime

from labosim.mss.boxes import Stored

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"|\(([^()]*)\)|([^\s()"]+(?:\[[^\]]*\][^\s()"]*)?)')
_PART = re.compile(r"^BODY(?:\.PEEK)?\[(HEADER)?\](?:<(\d+)\.(\d+)>)?$")


def tokens(text: bytes) -> list[bytes]:
    """Return the words of a command: quoted strings and lists are one word each."""
    found = []
    for match in _TOKEN.finditer(text):
        quoted, listed, atom = match.groups()
        if quoted is not None:
            found.append(re.sub(rb"\\(.)", rb"\1", quoted))
        else:
            found.append(listed if listed is not None else atom)
    return found


def within(uid: int, wanted: str, last: int) -> bool:
    """Return whether a set names a UID; `n:*` always names the last one (RFC 3501, 6.4.8)."""
    for span in wanted.split(","):
        first, _, end = span.partition(":")
        low = last if first == "*" else int(first)
        high = low if not end else (last if end == "*" else int(end))
        if min(low, high) <= uid <= max(low, high):
            return True
    return False


def item(name: str, mail: Stored) -> bytes | None:
    """Return one item of FETCH; None when it is not known here."""
    if name == "UID":
        return b"UID %d" % mail.uid
    if name == "FLAGS":
        return f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
    if name == "RFC822.SIZE":
        return b"RFC822.SIZE %d" % mail.size_bytes
    if name == "INTERNALDATE":
        return f'INTERNALDATE "{format_datetime(mail.received_at)[5:]}"'.encode()
    found = _PART.match("BODY[]" if name == "RFC822" else name)
    if found is None:
        return None
    raw = mail.raw()
    if found[1]:
        raw = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    origin = b""
    if found[2]:
        start, length = int(found[2]), int(found[3])
        raw, origin = raw[start : start + length], b"<%d>" % start
    if ".PEEK" not in name:
        mail.flags.add("\\Seen")
    said = b"RFC822" if name == "RFC822" else (b"BODY[HEADER]" if found[1] else b"BODY[]")
    return b"%s%s {%d}\r\n%s" % (said, origin, len(raw), raw)
