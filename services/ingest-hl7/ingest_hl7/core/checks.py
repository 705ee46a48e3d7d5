"""What a laboratory message must have before anyone may rely on it (LTW, ILW): results and orders alike.

Every check names the place as ERR-2 does; what is missing comes first, then the errors in the order of the message.
Warnings never stop a result: care comes first.
"""

from collections.abc import Iterable

from ingest_hl7.core.repeated import read_once
from ingest_hl7.core.segment_checks import check_counter, check_observation, check_time
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.results import Grouped, OrderGroup
from labohub.standards.hl7.tables import ORDER_STATUSES

MAX_FINDINGS = 10
_CHARSET_WARNINGS = {
    "er7.charset-alias": "Jeu de caractères (MSH-18) hors table, lu selon la fiche de l'émetteur.",
    "er7.charset-c1-controls": "Octets de Windows-1252 sous un jeu de caractères ISO 8859 (MSH-18).",
}
_STRAYS = {
    "ORC": ("ltw.order-without-exam", "ORC sans OBR."),
    "PID": ("patient.misplaced", "PID après des résultats : à qui sont-ils ?"),
    "OBX": ("ltw.result-without-exam", "OBX avant son OBR."),
    "SPM": ("ltw.specimen-without-exam", "SPM avant son OBR."),
}


def check_results(
    message: Message, grouped: Grouped, *, patient_needed: bool = True, status_needed: bool = False
) -> tuple[Finding, ...]:
    """Return what is wrong with results, the first ten.

    Args:
        status_needed: OBR-25 is required, as in LAB-3 and LAB-36.
    """
    found: list[Finding] = []
    _check_message(message, grouped, found, patient_needed=patient_needed)
    if not grouped.orders:
        found.append(Finding("100", "OBR^1", "ltw.no-order", "Aucun OBR."))
    for group in grouped.orders:
        _check_order(group, found)
        if status_needed and group.obr is not None and not group.obr.component(25, 1):
            found.append(Finding("101", f"{group.obr.location}^25", "ltw.order-status-missing", "OBR-25 est vide."))
        _check_content(group, found)
    for group in grouped.prior:
        _check_content(group, found)
    return in_order(message, found)


def check_orders(message: Message, grouped: Grouped) -> tuple[Finding, ...]:
    """Return what is wrong with the orders of an OML, the first ten. One order alone is refused by ORC-1."""
    found: list[Finding] = []
    _check_message(message, grouped, found, patient_needed=True)
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
    return in_order(message, found)


def in_order(message: Message, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the first ten findings: what is missing, then segment after segment, field after field."""
    findings = tuple(found)
    if len(findings) < 2:
        return findings
    ranks = {segment.location: rank for rank, segment in enumerate(message)}

    def place(finding: Finding) -> tuple[int, list[int]]:
        name, sequence, *fields = finding.location.split("^")
        return ranks.get(f"{name}^{sequence}", -1), [int(number) for number in fields]

    return tuple(sorted(findings, key=place)[:MAX_FINDINGS])


def warnings_of(message: Message, grouped: Grouped) -> tuple[Finding, ...]:
    """Return what a laboratory should correct, though it stops nothing: one of each kind, at its first place."""
    found: dict[str, Finding] = {}

    def warn(place: str, reason: str, text: str) -> None:
        found.setdefault(reason, warning(place, reason, text))

    for obx in grouped.ambiguous:
        warn(f"{obx.location}^3", "ltw.result-or-specimen", "OBX après SPM : lu comme description de l'échantillon.")
    for group in grouped.orders:
        told: set[tuple[str, str]] = set()
        for observation in group.observations:
            obx = observation.obx
            if _is_without_system(obx, 3):
                warn(f"{obx.location}^3^1^3", "ltw.code-without-system", "Code d'analyse sans système de codage.")
            if _is_foreign_unit(obx, 6):
                warn(f"{obx.location}^6", "ltw.unit-not-ucum", "Unité hors UCUM.")
            if obx.component(11, 1) == "I" and group.obr is not None and group.obr.component(25, 1) in ("F", "C"):
                warn(f"{obx.location}^11", "ltw.pending-in-final", "Résultat attendu (I) dans une batterie finale.")
            name = (obx.field(3), obx.field(4))
            if obx.field(5) and name in told:
                warn(f"{obx.location}^4", "ltw.sub-id-missing", "Même analyse deux fois sans OBX-4 qui les distingue.")
            if obx.field(5):
                told.add(name)
    return (*charset_warnings(message), *found.values())


def charset_warnings(message: Message) -> tuple[Finding, ...]:
    """Return what a sender should correct of MSH-18."""
    told = [code for code in message.warnings if code in _CHARSET_WARNINGS]
    return tuple(warning("MSH^1^18", code, _CHARSET_WARNINGS[code]) for code in told)


@read_once
def _is_without_system(segment: Segment, number: int) -> bool:
    return bool(segment.component(number, 1)) and not segment.component(number, 3)


@read_once
def _is_foreign_unit(segment: Segment, number: int) -> bool:
    return bool(segment.component(number, 1)) and segment.component(number, 3) not in ("", "UCUM")


def _check_message(message: Message, grouped: Grouped, found: list[Finding], *, patient_needed: bool) -> None:
    header = message.header
    if not header.field(7):
        found.append(Finding("101", "MSH^1^7", "hl7.time-missing", "MSH-7 est vide."))
    check_time(header, 7, found)
    for segment in message:
        check_counter(segment, found)
    _check_patients(grouped, found, needed=patient_needed)
    for segment in grouped.strays:
        if segment.name != "PID" or len(grouped.patients) == 1:  # two patients are said once
            found.append(Finding("100", segment.location, *_STRAYS[segment.name]))


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
    check_time(pid, 7, found)


def _check_order(group: OrderGroup, found: list[Finding]) -> None:
    head, orc, obr = group.head, group.orc, group.obr
    if not group.text(3) and not group.text(2):
        number = 3 if obr else 2
        found.append(Finding("101", f"{head.location}^{number}", "ltw.number-missing", "Ni OBR-3 ni OBR-2."))
    if orc is not None:
        for number in (9, 37):
            check_time(orc, number, found)
    if obr is None:
        return
    if not obr.component(4, 1) and not obr.component(4, 2) and not obr.component(4, 4):
        found.append(Finding("101", f"{obr.location}^4", "ltw.exam-missing", "OBR-4 est vide."))
    status = obr.component(25, 1)
    if status and status not in ORDER_STATUSES:
        found.append(Finding("103", f"{obr.location}^25", "ltw.order-status", "Statut OBR-25 non prévu."))
    for number in (2, 3):
        if orc is not None and _names_another(orc, obr, number):
            text = f"ORC-{number} et OBR-{number} diffèrent."
            found.append(Finding("102", f"{obr.location}^{number}", "ltw.numbers-differ", text))
    for number in (7, 22):
        check_time(obr, number, found)


def _names_another(orc: Segment, obr: Segment, number: int) -> bool:
    """Return True when both are told and differ: an EI is its number, its OID, else its namespace."""
    if orc.field(number) == obr.field(number):
        return False
    theirs, ours = ([segment.component(number, position) for position in (1, 2, 3)] for segment in (orc, obr))
    if not theirs[0] or not ours[0]:
        return False
    by_oid = bool(theirs[2] and ours[2])
    one, other = (theirs[2], ours[2]) if by_oid else (theirs[1], ours[1])
    return theirs[0] != ours[0] or bool(one and other and one != other)


def _check_content(group: OrderGroup, found: list[Finding]) -> None:
    for observation in group.observations:
        check_observation(observation.obx, found)
    for specimen in group.specimens:
        for observation in specimen.observations:
            check_observation(observation.obx, found)
        for position in (1, 2):
            check_time(specimen.spm, 17, found, position=position)
        check_time(specimen.spm, 18, found)
