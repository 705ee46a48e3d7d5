"""HL7 times to CDA times."""

import re
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_REMEMBERED = 512  # times of one report are few, and said again and again
_TS = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(?:\.\d+)?([+-]\d{4})?", re.ASCII)


@lru_cache(_REMEMBERED)
def cda_time(written: str, zone: ZoneInfo) -> str:
    """Return a CDA time (`yyyymmdd`, or to the minute or second with its offset); "" when it cannot be read.

    Precision is kept, never invented: an hour alone is a date. Without offset the time is the laboratory's local one;
    in the hour that winter time repeats, the first is meant.
    """
    match = _TS.fullmatch(written.strip())
    if match is None:
        return ""
    digits, offset = match.groups()
    if len(digits) < 12:
        return digits[:8]
    try:
        local = _read(digits, zone)
    except ValueError:
        return ""
    return digits + (offset or local.strftime("%z"))


def from_datetime(moment: datetime, zone: ZoneInfo) -> str:
    """Return a CDA time to the second, in the laboratory's zone."""
    return moment.astimezone(zone).strftime("%Y%m%d%H%M%S%z")


@lru_cache(_REMEMBERED)
def instant(value: str) -> float:
    """Return the POSIX time of a CDA time, to put several in order; a date counts from its midnight UTC."""
    match = _TS.fullmatch(value)
    if match is None:
        return 0.0
    digits, offset = match.groups()
    moment = _read(digits, UTC)
    if not offset:
        return moment.timestamp()
    shift = (int(offset[1:3]) * 60 + int(offset[3:])) * 60
    return moment.timestamp() + (shift if offset[0] == "-" else -shift)


def _read(digits: str, zone: tzinfo) -> datetime:
    """Return the moment that digits name; what they leave out is the first of its kind.

    Raises:
        ValueError: no such moment.
    """
    parts = [int(digits[:4]), *(int(digits[i : i + 2]) for i in range(4, len(digits), 2))]
    year, month, day, hour, minute, second = (*parts, *(0, 1, 1, 0, 0, 0)[len(parts) :])
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)
