"""`xs:dateTime`, as a number of seconds.

Source: W3C, XML Schema Definition Language 1.1, part 2, section 3.3.7 (1.1: there is a year 0, and 24:00:00).
"""

import re
from dataclasses import dataclass
from datetime import date

from cda_builder.adapters.official.xpath.failing import fail

_DATE_TIME = re.compile(
    r"(-?(?:[1-9]\d{3,}|0\d{3}))-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)


@dataclass(frozen=True, order=True, slots=True)
class Moment:
    """An `xs:dateTime`, in seconds."""

    seconds: float


def moment(text: str) -> Moment:
    """Return an `xs:dateTime`; without offset it is read as UTC. Raises: EvaluationFailed."""
    match = _DATE_TIME.fullmatch(text.strip(" \t\r\n"))
    if match is None:
        fail("not a date and time")
    year, month, day, hour, minute = (int(match[group]) for group in range(1, 6))
    second = float(match[6] + (match[7] or ""))
    offset, sign = match[8] or "Z", -1 if (match[8] or "").startswith("-") else 1
    shift = 0 if offset == "Z" else int(offset[1:3]) * 60 + int(offset[4:6])
    in_range = (hour < 24 and minute < 60 and second < 60) or (hour, minute, second) == (24, 0, 0)
    cycle, rest = divmod(year, 400)  # the calendar repeats, and Python's has no year 0
    try:
        days = date(2000 + rest, month, day).toordinal() + cycle * 146_097
    except ValueError:
        fail("not a date")
    if not in_range or shift > 14 * 60 or (offset != "Z" and int(offset[4:6]) > 59):
        fail("not a time")
    return Moment(days * 86_400 + hour * 3600 + (minute - sign * shift) * 60 + second)
