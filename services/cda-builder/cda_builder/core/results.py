"""One result (OBX) to one observation: value, unit, range, flags. Numbers are never converted.

Source: IHE LTW and CI-SIS CR-BIO, as matched in this service's README.
"""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

from cda_builder.core.errors import CdaNotSupportedYet
from cda_builder.core.times import cda_time
from labohub.contracts.laboratory import Code, Result
from labohub.standards.cda import Coded
from labohub.standards.cda.builder import (
    Bound,
    CodedText,
    Interval,
    Moment,
    Number,
    Plain,
    Quantity,
    Range,
    Value,
)
from labohub.standards.cda.names import LOINC
from labohub.standards.cda.tables import labels
from labohub.standards.cda.units import ucum_unit

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_SN = re.compile(r"(<=|>=|<>|<|>|=)?\s*([+-]?\d+(?:\.\d+)?)?\s*(?:([-+/.:])\s*([+-]?\d+(?:\.\d+)?)?)?")
_RANGE = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*(?:-|\u2013|à)\s*([+-]?\d+(?:[.,]\d+)?)")
_LIMIT = re.compile(r"(<=|>=|≤|≥|<|>)\s*([+-]?\d+(?:[.,]\d+)?)")
_SYSTEMS = {"LN": LOINC, "SCT": "2.16.840.1.113883.6.96", "SNM3": "2.16.840.1.113883.6.96"}
_SYSTEM_NAMES = {"LN": "LOINC", "SCT": "SNOMED CT", "SNM3": "SNOMED CT"}
_TELLING = ("LL", "HH", "AA", "L", "H", "A", "<", ">")  # what the reader must see first
EMBEDDED = frozenset({"ED"})


def value_of(result: Result, zone: ZoneInfo, system_of: Callable[[str], str]) -> tuple[Value | None, str]:
    """Return the value of a result and the way it is printed; (None, "") without value.

    Args:
        system_of: gives the OID of a code system that the sender names.
    Raises:
        CdaNotSupportedYet: an embedded object.
    """
    if result.value_type in EMBEDDED:
        raise CdaNotSupportedYet(f"a value of type {result.value_type}")
    if result.value_type in ("CE", "CWE", "CNE") and result.value_code is not None:
        return _coded(result.value_code, system_of)
    text = result.value.strip()
    if not text:
        return None, ""
    unit = ucum_unit(result.unit)
    if result.value_type == "NM" and _NUMBER.fullmatch(text):
        return _number(text, unit, result.unit), text
    if result.value_type == "SN":
        return _structured(text, unit, result.unit)
    if result.value_type in ("TS", "DTM", "DT"):
        return _moment(text, zone)
    return Plain(text), text


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
    printed = " ".join(part for part in (comparator, f"{low}{_spaced(separator)}{high}") if part)
    spoken = f"{printed} {printed_unit}".strip()
    if unit is None or not _NUMBER.fullmatch(low):
        return Plain(spoken), printed
    if comparator in ("<", "<=", ">", ">=") and not separator:
        return Bound(low, unit, comparator[0] == "<", comparator.endswith("=")), printed
    if not comparator and separator == "-" and _NUMBER.fullmatch(high):
        return Interval(low, high, unit), printed
    if comparator in ("", "=") and not separator:
        return (Quantity(low, unit) if unit else Number(low)), low
    return Plain(spoken), printed


def _spaced(separator: str) -> str:
    return f" {separator} " if separator == "-" else separator


def _coded(code: Code, system_of: Callable[[str], str]) -> tuple[Value, str]:
    label = code.label or code.code
    if not (code.code and code.label and code.system):
        return CodedText(label), label
    system = _SYSTEMS.get(code.system) or _hl7_table(code.system) or system_of(code.system)
    return CodedText(label, Coded(code.code, system, code.label, _SYSTEM_NAMES.get(code.system, code.system))), label


def _hl7_table(name: str) -> str:
    """Return the OID of `HL7nnnn`; "" for another name."""
    number = name.removeprefix("HL7")
    return f"2.16.840.1.113883.12.{int(number)}" if name.startswith("HL7") and number.isdigit() else ""


def _moment(text: str, zone: ZoneInfo) -> tuple[Value, str]:
    value = cda_time(text, zone)
    if len(value) < 8:
        return Plain(text), text
    date = f"{value[6:8]}/{value[4:6]}/{value[:4]}"
    return Moment(value), f"{date} {value[8:10]}:{value[10:12]}" if len(value) > 8 else date


def range_of(result: Result) -> Range | None:
    """Return the reference range: bounds when the text is unambiguous, else its words."""
    printed = " ".join(result.reference_range.split())
    if not printed:
        return None
    unit = ucum_unit(result.unit)
    if unit is not None and (match := _RANGE.fullmatch(printed)):
        low, high = (each.replace(",", ".") for each in match.groups())
        return Range(printed, low, high, unit)
    if unit is not None and (match := _LIMIT.fullmatch(printed)):
        sign, limit = match[1], match[2].replace(",", ".")
        inclusive = sign in ("<=", ">=", "≤", "≥")
        if sign[0] in "<≤":
            return Range(printed, "", limit, unit, high_inclusive=inclusive)
        return Range(printed, limit, "", unit, low_inclusive=inclusive)
    return Range(printed)


def interpretations_of(result: Result) -> tuple[str, ...]:
    """Return the flags that CDA knows too, the most telling first. None is ever computed."""
    known = [flag for flag in result.flags if flag in labels("interpretation")]
    return tuple(sorted(known, key=lambda flag: _TELLING.index(flag) if flag in _TELLING else len(_TELLING)))


def exam_codes(result: Result, local_system: str) -> tuple[Coded | None, Coded | None, str]:
    """Return LOINC (None: a non-LOINC exam), the laboratory's own code, and the name to print."""
    local = result.local_code
    name = (local.label if local else "") or (result.loinc.label if result.loinc else "")
    name = name or (local.code if local else "") or (result.loinc.code if result.loinc else "")
    loinc = None
    if result.loinc and result.loinc.code:
        loinc = Coded(result.loinc.code, LOINC, result.loinc.label or name, "LOINC")
    own = None
    if local and local.code:
        own = Coded(local.code, local_system, local.label or name, local.system)
    return loinc, own, name
