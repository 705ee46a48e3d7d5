"""HL7 times to CDA times."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_TS = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(?:\.\d+)?([+-]\d{4})?")


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
        local = datetime.strptime(digits, "%Y%m%d%H%M%S" if len(digits) == 14 else "%Y%m%d%H%M")
    except ValueError:
        return ""
    return digits + (offset or local.replace(tzinfo=zone).strftime("%z"))


def from_datetime(moment: datetime, zone: ZoneInfo) -> str:
    """Return a CDA time to the second, in the laboratory's zone."""
    return moment.astimezone(zone).strftime("%Y%m%d%H%M%S%z")


def instant(value: str) -> float:
    """Return the POSIX time of a CDA time, to put several in order; a date counts from its midnight UTC."""
    for form in ("%Y%m%d%H%M%S%z", "%Y%m%d%H%M%z"):
        try:
            return datetime.strptime(value, form).timestamp()
        except ValueError:
            continue
    date = {4: value + "0101", 6: value + "01"}.get(len(value), value[:8])
    return datetime.strptime(date + "+0000", "%Y%m%d%z").timestamp()
