"""Technical results and quality control: kept, never a report, whatever their status says."""

from ingest_hl7.core import checks, identity
from ingest_hl7.core.decision import Archived, Refusal
from ingest_hl7.core.senders import Sender
from labohub.standards.er7 import Message
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.patient import read_patient
from labohub.standards.hl7.results import group_orders

QUALITY_CONTROL, ANALYSER, TECHNICAL = "ltw.quality-control", "law.analyser", "ltw.technical"
_OF_PATIENT = ("", "P")  # SPM-11, table 0369


def decide(message: Message, sender: Sender, environment: str) -> Archived | Refusal:
    """Return why an OUL is kept, or refused. Only controls and analysers may name no patient."""
    grouped = group_orders(message, lambda obx, obr: True)
    reason = _reason(message)
    errors = checks.check_results(message, grouped, patient_needed=reason == TECHNICAL)
    facts = read_patient(message)
    warnings: tuple[Finding, ...] = ()
    if facts is not None:
        _, ins_errors, warnings = identity.to_patient(facts, environment=environment, policy=sender.ins_policy)
        errors = checks.in_order(message, (*errors, *ins_errors))
    if errors:
        return Refusal("AE", errors)
    return Archived(reason, warnings=(*checks.charset_warnings(message), *warnings))


def is_control(message: Message) -> bool:
    """Return True for an OUL whose specimens are controls, calibrators…: it speaks of no patient (SPM-11)."""
    roles = {spm.component(11, 1).upper() for spm in message.all("SPM")}
    return message.header.component(9, 1).upper() == "OUL" and bool(roles) and roles.isdisjoint(_OF_PATIENT)


def _reason(message: Message) -> str:
    if is_control(message):
        return QUALITY_CONTROL
    return ANALYSER if message.header.component(21, 1).upper().startswith("LAB-29") else TECHNICAL
