"""Birth dates from each source: exact, estimated, lunar or refused.

A lunar date (`1950-00-00`, `1950-20-15`) is text for ever: it never becomes a date type.
Source: RNIV EXI PP 19, guide INS EXI ID 11 and 12; INSi XSD, type DateLunaire; PAM-FR, PID-7 and ZFD-1.
"""

import re
from datetime import date
from enum import StrEnum
from typing import NamedTuple

_DOCUMENT = re.compile(r"([0-9]{2}|\?\?)/([0-9]{2}|\?\?)/([0-9]{4})")
_INSI = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_PID_7 = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,4})?)?)?)?(?:[+-][0-9]{4})?"
)
_ZFD_1 = re.compile(r"([0-9]{1,2})\^([0-9]{1,2})\^([0-9]{4})")
_UNKNOWN = ("??", "00")


class Flag(StrEnum):
    """How far a birth date can be believed."""

    EXACT = "exact"
    ESTIMATED = "estimated"  # a part was unknown and the RNIV rule filled it
    LUNAR = "lunar"
    REJECT = "reject"


class BirthDate(NamedTuple):
    """A date as YYYY-MM-DD text, its flag and the reason. The text is empty when refused."""

    text: str
    flag: Flag
    reason: str


def from_document(raw: str) -> BirthDate:
    """Return the date typed from an identity document, DD/MM/YYYY, `??` or `00` where a part is unknown.

    Day and month unknown give 31 December; one of them unknown gives 01 in its place.
    """
    match = _DOCUMENT.fullmatch(raw)
    if not match:
        return _rejected("FORMAT")
    day, month, year = match.groups()
    if day in _UNKNOWN and month in _UNKNOWN:
        return _checked(year, "12", "31", Flag.ESTIMATED, "BOTH_UNKNOWN")
    if day in _UNKNOWN:
        return _checked(year, month, "01", Flag.ESTIMATED, "DAY_UNKNOWN")
    if month in _UNKNOWN:
        return _checked(year, "01", day, Flag.ESTIMATED, "MONTH_UNKNOWN")
    return _checked(year, month, day, Flag.EXACT, "COMPLETE")


def from_insi(raw: str) -> BirthDate:
    """Return the date of an answer; one that no calendar has is lunar and kept as `text`, verbatim."""
    match = _INSI.fullmatch(raw)
    if not match:
        return _rejected("FORMAT")
    if _exists(*match.groups()):
        return BirthDate(raw, Flag.EXACT, "COMPLETE")
    return BirthDate(raw, Flag.LUNAR, "KEEP_VERBATIM")


def from_pid_7(raw: str) -> BirthDate:
    """Return the date of PID-7, a TS at least to the day; its time and zone are left out."""
    if not raw:
        return _rejected("EMPTY")
    match = _PID_7.fullmatch(raw)
    if not match:
        return _rejected("FORMAT")
    year, month, day = match.groups()
    return _checked(year, month, day, Flag.EXACT, "COMPLETE")


def from_zfd_1(raw: str) -> BirthDate:
    """Return the lunar date of ZFD-1, day^month^year."""
    match = _ZFD_1.fullmatch(raw)
    if not match:
        return _rejected("FORMAT")
    day, month, year = match.groups()
    return BirthDate(f"{year}-{int(month):02d}-{int(day):02d}", Flag.LUNAR, "LUNAR_FROM_ZFD1")


def _checked(year: str, month: str, day: str, flag: Flag, reason: str) -> BirthDate:
    return BirthDate(f"{year}-{month}-{day}", flag, reason) if _exists(year, month, day) else _rejected("NOT_A_DATE")


def _exists(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _rejected(reason: str) -> BirthDate:
    return BirthDate("", Flag.REJECT, reason)
