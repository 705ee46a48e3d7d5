"""A message: its bytes as received, and its segments in order."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from labohub.standards.er7.delimiters import Delimiters
from labohub.standards.er7.errors import Er7Malformed, StrayLine
from labohub.standards.er7.header import read_header
from labohub.standards.er7.lines import cut
from labohub.standards.er7.segment import Segment

_NO_ALIASES: Mapping[str, str] = MappingProxyType({})
_Starts = Callable[[str], object]


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

    Tolerated, with a warning: BOM, blank lines, LF and CRLF, no terminator at the end, control characters, base64
    wrapped over lines inside an open OBX-5 of type ED, an unusual but coherent MSH-2.

    Args:
        aliases, fallback: see `charsets.decode_lines`.
    Raises: Er7Malformed, StrayLine, CharsetUnknown, Undecodable.
    """
    header = read_header(raw)
    if header is None:
        raise Er7Malformed("no MSH", "MSH^1")
    if not header.delimiters_valid:
        raise Er7Malformed("MSH-2 holds no usable separators", "MSH^1^2")
    lines, codec, warnings = cut(raw, header.component(18, 1), aliases=aliases, fallback=fallback)
    delimiters = Delimiters.declared(lines[0][3:4], lines[0][4:].split(lines[0][3:4], 1)[0])
    if delimiters is None:
        raise Er7Malformed("MSH-2 holds no usable separators", "MSH^1^2")
    if not delimiters.is_usual:
        warnings.append("er7.unusual-separators")
    return _assemble(raw, lines, delimiters, codec, warnings)


def _segment_start(separator: str) -> _Starts:
    return re.compile(f"[A-Z][A-Z0-9]{{2}}(?:{re.escape(separator)}|\\Z)").match


_USUAL_START = _segment_start("|")


def _assemble(raw: bytes, lines: list[str], delimiters: Delimiters, codec: str, warnings: list[str]) -> Message:
    separator = delimiters.field
    starts = _USUAL_START if separator == "|" else _segment_start(separator)
    segments: list[Segment] = []
    by_name: dict[str, list[Segment]] = {}
    pieces: list[str] = []  # of a wrapped OBX-5
    for line in lines:
        name = line[:3]
        if (name not in by_name or line[3:4] != separator) and not starts(line):
            if not line.strip():
                warnings.append("er7.blank-line")
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
