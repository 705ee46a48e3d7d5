"""What a laboratory message must have before anyone may rely on it (LTW, ILW): results and orders alike.

Every check names the place as ERR-2 does. Warnings never stop a result: care comes first.
"""

import re
from datetime import datetime
from functools import lru_cache

from ingest_hl7.core.observations import decode_embedded
from ingest_hl7.core.repeated import read_once
from labohub.standards.er7 import Segment
from labohub.standards.hl7.embedded import Base64Corrupt
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.results import Grouped, Observation, OrderGroup
from labohub.standards.hl7.tables import OBSERVATION_STATUSES, ORDER_STATUSES, VALUE_TYPES

_WITHOUT_VALUE = frozenset("XDION")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+")
_COMPARATORS = frozenset(("", ">", "<", ">=", "<=", "=", "<>"))
_SEPARATORS = frozenset(("", "-", "+", "/", ".", ":"))
_TIMESTAMP = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(?:\.\d{1,4})?(?:[+-]\d{4})?")
_TIME = re.compile(r"([01]\d|2[0-3])(?:[0-5]\d(?:[0-5]\d(?:\.\d{1,4})?)?)?(?:[+-]\d{4})?")
_SEQUENCE = re.compile(r"\d{1,6}")
MAX_FINDINGS = 10


def check_results(grouped: Grouped, *, patient_needed: bool = True) -> tuple[Finding, ...]:
    """Return what is wrong with results, the first ten."""
    found: list[Finding] = []
    _check_patients(grouped, found, needed=patient_needed)
    for orc in grouped.strays:
        found.append(Finding("100", orc.location, "ltw.order-without-exam", "ORC sans OBR."))
    if not grouped.orders:
        found.append(Finding("100", "OBR^1", "ltw.no-order", "Aucun OBR."))
    for group in grouped.orders:
        _check_order(group, found)
        _check_content(group, found)
    for group in grouped.prior:
        _check_content(group, found)
    return tuple(found[:MAX_FINDINGS])


def check_orders(grouped: Grouped) -> tuple[Finding, ...]:
    """Return what is wrong with the orders of an OML, the first ten. One order alone is refused by ORC-1."""
    found: list[Finding] = []
    _check_patients(grouped, found, needed=True)
    if not grouped.orders:
        found.append(Finding("100", "ORC^1", "ltw.no-order", "Aucun ORC."))
    for group in grouped.orders:
        if group.orc is None:
            found.append(Finding("100", group.head.location, "ltw.order-without-control", "OBR sans ORC."))
        elif not group.control:
            found.append(Finding("101", f"{group.orc.location}^1", "ltw.control-missing", "ORC-1 est vide."))
        _check_order(group, found)
        _check_content(group, found)
        for prior in group.prior:
            if prior.orc is None and not prior.observations:
                found.append(Finding("100", prior.head.location, "ltw.order-without-control", "OBR sans ORC."))
            _check_content(prior, found)
    return tuple(found[:MAX_FINDINGS])


def warnings_of(grouped: Grouped) -> tuple[Finding, ...]:
    """Return what a laboratory should correct, though it stops nothing: one of each kind, at its first place."""
    found: dict[str, Finding] = {}

    def warn(place: str, reason: str, text: str) -> None:
        found.setdefault(reason, warning(place, reason, text))

    for obx in grouped.ambiguous:
        warn(f"{obx.location}^3", "ltw.result-or-specimen", "OBX après SPM : lu comme description de l'échantillon.")
    for group in grouped.orders:
        if group.obr is not None and not group.obr.component(25, 1):
            warn(f"{group.obr.location}^25", "ltw.order-status-missing", "OBR-25 est vide.")
        for observation in group.observations:
            obx = observation.obx
            if _is_without_system(obx, 3):
                warn(f"{obx.location}^3^1^3", "ltw.code-without-system", "Code d'analyse sans système de codage.")
            if _is_foreign_unit(obx, 6):
                warn(f"{obx.location}^6", "ltw.unit-not-ucum", "Unité hors UCUM.")
    return tuple(found.values())


@lru_cache(4096)  # a message tells the same few times in every segment
def is_timestamp(text: str) -> bool:
    """Return True for a TS that a calendar has; partial precision is legal."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return False
    digits = match.group(1)
    filled = digits + "00000101000000"[len(digits) :] if len(digits) < 14 else digits
    try:
        datetime(  # noqa: DTZ001 - only whether it exists
            int(filled[:4]), int(filled[4:6]), int(filled[6:8]), int(filled[8:10]), int(filled[10:12]),
            min(int(filled[12:14]), 59),
        )  # fmt: skip
    except ValueError:
        return False
    return True


@read_once
def _is_without_system(segment: Segment, number: int) -> bool:
    return bool(segment.component(number, 1)) and not segment.component(number, 3)


@read_once
def _is_foreign_unit(segment: Segment, number: int) -> bool:
    return bool(segment.component(number, 1)) and segment.component(number, 3) not in ("", "UCUM")


@read_once
def _is_named(segment: Segment, number: int) -> bool:
    """Return True for a CE with a code or a label."""
    return any(segment.component(number, position) for position in (1, 2, 4, 5))


def _check_patients(grouped: Grouped, found: list[Finding], *, needed: bool) -> None:
    if len(grouped.patients) > 1:
        found.append(Finding("100", "PID^2", "patient.several", "Un seul patient par message."))
    elif grouped.patients:
        _check_patient(grouped.patients[0], found)
    elif needed:
        found.append(Finding("100", "PID^1", "patient.missing", "Segment PID absent."))


def _check_patient(pid: Segment, found: list[Finding]) -> None:
    if not pid.field(3):
        found.append(Finding("101", "PID^1^3", "patient.identifier-missing", "PID-3 est vide."))
    if not pid.field(5):
        found.append(Finding("101", "PID^1^5", "patient.name-missing", "PID-5 est vide."))
    _check_time(pid, 7, found)


def _check_order(group: OrderGroup, found: list[Finding]) -> None:
    head = group.head
    if not group.text(3) and not group.text(2):
        number = 3 if group.obr else 2
        found.append(Finding("101", f"{head.location}^{number}", "ltw.number-missing", "Ni OBR-3 ni OBR-2."))
    obr = group.obr
    if obr is None:
        return
    if not obr.component(4, 1) and not obr.component(4, 2) and not obr.component(4, 4):
        found.append(Finding("101", f"{obr.location}^4", "ltw.exam-missing", "OBR-4 est vide."))
    status = obr.component(25, 1)
    if status and status not in ORDER_STATUSES:
        found.append(Finding("103", f"{obr.location}^25", "ltw.order-status", "Statut OBR-25 non prévu."))
    for number in (2, 3):
        theirs, ours = group.orc.component(number, 1) if group.orc else "", obr.component(number, 1)
        if theirs and ours and theirs != ours:
            text = f"ORC-{number} et OBR-{number} diffèrent."
            found.append(Finding("102", f"{obr.location}^{number}", "ltw.numbers-differ", text))
    for number in (7, 22):
        _check_time(obr, number, found)


def _check_content(group: OrderGroup, found: list[Finding]) -> None:
    for observation in group.observations:
        _check_observation(observation, found)
    for specimen in group.specimens:
        for observation in specimen.observations:
            _check_observation(observation, found)
        _check_time(specimen.spm, 17, found)
        _check_time(specimen.spm, 18, found)


def _check_observation(observation: Observation, found: list[Finding]) -> None:
    obx = observation.obx
    kind, status = obx.component(2, 1), obx.component(11, 1)
    if obx.field(1) and not _SEQUENCE.fullmatch(obx.field(1).strip()):
        found.append(Finding("102", f"{obx.location}^1", "ltw.set-id", "OBX-1 n'est pas un numéro d'ordre."))
    if not _is_named(obx, 3):
        found.append(Finding("101", f"{obx.location}^3", "ltw.analyte-missing", "OBX-3 est vide."))
    if not status:
        found.append(Finding("101", f"{obx.location}^11", "ltw.status-missing", "OBX-11 est vide."))
    elif status not in OBSERVATION_STATUSES:
        found.append(Finding("103", f"{obx.location}^11", "ltw.status-unknown", "Statut OBX-11 non prévu."))
    if kind and kind not in VALUE_TYPES:
        found.append(Finding("103", f"{obx.location}^2", "ltw.value-type", "Type de valeur OBX-2 non prévu."))
    if not kind and (obx.field(5) or status not in _WITHOUT_VALUE):
        found.append(Finding("101", f"{obx.location}^2", "ltw.value-type-missing", "OBX-2 est vide."))
    _check_value(obx, kind, found)
    for number in (14, 19):
        _check_time(obx, number, found)


def _check_value(obx: Segment, kind: str, found: list[Finding]) -> None:
    value = obx.field(5)
    if not value or value == '""':
        return
    place = f"{obx.location}^5"
    if kind == "NM" and not all(_NUMBER.fullmatch(part.strip()) for part in obx.repetitions(5)):
        found.append(Finding("102", place, "ltw.not-a-number", "OBX-5 n'est pas un nombre (NM)."))
    elif kind == "SN" and not all(_is_structured(obx, index) for index in range(1, len(obx.repetitions(5)) + 1)):
        found.append(Finding("102", place, "ltw.not-a-number", "OBX-5 n'est pas un nombre structuré (SN)."))
    elif kind in ("TS", "DTM", "DT") and not is_timestamp(obx.component(5, 1)):
        found.append(Finding("102", place, "ltw.not-a-time", "OBX-5 n'est pas une date."))
    elif kind == "TM" and not _TIME.fullmatch(obx.component(5, 1)):
        found.append(Finding("102", place, "ltw.not-a-time", "OBX-5 n'est pas une heure (TM)."))
    elif kind == "ED":
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


def _check_time(segment: Segment, number: int, found: list[Finding]) -> None:
    text = segment.component(number, 1)
    if text and text != '""' and not is_timestamp(text):
        found.append(Finding("102", f"{segment.location}^{number}", "ltw.not-a-time", "Date impossible."))
