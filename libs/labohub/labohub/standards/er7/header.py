"""MSH read on bytes: enough to route, to find a duplicate and to answer, before anything is decoded."""

import re
from dataclasses import dataclass, replace

from labohub.errors import Refused
from labohub.standards.er7.delimiters import USUAL, Delimiters

CONTROL_BYTES = bytes(value for value in range(0x20) if value not in b"\t\n\r")  # of no text; they are left out
_BLANK = b"\r\n \t\x00"
BOM = b"\xef\xbb\xbf"
_HEADER_BYTES = 4096  # MSH is short; a body may be 32 MiB
MAX_BATCH_MESSAGES = 10_000


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of MSH, as Latin-1 text so that every byte survives. Position 1 is the field separator."""

    fields: tuple[str, ...]
    delimiters: Delimiters
    delimiters_valid: bool = True

    def field(self, number: int) -> str:
        """Return MSH-`number` whole, stripped."""
        return self.fields[number].strip() if number < len(self.fields) else ""

    def component(self, number: int, position: int) -> str:
        """Return one component of the first repetition of MSH-`number`, stripped."""
        first = self.field(number).split(self.delimiters.repetition, 1)[0]
        parts = first.split(self.delimiters.component)
        return parts[position - 1].strip() if position <= len(parts) else ""


def read_header(raw: bytes) -> Header | None:
    """Return MSH, or None when the bytes do not begin with one (after a BOM and blank lines)."""
    start = start_of(raw)
    head = raw[start : start + _HEADER_BYTES]
    line = head.split(b"\r", 1)[0].split(b"\n", 1)[0].translate(None, CONTROL_BYTES).decode("latin-1")
    if not line.startswith("MSH") or len(line) < len("MSH|^~\\&"):
        return None
    separator = line[3]
    if separator.isalnum() or separator.isspace():
        return None
    parts = line.split(separator)
    delimiters = Delimiters.declared(separator, _declared(parts[1]))
    fields = ("MSH", separator, *parts[1:])
    return Header(fields, delimiters or replace(USUAL, field=separator), delimiters is not None)


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of a batch, and what its trailers announce."""

    messages: tuple[bytes, ...]
    count: int | None  # the sum of BTS-1; None when nothing is said, -1 when it is no number
    batches: int | None  # FTS-1, likewise
    groups: int  # batches found: BHS, or one when there is none
    has_header: bool  # False: messages one after another, without FHS or BHS

    @property
    def miscounted(self) -> str:
        """Return where the announced number differs from what was found, as ERR-2; "" when nothing is missing."""
        if self.count is not None and self.count != len(self.messages):
            return "BTS^1^1"
        return "FTS^1^1" if self.batches is not None and self.batches != self.groups else ""


class BatchTooLarge(Refused):
    """More messages in one batch than can be answered before the sender loses patience."""

    code = "er7.batch-too-large"


def split_batch(raw: bytes) -> Batch | None:
    """Return the messages of a batch; None when it is a single message.

    FHS, BHS or both may be missing: several MSH one after another are several messages.

    Raises: BatchTooLarge.
    Source: HL7 v2.5.1 chapter 2, §2.10.3.
    """
    start = start_of(raw)
    opening = raw[start : start + 4]
    has_header = opening[:3] in (b"FHS", b"BHS")
    if not has_header and not _holds_several(raw, start, opening):
        return None
    body = b"\r" + raw[start:]
    counts: dict[bytes, int] = {}
    messages: list[bytes] = []
    groups = 0
    begin = -1  # of the message that is open
    for match in _BATCH_SEGMENT.finditer(body):
        name, at = match.group(1), match.start(1)
        if begin >= 0:
            messages.append(body[begin:at])
        begin = at if name == b"MSH" else -1
        if len(messages) > MAX_BATCH_MESSAGES:
            raise BatchTooLarge("more messages in one batch than the limit")
        groups += name == b"BHS"
        if name in (b"BTS", b"FTS"):
            counts[name] = _sum(counts.get(name, 0), _count(body[at : at + _COUNT_BYTES]))
    if begin >= 0:
        messages.append(body[begin:])
    return Batch(tuple(messages), counts.get(b"BTS"), counts.get(b"FTS"), max(groups, 1), has_header)


_BATCH_SEGMENT = re.compile(rb"[\r\n](FHS|BHS|BTS|FTS|MSH)(?=[^A-Za-z0-9\r\n])")
_COUNT_BYTES = 32


def _count(line: bytes) -> int:
    """Return field 1 of a trailer; -1 when it is no number."""
    number = line[4:].split(b"\r", 1)[0].split(b"\n", 1)[0].split(line[3:4], 1)[0].strip()
    return int(number) if number.isdigit() and len(number) < 10 else -1


def _sum(one: int, other: int) -> int:
    return -1 if min(one, other) < 0 else one + other


def _holds_several(raw: bytes, start: int, opening: bytes) -> bool:
    if opening[:3] != b"MSH" or opening[3:4].isalnum():
        return False
    opened_or_counted = (opening, b"BTS" + opening[3:4])  # a trailer alone counts too: a message may be lost
    return any(raw.find(end + name, start) >= 0 for name in opened_or_counted for end in (b"\r", b"\n"))


def start_of(raw: bytes) -> int:
    """Return where the first segment begins: after a BOM, blank lines and NUL."""
    start = len(BOM) if raw.startswith(BOM) else 0
    limit = min(len(raw), start + 1024)
    while start < limit and raw[start] in _BLANK:
        start += 1
    return start


def _declared(msh_2: str) -> str:
    """Return MSH-2 of bytes seen as Latin-1, with its UTF-8 characters put together."""
    try:
        return msh_2.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return msh_2
