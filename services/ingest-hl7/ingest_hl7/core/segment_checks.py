"""What one segment of a laboratory message must hold: counters, times, types, statuses, values.

Every check names the place as ERR-2 does. Source: HL7 v2.5.1 chapters 2A (data types), 4 and 7; IHE PaLM, LTW.
"""

import re
from datetime import datetime
from functools import lru_cache

from ingest_hl7.core.observations import decode_embedded
from ingest_hl7.core.repeated import read_once
from labohub.standards.er7 import Segment
from labohub.standards.hl7.embedded import Base64Corrupt
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.tables import OBSERVATION_STATUSES, VALUE_TYPES

_WITHOUT_VALUE = frozenset("XDWION")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+")
_COMPARATORS = frozenset(("", ">", "<", ">=", "<=", "=", "<>"))
_SEPARATORS = frozenset(("", "-", "+", "/", ".", ":"))
_ENCODINGS = frozenset(("", "BASE64", "A", "HEX"))  # 0299, "" read as Base64
_OFFSET = r"(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_TIMESTAMP = re.compile(
    rf"(\d{{4}}|\d{{6}}|\d{{8}}|\d{{10}}|\d{{12}}|\d{{12}}[0-5]\d(?:\.\d{{1,4}})?){_OFFSET}", re.ASCII
)
_TIME = re.compile(rf"([01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{{1,4}})?)?)?{_OFFSET}", re.ASCII)
_SEQUENCE = re.compile(r"[0-9]{1,6}")
_COUNTED = frozenset(("PID", "PV1", "OBR", "OBX", "NTE", "SPM", "TQ1"))  # whose field 1 is a SI


@lru_cache(4096)  # a message tells the same few times in every segment
def is_timestamp(text: str) -> bool:
    """Return True for a TS that a calendar has; partial precision is legal."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    digits = match.group(1)[:14]
    filled = digits + "00000101000000"[len(digits) :]
    try:
        datetime(  # noqa: DTZ001 - only whether it exists
            int(filled[:4]), int(filled[4:6]), int(filled[6:8]), int(filled[8:10]), int(filled[10:12])
        )
    except ValueError:
        return False
    return True


def check_counter(segment: Segment, found: list[Finding]) -> None:
    """Field 1 of what is numbered is a number, never below zero."""
    if segment.name not in _COUNTED:
        return
    text = segment.field(1)
    if text and text != "1" and not _SEQUENCE.fullmatch(text.strip()):
        place = f"{segment.location}^1"
        found.append(Finding("102", place, "ltw.set-id", f"{segment.name}-1 n'est pas un numéro d'ordre."))


def check_time(segment: Segment, number: int, found: list[Finding], *, position: int = 1) -> None:
    """A time, when there is one, is one that a calendar has."""
    text = segment.component(number, position)
    if text and text != '""' and not is_timestamp(text):
        found.append(Finding("102", f"{segment.location}^{number}", "ltw.not-a-time", "Date impossible."))


def check_observation(obx: Segment, found: list[Finding]) -> None:
    """An OBX names its analyte and its status, and its value is what OBX-2 says."""
    kind, status = obx.component(2, 1), obx.component(11, 1)
    if kind and kind not in VALUE_TYPES:
        found.append(Finding("103", f"{obx.location}^2", "ltw.value-type", "Type de valeur OBX-2 non prévu."))
    if not kind and (obx.field(5) or status not in _WITHOUT_VALUE):
        found.append(Finding("101", f"{obx.location}^2", "ltw.value-type-missing", "OBX-2 est vide."))
    if not _is_named(obx, 3):
        found.append(Finding("101", f"{obx.location}^3", "ltw.analyte-missing", "OBX-3 est vide."))
    _check_value(obx, kind, found)
    if not status:
        found.append(Finding("101", f"{obx.location}^11", "ltw.status-missing", "OBX-11 est vide."))
    elif status not in OBSERVATION_STATUSES:
        found.append(Finding("103", f"{obx.location}^11", "ltw.status-unknown", "Statut OBX-11 non prévu."))
    for number in (14, 19):
        check_time(obx, number, found)


@read_once
def _is_named(segment: Segment, number: int) -> bool:
    """Return True for a CE with a code or a label."""
    return any(segment.component(number, position) for position in (1, 2, 4, 5))


def _check_value(obx: Segment, kind: str, found: list[Finding]) -> None:
    value = obx.field(5)
    if not value or value == '""':
        return
    place = f"{obx.location}^5"
    if kind == "NM" and not all(map(_NUMBER.fullmatch, obx.repetitions(5))):
        found.append(Finding("102", place, "ltw.not-a-number", "OBX-5 n'est pas un nombre (NM)."))
    elif kind == "SN" and not all(_is_structured(obx, index) for index in range(1, len(obx.repetitions(5)) + 1)):
        found.append(Finding("102", place, "ltw.not-a-number", "OBX-5 n'est pas un nombre structuré (SN)."))
    elif kind in ("TS", "DTM", "DT") and not is_timestamp(obx.component(5, 1)):
        found.append(Finding("102", place, "ltw.not-a-time", "OBX-5 n'est pas une date."))
    elif kind == "TM" and not _TIME.fullmatch(obx.component(5, 1)):
        found.append(Finding("102", place, "ltw.not-a-time", "OBX-5 n'est pas une heure (TM)."))
    elif kind == "ED":
        _check_embedded(obx, place, found)


def _check_embedded(obx: Segment, place: str, found: list[Finding]) -> None:
    parts = [*obx.components(5), "", "", "", "", ""]
    if parts[3].strip().upper() not in _ENCODINGS:
        found.append(Finding("103", f"{place}^1^4", "ltw.embedded-encoding", "Encodage (OBX-5.4) non prévu."))
    elif not parts[4].strip():
        found.append(Finding("101", f"{place}^1^5", "ltw.embedded-empty", "Objet encodé vide (OBX-5.5)."))
    else:
        try:
            decode_embedded(obx)
        except Base64Corrupt:
            found.append(Finding("102", f"{place}^1^5", "hl7.base64-corrupt", "Objet encodé illisible."))


def _is_structured(obx: Segment, repetition: int) -> bool:
    """Return True for comparator^number^separator^number, one number at least (`^2^+` is a category)."""
    comparator, first, separator, second = ([*obx.components(5, repetition), "", "", "", ""])[:4]
    numbers = [part.strip() for part in (first, second) if part.strip()]
    return (
        obx.text(comparator) in _COMPARATORS
        and obx.text(separator) in _SEPARATORS
        and bool(numbers)
        and all(_NUMBER.fullmatch(number) for number in numbers)
    )
