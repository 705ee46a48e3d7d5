"""A message as its text, cut when asked: segments at once, fields and below on demand."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from labohub.errors import Refused
from labohub.standards.er7.charsets import decode
from labohub.standards.er7.delimiters import USUAL, Delimiters
from labohub.standards.er7.escapes import unescape
from labohub.standards.er7.header import read_header

_NO_ALIASES: Mapping[str, str] = MappingProxyType({})
_EMPTY = ""
SHORT = 400  # longer fields may hold base64, which is not looked through for each component
ED_COMPONENTS = 5  # source, type, subtype, encoding, data


class Er7Malformed(Refused):
    """Not ER7: no MSH, or separators that cannot be used."""

    code = "er7.malformed"

    def __init__(self, text: str, location: str) -> None:
        super().__init__(text)
        self.location = location  # as ERR-2


class StrayLine(Er7Malformed):
    """A line that starts no segment, where none may be continued."""

    code = "er7.stray-line"


class Segment:
    """One segment. Positions are HL7's: `field(3)` is PID-3; MSH counts its own separator as field 1."""

    __slots__ = ("_codec", "_fields", "delimiters", "line", "name", "sequence")

    def __init__(self, line: str, name: str, sequence: int, delimiters: Delimiters, codec: str) -> None:
        self.line = line
        self.name = name
        self.sequence = sequence  # among the segments of its name, from 1: the second part of ERR-2
        self.delimiters = delimiters
        self._codec = codec
        self._fields: list[str] | None = None

    @property
    def fields(self) -> list[str]:
        """Return the raw fields; index 0 is the segment's name."""
        if self._fields is None:
            fields = self.line.split(self.delimiters.field)
            if self.name == "MSH":
                fields.insert(1, self.delimiters.field)
            self._fields = fields
        return self._fields

    def field(self, number: int) -> str:
        """Return a raw field, escapes kept; "" when absent."""
        fields = self._fields if self._fields is not None else self.fields
        return fields[number] if number < len(fields) else _EMPTY

    def repetitions(self, number: int) -> list[str]:
        """Return the raw repetitions of a field; empty when the field is."""
        value = self.field(number)
        if not value:
            return []
        if self.delimiters.repetition in value:
            return value.split(self.delimiters.repetition)
        return [value]

    def components(self, number: int, repetition: int = 1) -> list[str]:
        """Return the raw components of one repetition (from 1).

        OBX-5 of an ED is cut four times at most: its data is one piece, whatever its size.
        """
        if number == 5 and self.name == "OBX" and self.field(2) == "ED":
            return self.field(5).split(self.delimiters.component, ED_COMPONENTS - 1)
        repetitions = self.repetitions(number)
        if repetition > len(repetitions):
            return []
        return repetitions[repetition - 1].split(self.delimiters.component)

    def component(self, number: int, position: int, repetition: int = 1) -> str:
        """Return the text of a component: unescaped, stripped of any blank, no-break spaces included."""
        value = self.field(number)
        if not value:
            return _EMPTY
        signs = self.delimiters
        if repetition == 1 and len(value) < SHORT and signs.repetition not in value:  # nearly always
            if signs.component not in value:
                return self.text(value) if position == 1 else _EMPTY
            parts = value.split(signs.component, position)
        else:
            parts = self.components(number, repetition)
        return self.text(parts[position - 1]) if position <= len(parts) else _EMPTY

    def subcomponent(self, number: int, position: int, sub: int, repetition: int = 1) -> str:
        """Return the text of a sub-component."""
        parts = self.components(number, repetition)
        if position > len(parts):
            return _EMPTY
        subs = parts[position - 1].split(self.delimiters.subcomponent)
        return self.text(subs[sub - 1]) if sub <= len(subs) else _EMPTY

    def value(self, number: int) -> str:
        """Return the text of a whole single-valued field."""
        return self.text(self.field(number))

    def text(self, raw: str) -> str:
        """Return the text a raw leaf of this segment stands for."""
        if self.delimiters.escape in raw:
            raw = unescape(raw, self.delimiters, self._codec)
        return raw.strip()

    @property
    def location(self) -> str:
        """Return the segment as ERR-2 names it: `OBX^2`."""
        return f"{self.name}^{self.sequence}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message: the bytes as received, and its segments. Every tolerance left a code in `warnings`."""

    raw: bytes
    segments: tuple[Segment, ...]
    delimiters: Delimiters
    codec: str
    warnings: tuple[str, ...] = ()
    _by_name: dict[str, list[Segment]] = field(default_factory=dict, repr=False)

    def all(self, name: str) -> list[Segment]:
        """Return the segments of a name, in order."""
        return self._by_name.get(name, [])

    def first(self, name: str) -> Segment | None:
        """Return the first segment of a name."""
        found = self._by_name.get(name)
        return found[0] if found else None

    @property
    def header(self) -> Segment:
        """Return MSH."""
        return self.segments[0]

    def __iter__(self) -> Iterator[Segment]:
        return iter(self.segments)


def read(raw: bytes, *, aliases: Mapping[str, str] = _NO_ALIASES, fallback: str = "") -> Message:
    """Return the message these bytes hold.

    Tolerated, with a warning: BOM, blank lines, LF and CRLF, control characters, base64 wrapped over lines inside an
    open OBX-5 of type ED, an unusual but coherent MSH-2.

    Args:
        aliases, fallback: see `charsets.decode`.
    Raises: Er7Malformed, StrayLine, CharsetUnknown, Undecodable.
    """
    header = read_header(raw)
    if header is None:
        raise Er7Malformed("no MSH", "MSH^1")
    if not header.delimiters_valid:
        raise Er7Malformed("MSH-2 holds no usable separators", "MSH^1^2")
    text, codec, notes = decode(raw, header.component(18, 1), aliases=aliases, fallback=fallback)
    warnings = list(notes)
    text = _without_controls(text, warnings)
    lines = _lines(text, warnings)
    delimiters = Delimiters.declared(lines[0][3], lines[0][4:].split(lines[0][3], 1)[0])
    if delimiters is None:
        raise Er7Malformed("MSH-2 holds no usable separators", "MSH^1^2")
    if not delimiters.is_usual:
        warnings.append("er7.unusual-separators")
    return _assemble(raw, lines, delimiters, codec, warnings)


def _without_controls(text: str, warnings: list[str]) -> str:
    if text.startswith("\ufeff"):
        warnings.append("er7.byte-order-mark")
        text = text[1:]
    for control in ("\x1c", "\x0b", "\x00"):
        if control in text:
            text = text.replace(control, "")
            if "er7.control-character" not in warnings:
                warnings.append("er7.control-character")
    return text


def _lines(text: str, warnings: list[str]) -> list[str]:
    if "\n" in text:
        warnings.append("er7.line-feed")
        text = text.replace("\r\n", "\r").replace("\n", "\r")
    lines = text.split("\r")
    while lines and not lines[0].strip():
        del lines[0]
    lines[0] = lines[0].lstrip()
    return lines


def _segment_start(separator: str) -> re.Pattern[str]:
    return re.compile(f"[A-Z][A-Z0-9]{{2}}(?:{re.escape(separator)}|$)")


_USUAL_START = _segment_start("|")


def _assemble(raw: bytes, lines: list[str], delimiters: Delimiters, codec: str, warnings: list[str]) -> Message:
    starts = _USUAL_START.match if delimiters.field == "|" else _segment_start(delimiters.field).match
    separator = delimiters.field
    segments: list[Segment] = []
    by_name: dict[str, list[Segment]] = {}
    pieces: list[str] = []  # of a wrapped OBX-5
    for line in lines:
        if not starts(line):
            if not line.strip():
                continue
            if not pieces and not _is_open_data(segments[-1], separator):
                raise StrayLine("a line starts no segment", segments[-1].location)
            pieces = pieces or [segments[-1].line]
            pieces.append(line.strip())
            continue
        if pieces:
            segments[-1].line = "".join(pieces)
            pieces = []
            warnings.append("er7.wrapped-data")
        name = line[:3]
        same = by_name.setdefault(name, [])
        segment = Segment(line, name, len(same) + 1, delimiters, codec)
        same.append(segment)
        segments.append(segment)
    if pieces:
        segments[-1].line = "".join(pieces)
        warnings.append("er7.wrapped-data")
    return Message(raw, tuple(segments), delimiters, codec, tuple(dict.fromkeys(warnings)), by_name)


def _is_open_data(segment: Segment, separator: str) -> bool:
    """Return True when the line was cut inside OBX-5 of an ED: only base64 can be going on."""
    parts = segment.line.split(separator, 6)
    return segment.name == "OBX" and len(parts) == 6 and parts[2] == "ED"


__all__ = ["USUAL", "Er7Malformed", "Message", "Segment", "StrayLine", "read"]
