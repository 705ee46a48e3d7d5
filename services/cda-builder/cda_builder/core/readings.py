"""The value of a result (OBX-2, OBX-5) as a value of the document, and as it is printed. Numbers are never converted.

Source: HL7 v2.5.1 chapter 2A, matched with CR-BIO as in this service's README.
"""

import re
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from cda_builder.core.times import cda_time
from labohub.contracts.laboratory import Code
from labohub.standards.cda import Coded
from labohub.standards.cda.builder import Bound, CodedText, Interval, Moment, Number, Plain, Quantity, Ratio, Value
from labohub.standards.cda.names import LOINC, NCBI
from labohub.standards.cda.units import ucum_unit

Read = tuple[Value | None, str]

CODED: Final = frozenset({"CE", "CWE", "CNE"})
_SINGLE: Final = frozenset({"NM", "SN", "TS", "DTM", "DT", "TM"})
SNOMED: Final = "2.16.840.1.113883.6.96"
NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)  # as HL7 and XML Schema both read them
_SN = re.compile(r"(<=|>=|<>|<|>|=)?\s*([+-]?\d+(?:\.\d+)?)?\s*(?:([-+/.:])\s*([+-]?\d+(?:\.\d+)?)?)?", re.ASCII)
_SYSTEMS = {
    "LN": (LOINC, "LOINC"),
    "SCT": (SNOMED, "SNOMED CT"),
    "SNM3": (SNOMED, "SNOMED CT"),
    "NCBI": (NCBI, "NCBI-Taxonomy"),
}


def read_value(kind: str, written: str, printed_unit: str, zone: ZoneInfo) -> Read:
    """Return a value that is no code and no object, and the way it is printed; (None, "") without one."""
    text = written.strip()
    if not text:
        return None, ""
    if "~" in text and kind in _SINGLE:  # several values in one result: said one below the other, none is lost
        parts = (read_value(kind, part, "", zone)[1] for part in text.split("~"))
        lines = "\n".join(part for part in parts if part)
        return Plain(lines), lines
    unit = ucum_unit(printed_unit)
    if kind == "NM" and NUMBER.fullmatch(text):
        return _number(text, unit, printed_unit), text
    if kind == "SN":
        return _structured(text, unit, printed_unit)
    if kind in ("TS", "DTM", "DT"):
        return _moment(text, zone)
    if kind in CODED:
        return CodedText(text), text
    spoken = _SPOKEN.get(kind, str)(text)
    return Plain(spoken), spoken


def read_code(code: Code, translations: tuple[Code, ...], system_of: Callable[[str], str], words: str = "") -> Read:
    """Return a coded value: a published code before a local one; printed as the sender's first wording.

    Args:
        words: how the sender says it, when that is more than a label.
        system_of: gives the OID of a code table that the sender names.
    """
    given = (code, *translations)
    label = words or next((each.label for each in given if each.label), code.code)
    complete = [coded(each, system_of) for each in given if each.code and each.label and each.system]
    published = {oid for oid, _ in _SYSTEMS.values()}
    complete.sort(key=lambda each: each.system not in published)
    return CodedText(label, complete[0] if complete else None, tuple(complete[1:])), label


def coded(code: Code, system_of: Callable[[str], str]) -> Coded:
    """Return a code with the OID of its system."""
    oid, name = _SYSTEMS.get(code.system, ("", code.system))
    return Coded(code.code, oid or _hl7_table(code.system) or system_of(code.system), code.label, name)


def _hl7_table(name: str) -> str:
    """Return the OID of `HL7nnnn`; "" for another name."""
    number = name.removeprefix("HL7")
    return f"2.16.840.1.113883.12.{int(number)}" if name.startswith("HL7") and number.isdigit() else ""


def _number(text: str, unit: str | None, printed_unit: str) -> Value:
    if unit is None:
        return Plain(f"{text} {printed_unit}")
    return Quantity(text, unit) if unit else Number(text)


def _structured(text: str, unit: str | None, printed_unit: str) -> tuple[Value, str]:
    """Return a structured numeric (SN): `comparator^number^separator^number`, or its parts already joined."""
    parts = [*text.split("^"), "", "", ""][:4] if "^" in text else None
    match = _SN.fullmatch("".join(parts)) if parts else _SN.fullmatch(text)
    if parts:
        comparator, low, separator, high = (part.strip() for part in parts)
    elif match:
        comparator, low, separator, high = (part or "" for part in match.groups())
    else:
        return Plain(text), text
    printed = " ".join(part for part in (comparator, f"{low}{_spaced(separator)}{high}".strip()) if part)
    spoken = f"{printed} {printed_unit}".strip()
    if unit is None or not NUMBER.fullmatch(low):
        return Plain(spoken), printed
    if comparator in ("<", "<=", ">", ">=") and not separator:
        return Bound(low, unit, comparator[0] == "<", comparator.endswith("=")), printed
    if comparator in ("", "=") and not separator:
        return (Quantity(low, unit) if unit else Number(low)), low
    if not comparator and NUMBER.fullmatch(high):
        if separator == "-":
            return Interval(low, high, unit), printed
        if separator in (":", "/"):
            return Ratio(low, high, unit), printed
    return Plain(spoken), printed


def _spaced(separator: str) -> str:
    return f" {separator} " if separator == "-" else separator


def _moment(text: str, zone: ZoneInfo) -> tuple[Value, str]:
    """Return a time at the precision it was given; an offset other than the laboratory's own is said."""
    value, digits = cda_time(text, zone), text.partition("+")[0].partition("-")[0].partition(".")[0]
    if not value:
        return Plain(text), text
    printed = "/".join(part for part in (digits[6:8], digits[4:6], digits[:4]) if part)
    if len(digits) == 10:
        printed += f" {digits[8:]} h"
    elif len(digits) > 10:
        written = digits.removesuffix("00") if len(digits) == 14 else digits
        printed += " " + ":".join(written[at : at + 2] for at in range(8, len(written), 2))
    if len(value) > 12 and value != cda_time(digits, zone):
        printed += f" (UTC{value[-5:-2]}:{value[-2:]})"
    return Moment(value), printed


def _time_of_day(text: str) -> str:
    match = re.fullmatch(r"(\d{2})(\d{2})(\d{2})?(?:\.\d+)?(?:[+-]\d{4})?", text, re.ASCII)
    return ":".join(part for part in match.groups() if part) if match else text


def _person(text: str) -> str:
    _, family, given, *_ = (part.partition("&")[0].strip() for part in f"{text}^^".split("^"))
    return f"{given} {family}".strip() or text.partition("^")[0]


def _first(text: str) -> str:
    return text.partition("^")[0].replace("&", " ") or text


def _rows(text: str) -> str:
    return "\n".join(" ; ".join(row.split("^")) for row in re.split("[~\n]", text))


def _between(text: str) -> str:
    return " - ".join(_moment(part, ZoneInfo("UTC"))[1] for part in text.split("^") if part)


_SPOKEN: Final[dict[str, Callable[[str], str]]] = {
    "TM": _time_of_day,
    "XCN": _person,
    "XPN": lambda text: " ".join(part for part in reversed(text.split("^")[:2]) if part),
    "XON": _first,
    "EI": _first,
    "CX": _first,
    "CP": _first,
    "NA": _rows,
    "DR": _between,
}
