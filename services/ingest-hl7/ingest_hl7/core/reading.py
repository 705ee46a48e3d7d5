"""A message read as its sender means it: what the entry says of its zone, its authorities and its habits.

The bytes received stay as they are. Each thing read otherwise than written leaves a warning on the message.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest_hl7.core.senders import Sender
from labohub.standards.er7 import Message, Segment

COMMA, COMPARATOR, EUCAST = "quirk.decimal-comma", "quirk.comparator", "quirk.eucast-i"
ZONE, AUTHORITY = "quirk.time-zone", "quirk.authority"
_COMMA_NUMBER = re.compile(r"([<>]=?)?\s*[+-]?\d+,\d+")
_COMPARED_NUMBER = re.compile(r"([<>]=?)\s*([+-]?\d+(?:\.\d+)?)")
_LOCAL_TIME = re.compile(r"(\d{10}|\d{12}|\d{14})(\.\d{1,4})?")
_TIMES = {  # the fields that say when something happened; a birth date or a value is left as written
    "ORC": (9, 15, 37),
    "OBR": (6, 7, 8, 14, 22),
    "OBX": (14, 19),
    "SPM": (17, 18),  # SPM-17 is a range: its end is its second component
    "TXA": (4, 6, 7),
    "EVN": (2, 6),
    "ZFA": (2, 3, 10, 12),
}
_IDENTIFIERS = {"PID": (3, 18), "PV1": (19,), "MRG": (1,)}

Change = Callable[[Segment, dict[int, str]], str]  # fills in what it changes; returns its warning, "" for nothing


def as_meant(message: Message, sender: Sender) -> Message:
    """Return the message with the sender's quirks undone; the same one for a sender without."""
    changes = _changes(sender)
    if not changes:
        return message
    segments, warnings = [], list(message.warnings)
    for segment in message:
        changed: dict[int, str] = {}
        warnings += [code for change in changes if (code := change(segment, changed))]
        segments.append(_with(segment, changed, message.codec) if changed else segment)
    if len(warnings) == len(message.warnings):
        return message
    by_name: dict[str, list[Segment]] = {}
    for segment in segments:
        by_name.setdefault(segment.name, []).append(segment)
    distinct = tuple(dict.fromkeys(warnings))
    return Message(message.raw, tuple(segments), message.delimiters, message.codec, distinct, by_name)


def _changes(sender: Sender) -> list[Change]:
    found: list[Change] = []
    if sender.quirks.decimal_comma:
        found.append(_decimal_point)
    if sender.quirks.comparator_in_numbers:
        found.append(_structured_number)
    if sender.eucast_i != "I":
        found.append(lambda segment, changed: _susceptible(segment, changed, sender.eucast_i))
    if sender.timezone:
        zone = _zone(sender.timezone)
        found.append(lambda segment, changed: _offsets(segment, changed, zone))
    if sender.authorities:
        found.append(lambda segment, changed: _authorities(segment, changed, sender))
    return found


def _decimal_point(segment: Segment, changed: dict[int, str]) -> str:
    if segment.name != "OBX" or segment.field(2) not in ("NM", "SN"):
        return ""
    value = segment.field(5)
    component = segment.delimiters.component
    pieces = re.split(f"([{re.escape(component + segment.delimiters.repetition)}])", value)
    meant = "".join(p.replace(",", ".") if _COMMA_NUMBER.fullmatch(p.strip()) else p for p in pieces)
    if meant == value:
        return ""
    changed[5] = meant
    return COMMA


def _structured_number(segment: Segment, changed: dict[int, str]) -> str:
    if segment.name != "OBX" or segment.field(2) != "NM":
        return ""
    value = changed.get(5, segment.field(5))
    found = _COMPARED_NUMBER.fullmatch(segment.text(value))
    if found is None:
        return ""
    changed[2] = "SN"
    changed[5] = f"{found[1]}{segment.delimiters.component}{found[2]}"
    return COMPARATOR


def _susceptible(segment: Segment, changed: dict[int, str], meant: str) -> str:
    """OBX-8 `I` speaks of microbiology alone (table 0078): susceptible at increased exposure, as meant here."""
    if segment.name != "OBX" or segment.component(8, 1) != "I":
        return ""
    changed[8] = meant + segment.field(8).strip()[1:]
    return EUCAST


def _offsets(segment: Segment, changed: dict[int, str], zone: ZoneInfo) -> str:
    def dated(time: str) -> str:
        return _dated(time, zone)

    first = _each_component(segment, changed, _TIMES.get(segment.name, ()), dated, ZONE)
    end = _each_component(segment, changed, (17,), dated, ZONE, position=2) if segment.name == "SPM" else ""
    return first or end


def _dated(time: str, zone: ZoneInfo) -> str:
    """Return a time with the offset it had where it was written. Ambiguous or impossible ones stay as written."""
    found = _LOCAL_TIME.fullmatch(time)
    if found is None:
        return time
    try:
        local = datetime.strptime(found[1].ljust(14, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007 - the zone is what we look for
    except ValueError:
        return time
    early, late = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if early is None or early != late:
        return time
    minutes = early // timedelta(minutes=1)
    return f"{time}{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


def _authorities(segment: Segment, changed: dict[int, str], sender: Sender) -> str:
    sub = segment.delimiters.subcomponent

    def qualified(authority: str) -> str:
        """Return `name&OID&ISO` for a bare name the entry knows."""
        name, _, rest = authority.partition(sub)
        oid = sender.authorities.get(segment.text(name))
        return f"{name}{sub}{oid}{sub}ISO" if oid and not rest.strip(sub) else authority

    return _each_component(segment, changed, _IDENTIFIERS.get(segment.name, ()), qualified, AUTHORITY, position=4)


def _each_component(  # noqa: PLR0917 - what, where, how, and its name
    segment: Segment,
    changed: dict[int, str],
    numbers: Iterable[int],
    meant: Callable[[str], str],
    code: str,
    position: int = 1,
) -> str:
    """Change one component of every repetition of these fields; return the code when any changed."""
    signs = segment.delimiters
    was = dict(changed)
    for number in numbers:
        value = changed.get(number, segment.field(number))
        if not value:
            continue
        repetitions = [repetition.split(signs.component) for repetition in value.split(signs.repetition)]
        for parts in repetitions:
            if len(parts) >= position:
                parts[position - 1] = meant(parts[position - 1])
        written = signs.repetition.join(signs.component.join(parts) for parts in repetitions)
        if written != value:
            changed[number] = written
    return code if changed != was else ""


def _with(segment: Segment, changed: dict[int, str], codec: str) -> Segment:
    fields = list(segment.fields)
    for number, value in changed.items():
        fields[number] = value
    line = segment.delimiters.field.join(fields)
    return Segment(line, segment.name, segment.sequence, segment.delimiters, codec)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
