"""The structuring path: a result message changes what is known of its demand, from which a report leaves, or waits."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ingest_hl7.core import addressing, checks, demand, expected, history, identity, microbiology, policies
from ingest_hl7.core.consents import local_subject
from ingest_hl7.core.decision import Archived, FreshResults, Receipt, Refusal, Structured
from ingest_hl7.core.order import Order, person_key
from ingest_hl7.core.results import Reader
from ingest_hl7.core.senders import ANYONE, Antibiogram, ReportKey, Role, Sender
from labohub.contracts.codec import derived_id
from labohub.contracts.laboratory import LaboratoryReport
from labohub.contracts.values import (
    MessageId,
    Path,
    Patient,
    Report,
    ReportId,
    Request,
)
from labohub.contracts.values import Sender as SenderName
from labohub.standards.er7 import Message, Segment
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.patient import PatientFacts, read_patient
from labohub.standards.hl7.results import Grouped, OrderGroup, group_orders

ARCHIVED_BY_ROLE = {Role.SUBCONTRACTOR: "ltw.subcontracted", Role.MIDDLEWARE: "ltw.technical"}
QUALITY_CONTROL = "ltw.quality-control"
NO_DESTINATION = "ltw.no-destination"
PATIENT_CHANGED = "ltw.patient-changed"
OLDER_STATE = "ltw.older-state"


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of a demand and its patient."""

    state: LaboratoryReport | None = None
    times: Mapping[str, str] = field(default_factory=dict)
    same_patient: bool = True
    left: int = 0  # reports of this demand that left
    digest: str = ""  # of the last that left
    orders: tuple[tuple[Order, bool], ...] = ()  # each with whether it is still expected
    former: tuple[LaboratoryReport, ...] = ()  # other demands of the patient


def decide(message: Message, receipt: Receipt, sender: Sender, environment: str) -> Structured | Archived | Refusal:
    """Return the report these results make as long as nothing else is known, why they are only kept, or refused."""
    grouped = group(message, sender)
    errors = checks.check_results(message, grouped, status_needed=sender.role is not Role.MIDDLEWARE)
    facts = read_patient(message)
    if facts is None:
        return Refusal("AE", errors)
    patient, ins_errors, warnings = identity.to_patient(facts, environment=environment, policy=sender.ins_policy)
    if errors or ins_errors:
        return Refusal("AE", checks.in_order(message, (*errors, *ins_errors)))
    if facts.ins is None and not facts.reliability:
        warnings = (*warnings, warning("PID^1^32", "patient.reliability-missing", "PID-32 est vide."))
    warnings = (*warnings, *checks.warnings_of(message, grouped))
    reader = Reader(message, grouped, sender)
    if not reader.groups:
        return Archived(QUALITY_CONTROL, warnings=warnings)
    if sender.role in ARCHIVED_BY_ROLE:
        return Archived(ARCHIVED_BY_ROLE[sender.role], warnings=warnings)
    name = SenderName(application=message.header.component(3, 1), facility=message.header.component(4, 1))
    number, identified = demand_of(reader.groups, facts, sender)
    results = reader.report(number)
    fresh = FreshResults(
        results=results,
        places=reader.places,
        sent_at=message.header.component(7, 1),
        sender=sender,
        quoted=tuple(reader.quoted()),
        order_keys=expected.order_keys(reader.groups, name),
        filler_keys=expected.filler_keys(reader.groups, name),
        warnings=(*warnings, *reader.warnings, *_unlinked(results, reader, sender), *_mixed(reader.groups, sender)),
    )
    report = Report(
        report_id=ReportId(derived_id("report", name.application, name.facility, "demand", identified)),
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
        wants_reception_ack=sender.wants_reception_ack,
        wants_reading_ack=sender.wants_reading_ack,
        reply_to=sender.reply_to,
        encounter_class=facts.encounter_class,
        order_numbers=addressing.order_numbers(results),
    )
    return conclude(Structured(report, fresh, results), Known())


def conclude(decision: Structured, known: Known) -> Structured | Archived | Refusal:
    """Return the decision once all that is known of the demand is: what leaves, or why nothing does."""
    fresh, report_id = decision.fresh, decision.report.report_id
    if not known.same_patient:
        text = "Cette demande est connue pour un autre patient : rien n'est transmis."
        warned = (*fresh.warnings, warning("PID^1^3", PATIENT_CHANGED, text))
        return Archived(PATIENT_CHANGED, report_id, warnings=warned)
    if known.state is None:
        applied = demand.begin(fresh.results, sent_at=fresh.sent_at)
    else:
        applied = demand.apply(
            known.state, known.times, fresh.results, fresh.places, sent_at=fresh.sent_at,
            snapshot=fresh.sender.snapshot,
        )  # fmt: skip
    refusal = _unresolved(applied.report, fresh)
    if refusal is not None and known.state is not None:
        return refusal
    warnings = (*fresh.warnings, *applied.warnings)
    notes = (*applied.notes, *((policies.WRONG_PATIENT,) if applied.withdrawn else ()))
    if applied.is_older:
        return Archived(OLDER_STATE, report_id, warnings=warnings)
    orders = [(order, awaited) for order, awaited in known.orders if order.is_of(decision.report.patient)]
    state = expected.with_orders(applied.report, [order for order, _ in orders])
    kept = replace(
        decision, state=state, times=applied.times, results=None, digest="", waits="",
        if_unknown=refusal,
        warnings=warnings, notes=notes,
    )  # fmt: skip
    draft = policies.draft(
        state,
        fresh.sender.report_policy,
        has_left=known.left > 0,
        withdrawn=applied.withdrawn,
        missing=expected.missing(state, orders),
    )
    if draft.report is None:
        return replace(kept, waits=draft.reason)
    digest = policies.digest(draft.report)
    if known.left and digest == known.digest:
        return replace(kept, waits=policies.UNCHANGED)
    return _leaving(kept, draft.report, known, digest)


def patient_key(patient: Patient, facility: str) -> str:
    """Return what must not change between two messages about one demand, opaque: the sender's own identifier.

    Where no authority is the sender's, all local identifiers; without any, the matricule, else the traits.

    Args:
        facility: MSH-4.1; the same number of two laboratories is two patients.
    """
    own = [each for each in patient.local_ids if each.authority_name == facility]
    names = sorted(local_subject(each, facility) for each in own or patient.local_ids)
    return derived_id("patient", *names) if names else person_key(patient)


def group(message: Message, sender: Sender) -> Grouped:
    """Return the orders of a result message."""
    known = frozenset(sender.analytes)

    def is_result(obx: Segment, obr: Segment) -> bool:
        code = obx.component(3, 1)
        return ANYONE in known or code in known or code in (obr.component(4, 1), obr.component(4, 4))

    return group_orders(message, is_result)


def demand_of(groups: list[OrderGroup], facts: PatientFacts, sender: Sender) -> tuple[str, str]:
    """Return the number of the demand, and the text that tells it from others of the same sender."""
    first = groups[0]
    if sender.report_key is ReportKey.ACCOUNT and facts.account:
        return facts.account, f"account\x1f{facts.account}"
    if sender.report_key is ReportKey.FILLER_PREFIX and sender.filler_separator in first.text(3):
        prefix = first.text(3).rsplit(sender.filler_separator, maxsplit=1)[0]
        return prefix, f"prefix\x1f{prefix}"
    places = [*((each.orc, 38) for each in groups), *((each.orc, 4) for each in groups)]
    for segment, position in (*places, (first.obr, 3), (first.orc, 3), (first.obr, 2), (first.orc, 2)):
        if segment is not None and segment.component(position, 1):
            return segment.component(position, 1), segment.field(position)
    return "", ""


def _leaving(kept: Structured, results: LaboratoryReport, known: Known, digest: str) -> Structured:
    """Return the decision with the report that leaves and whom it goes to."""
    sender, report = kept.fresh.sender, kept.report
    recipients = addressing.recipients(results.copies_to, report.patient, sender)
    if not recipients and not sender.to_dmp:
        return replace(kept, waits=NO_DESTINATION)
    earlier = [*kept.fresh.quoted, *history.former_results(known.former)]
    most = max(sender.previous_results, len(kept.fresh.quoted))
    shown = history.with_previous(results, earlier, most).model_copy(update={"version": known.left + 1})
    changed = {
        "recipients": recipients,
        "requester": addressing.requester(sender, results),
        "request": Request.REPLACEMENT if known.left else Request.INITIAL,
        "order_numbers": addressing.order_numbers(results),
    }
    return replace(kept, results=shown, digest=digest, report=report.model_copy(update=changed))


def _unresolved(results: LaboratoryReport, fresh: FreshResults) -> Refusal | None:
    """Return the refusal of an antibiogram whose isolate nobody knows: it is never attached to another one."""
    lost = {each.filler_number for each in microbiology.unresolved(results)}
    text = "OBR-26 désigne un résultat absent de la demande parente."
    found = tuple(
        Finding("204", f"{place}^26", "ltw.parent-unresolved", text)
        for battery, place in zip(fresh.results.batteries, fresh.places.batteries, strict=True)
        if battery.filler_number in lost and microbiology.names_result(battery)
    )
    return Refusal("AE", found) if found else None


def _mixed(groups: list[OrderGroup], sender: Sender) -> tuple[Finding, ...]:
    """Return a warning for several demands in one message: they make one report, that of the first."""
    told = [group.orc for group in groups if group.orc is not None and group.orc.component(4, 1)]
    other = next((orc for orc in told if orc.component(4, 1) != told[0].component(4, 1)), None)
    if sender.report_key is not ReportKey.DEMAND or other is None:
        return ()
    text = "Plusieurs demandes (ORC-4) dans un message : un seul compte rendu."
    return (warning(f"{other.location}^4", "ltw.several-demands", text),)


def _unlinked(results: LaboratoryReport, reader: Reader, sender: Sender) -> tuple[Finding, ...]:
    """Return a warning for an antibiogram without a link, unless its sender is known to write so."""
    if sender.antibiogram is not Antibiogram.CHILD_ORDER:
        return ()
    text = "Antibiogramme sans lien avec un isolat (OBR-26)."
    places = dict(zip(map(id, results.batteries), reader.places.batteries, strict=True))
    found = [
        warning(f"{places[id(each)]}^26", "ltw.antibiogram-unlinked", text) for each in microbiology.unlinked(results)
    ]
    return tuple(found[:1])
