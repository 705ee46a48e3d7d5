"""What a result message must have before anyone may rely on it (LTW LAB-3, ILW LAB-36).

Every check names the place as ERR-2 does. Warnings never stop a result: care comes first.
"""

import re
from datetime import datetime

from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.embedded import Base64Corrupt, decode_base64
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.results import Observation, OrderGroup

VALUE_TYPES = frozenset(
    (
        "NM",
        "SN",
        "ST",
        "TX",
        "FT",
        "CE",
        "CWE",
        "TS",
        "DTM",
        "DT",
        "TM",
        "NA",
        "ED",
        "RP",
        "EI",
        "CX",
        "XCN",
        "CP",
        "DR",
    )
)
OBSERVATION_STATUSES = frozenset("OIRPSFCDXNW")  # IHE excludes U: the value is not sent again
ORDER_STATUSES = frozenset("OSIARPFCX")
_WITHOUT_VALUE = frozenset("XDION")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?|[+-]?\.[0-9]+")
_TIMESTAMP = re.compile(r"(\d{4}|\d{6}|\d{8}|\d{10}|\d{12}|\d{14})(?:\.\d{1,4})?(?:[+-]\d{4})?")
_SEQUENCE = re.compile(r"\d{1,6}")
MAX_FINDINGS = 10


def check(message: Message, groups: list[OrderGroup]) -> tuple[Finding, ...]:
    """Return what is wrong, the first ten."""
    found: list[Finding] = []
    patients = len(message.all("PID"))
    if not patients:
        found.append(Finding("100", "PID^1", "patient.missing", "Segment PID absent."))
    elif patients > 1:
        found.append(Finding("100", "PID^2", "patient.several", "Un seul patient par message."))
    else:
        _check_patient(message.all("PID")[0], found)
    if not groups:
        found.append(Finding("100", "OBR^1", "ltw.no-order", "Aucun OBR."))
    for group in groups:
        _check_order(group, found)
        for observation in (*group.observations, *group.specimen_observations):
            _check_observation(observation, found)
    _check_parents(groups, found)
    return tuple(found[:MAX_FINDINGS])


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


def _check_patient(pid: Segment, found: list[Finding]) -> None:
    if not pid.field(3):
        found.append(Finding("101", "PID^1^3", "patient.identifier-missing", "PID-3 est vide."))
    if not pid.field(5):
        found.append(Finding("101", "PID^1^5", "patient.name-missing", "PID-5 est vide."))
    _check_time(pid, 7, found)


def _check_order(group: OrderGroup, found: list[Finding]) -> None:
    obr = group.obr
    if not obr.component(3, 1) and not obr.component(2, 1):
        found.append(Finding("101", f"{obr.location}^3", "ltw.number-missing", "Ni OBR-3 ni OBR-2."))
    if not obr.field(4):
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


def _check_observation(observation: Observation, found: list[Finding]) -> None:
    obx = observation.obx
    place, kind, status = obx.location, obx.component(2, 1), obx.component(11, 1)
    if obx.field(1) and not _SEQUENCE.fullmatch(obx.field(1).strip()):
        found.append(Finding("102", f"{place}^1", "ltw.set-id", "OBX-1 n'est pas un numéro d'ordre."))
    if not obx.component(3, 1) and not obx.component(3, 2):
        found.append(Finding("101", f"{place}^3", "ltw.analyte-missing", "OBX-3 est vide."))
    if not status:
        found.append(Finding("101", f"{place}^11", "ltw.status-missing", "OBX-11 est vide."))
    elif status not in OBSERVATION_STATUSES:
        found.append(Finding("103", f"{place}^11", "ltw.status-unknown", "Statut OBX-11 non prévu."))
    if kind and kind not in VALUE_TYPES:
        found.append(Finding("103", f"{place}^2", "ltw.value-type", "Type de valeur OBX-2 non prévu."))
    if not kind and (obx.field(5) or status not in _WITHOUT_VALUE):
        found.append(Finding("101", f"{place}^2", "ltw.value-type-missing", "OBX-2 est vide."))
    _check_value(obx, kind, found)
    for number in (14, 19):
        _check_time(obx, number, found)


def _check_value(obx: Segment, kind: str, found: list[Finding]) -> None:
    value = obx.field(5)
    if not value or value == '""':
        return
    if kind == "NM" and not all(_NUMBER.fullmatch(part.strip()) for part in obx.repetitions(5)):
        found.append(Finding("102", f"{obx.location}^5", "ltw.not-a-number", "OBX-5 n'est pas un nombre (NM)."))
    elif kind in ("TS", "DTM") and not is_timestamp(obx.component(5, 1)):
        found.append(Finding("102", f"{obx.location}^5", "ltw.not-a-time", "OBX-5 n'est pas une date (TS)."))
    elif kind == "ED":
        parts = obx.components(5)
        if len(parts) == 5 and parts[3].strip().upper() == "BASE64":
            try:
                decode_base64(parts[4])
            except Base64Corrupt:
                text = "Base64 illisible."
                found.append(Finding("102", f"{obx.location}^5^1^5", "hl7.base64-corrupt", text))


def _check_time(segment: Segment, number: int, found: list[Finding]) -> None:
    text = segment.component(number, 1)
    if text and text != '""' and not is_timestamp(text):
        found.append(Finding("102", f"{segment.location}^{number}", "ltw.not-a-time", "Date impossible."))


def _check_parents(groups: list[OrderGroup], found: list[Finding]) -> None:
    """An antibiogram must name an isolate that its parent order has: it is never attached by guess."""
    for group in groups:
        wanted = group.obr.component(26, 2)
        if not group.obr.field(26) or not wanted:
            continue
        parent = _parent(groups, group)
        if parent is None:
            continue  # in an earlier message: the store's business
        analyte = group.obr.subcomponent(26, 1, 1)
        if not any(
            each.obx.component(4, 1) == wanted and analyte in (each.obx.component(3, 1), each.obx.component(3, 4))
            for each in parent.observations
        ):
            text = "OBR-26 désigne un isolat absent de la demande parente."
            found.append(Finding("204", f"{group.obr.location}^26", "ltw.parent-unknown", text))


def _parent(groups: list[OrderGroup], child: OrderGroup) -> OrderGroup | None:
    filler, placer = child.obr.subcomponent(29, 2, 1), child.obr.subcomponent(29, 1, 1)
    by_filler = [each for each in groups if filler and each.obr.component(3, 1) == filler]
    by_placer = [each for each in groups if placer and each.obr.component(2, 1) == placer]
    candidates = by_filler or (by_placer if len(by_placer) == 1 else [])
    return candidates[0] if candidates else None
