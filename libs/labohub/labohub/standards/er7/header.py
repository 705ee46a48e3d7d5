"""MSH read on bytes: enough to route, to find a duplicate and to answer, before anything is decoded."""

from dataclasses import dataclass

from labohub.standards.er7.delimiters import USUAL, Delimiters

_BLANK = b"\r\n \t\x00"
_BOM = b"\xef\xbb\xbf"


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
    start = _start(raw)
    if raw[start : start + 3] != b"MSH" or len(raw) < start + 8:
        return None
    end = len(raw)
    for terminator in (b"\r", b"\n"):
        found = raw.find(terminator, start, min(end, start + 4096))  # MSH is short; a body may be 32 MiB
        if found >= 0:
            end = min(end, found)
    line = raw[start : min(end, start + 4096)].decode("latin-1")
    separator = line[3]
    parts = line.split(separator)
    delimiters = Delimiters.declared(separator, _declared(parts[1])) if len(parts) > 1 else None
    fields = ("MSH", separator, *parts[1:])
    return Header(fields, delimiters or USUAL, delimiters is not None)


def split_batch(raw: bytes) -> tuple[list[bytes], int | None, int | None] | None:
    """Return the messages of a batch, the count of BTS-1 and of FTS-1; None when it is a single message.

    Source: HL7 v2.5.1 chapter 2, §2.10.3.
    """
    start = _start(raw)
    if raw[start : start + 3] not in (b"FHS", b"BHS"):
        return None
    text = raw[start:].replace(b"\r\n", b"\r").replace(b"\n", b"\r")
    messages: list[list[bytes]] = []
    counts: dict[bytes, int] = {}
    for line in text.split(b"\r"):
        name = line[:3]
        if name == b"MSH":
            messages.append([line])
        elif name in (b"BTS", b"FTS"):
            number = line[4:].split(line[3:4])[0].strip() if len(line) > 4 else b""
            counts[name] = int(number) if number.isdigit() and len(number) < 10 else -1
        elif name in (b"FHS", b"BHS"):
            continue
        elif line and messages:
            messages[-1].append(line)
    return [b"\r".join(lines) + b"\r" for lines in messages], counts.get(b"BTS"), counts.get(b"FTS")


def _start(raw: bytes) -> int:
    start = len(_BOM) if raw.startswith(_BOM) else 0
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
