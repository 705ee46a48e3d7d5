"""The structuring path: a result message becomes a report to build, or is kept until it may become one."""

from dataclasses import replace

from ingest_hl7.core import checks, identity
from ingest_hl7.core.decision import Archived, Receipt, Refusal, Structured
from ingest_hl7.core.results import Reader, is_older, merge, same_content
from ingest_hl7.core.senders import Role, Sender
from labohub.contracts.codec import derived_id
from labohub.contracts.laboratory import LaboratoryReport, Professional
from labohub.contracts.values import (
    MessageId,
    Path,
    Patient,
    Recipient,
    RecipientKind,
    Report,
    ReportId,
    Request,
    Requester,
)
from labohub.contracts.values import Sender as SenderName
from labohub.standards.er7 import Message
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.participation import PATIENT_DOMAIN
from labohub.standards.hl7.patient import read_patient
from labohub.standards.hl7.results import OrderGroup, group_orders

FINAL_ORDER = frozenset("FC")
ENDED_ORDER = frozenset("FCX")
_PUBLISHABLE = frozenset("FCX")
ONLY_IF_KNOWN = ("ltw.cancelled", "ltw.nothing-to-show")  # they may change a report that exists
ARCHIVED_BY_ROLE = {Role.SUBCONTRACTOR: "ltw.subcontracted", Role.MIDDLEWARE: "ltw.technical"}


def decide(message: Message, receipt: Receipt, sender: Sender, environment: str) -> Structured | Archived | Refusal:
    """Return the report these results make, why they are only kept, or why they are refused."""
    groups = group_orders(message)
    errors = checks.check(message, groups)
    facts = read_patient(message)
    if errors or facts is None:
        return Refusal("AE", errors)
    patient, errors, warnings = identity.to_patient(facts, environment=environment, policy=sender.ins_policy)
    if errors:
        return Refusal("AE", errors)
    if facts.ins is None and not facts.reliability:
        warnings = (*warnings, warning("PID^1^32", "patient.reliability-missing", "PID-32 est vide."))
    name = SenderName(application=message.header.component(3, 1), facility=message.header.component(4, 1))
    number, identified = demand(groups)
    report_id = ReportId(derived_id("report", name.application, name.facility, "demand", identified))
    reader = Reader(message, groups, sender)
    results = reader.report(number)
    reason = _why_not_now(groups, results, sender)
    if reason and reason not in ONLY_IF_KNOWN:
        orders = tuple((group.obr.component(3, 1), f"{group.obr.location}^25") for group in groups)
        return Archived(reason, report_id, orders, warnings)
    if results.biologist is None and not reason:
        return Archived("ltw.no-biologist", warnings=warnings)
    recipients = _recipients(reader.copies_to(), patient, sender)
    if not recipients and not sender.to_dmp:
        return Archived("ltw.no-destination", warnings=warnings)
    report = Report(
        report_id=report_id,
        message_id=MessageId(receipt.message_id),
        control_id=message.header.value(10),
        message_type=message.header.value(9),
        message_version=message.header.component(12, 1),
        sender=name,
        processing_id=message.header.component(11, 1),
        received_at=receipt.received_at,
        path=Path.STRUCTURING,
        request=Request.INITIAL,
        patient=patient,
        visibility=sender.visibility,
        to_dmp=sender.to_dmp,
        recipients=recipients,
        wants_reception_ack=sender.wants_reception_ack,
        wants_reading_ack=sender.wants_reading_ack,
        reply_to=sender.reply_to,
        requester=_requester(sender, results),
        encounter_class=facts.encounter_class,
        order_numbers=_order_numbers(groups, number),
    )
    return Structured(report, results, only_if_known=reason, warnings=warnings)


def renew(decision: Structured, previous: LaboratoryReport, same_patient: bool) -> Structured | Archived:
    """Return the decision once the demand's former version is known: a merged report, or why nothing is to be sent."""
    report_id = decision.report.report_id
    if not same_patient:
        place, text = "PID^1^3", "Cette demande est connue pour un autre patient : rien n'est transmis."
        return Archived(
            "ltw.patient-changed", report_id, warnings=(*decision.warnings, warning(place, "ltw.patient-changed", text))
        )
    if is_older(previous, decision.results):
        place, text = "OBR^1^22", "État antérieur à celui déjà connu : conservé, non appliqué."
        return Archived(
            "ltw.older-state", report_id, warnings=(*decision.warnings, warning(place, "ltw.older-state", text))
        )
    merged = merge(previous, decision.results)
    if same_content(previous, merged):
        return Archived("ltw.unchanged", report_id, warnings=decision.warnings)
    if merged.biologist is None:
        return Archived("ltw.no-biologist", report_id, warnings=decision.warnings)
    if not _shown(merged):
        return Archived("ltw.withdrawn", report_id, warnings=decision.warnings)
    return replace(decision, results=merged, only_if_known="")


def patient_key(patient: Patient) -> str:
    """Return what must not change between two messages about one demand: the local identifiers, opaque."""
    local = sorted(f"{each.authority_name}:{each.value}" for each in patient.local_ids)
    return derived_id("patient", *local)


def demand(groups: list[OrderGroup]) -> tuple[str, str]:
    """Return the number of the demand and its text with namespace: ORC-38, else ORC-4, else the first order's own."""
    for segment, position in (
        *((group.orc, 38) for group in groups),
        *((group.orc, 4) for group in groups),
        (groups[0].obr, 3),
        (groups[0].obr, 2),
    ):
        if segment is not None and segment.component(position, 1):
            return segment.component(position, 1), segment.field(position)
    return "", ""


def _why_not_now(groups: list[OrderGroup], results: LaboratoryReport, sender: Sender) -> str:
    """Return why no report is due: "" when one is. Default policy: every battery of the message is ended."""
    if sender.role in ARCHIVED_BY_ROLE:
        return ARCHIVED_BY_ROLE[sender.role]
    statuses = {group.obr.component(25, 1) for group in groups}
    if not statuses <= ENDED_ORDER:
        return "ltw.not-final"
    if statuses == {"X"}:
        return "ltw.cancelled"
    return "" if _shown(results) else "ltw.nothing-to-show"


def _shown(results: LaboratoryReport) -> bool:
    return any(result.status in _PUBLISHABLE for battery in results.batteries for result in battery.results)


def _recipients(people: list[Professional], patient: Patient, sender: Sender) -> tuple[Recipient, ...]:
    found: dict[str, Recipient] = {}
    for person in people:
        address = sender.mailboxes.get(person.identifier)
        if address:
            found[address.lower()] = Recipient(
                kind=RecipientKind.PROFESSIONAL,
                address=address,
                identifier=person.identifier,
                identifier_type=person.identifier_type,
                family_name=person.family_name,
                given_name=person.given_name,
            )
    if sender.to_patient and patient.ins is not None and not sender.visibility.invisible_to_patient:
        address = f"{patient.ins.matricule}@{PATIENT_DOMAIN}"
        found[address.lower()] = Recipient(
            kind=RecipientKind.PATIENT, address=address, identifier=patient.ins.matricule, identifier_type="INS"
        )
    return tuple(found.values())


def _requester(sender: Sender, results: LaboratoryReport) -> Requester:
    if sender.requester.organisation_id or sender.requester.person_id:
        return sender.requester
    biologist, laboratory = results.biologist or Professional(), results.laboratory
    return Requester(
        person_id=biologist.identifier,
        person_id_type=biologist.identifier_type,
        family_name=biologist.family_name,
        given_name=biologist.given_name,
        organisation_id=laboratory.identifier,
        organisation_id_type=laboratory.identifier_type,
        organisation_name=laboratory.name,
    )


def _order_numbers(groups: list[OrderGroup], number: str) -> tuple[str, ...]:
    numbers = [number]
    for group in groups:
        numbers += [group.obr.component(2, 1), group.obr.component(3, 1)]
    return tuple(dict.fromkeys(each for each in numbers if each))


def late_warnings(orders: tuple[tuple[str, str], ...], final: frozenset[str]) -> tuple[Finding, ...]:
    """Return a warning for each order already final: an older state came late and is not applied."""
    text = "État antérieur reçu après le résultat final : conservé, non appliqué."
    return tuple(warning(place, "ltw.older-state", text) for filler, place in orders if filler in final)
