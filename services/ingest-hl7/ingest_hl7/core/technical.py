"""Technical results and quality control: kept, never a report, whatever their status says."""

from ingest_hl7.core import checks
from ingest_hl7.core.decision import Archived, Refusal
from labohub.standards.er7 import Message
from labohub.standards.hl7.findings import Finding, warning
from labohub.standards.hl7.results import group_orders

QUALITY_CONTROL, ANALYSER, TECHNICAL = "ltw.quality-control", "law.analyser", "ltw.technical"
_OF_PATIENT = ("", "P")  # SPM-11, table 0369


def decide(message: Message) -> Archived | Refusal:
    """Return why an OUL is kept, or refused. Only controls and analysers may name no patient."""
    grouped = group_orders(message, lambda obx, obr: True)
    reason = _reason(message)
    errors = checks.check_results(message, grouped, patient_needed=reason == TECHNICAL)
    if errors:
        return Refusal("AE", errors)
    return Archived(reason, warnings=(*checks.charset_warnings(message), *_identity_warnings(message)))


def _reason(message: Message) -> str:
    roles = {spm.component(11, 1).upper() for spm in message.all("SPM")}
    if roles and roles.isdisjoint(_OF_PATIENT):
        return QUALITY_CONTROL
    return ANALYSER if message.header.component(21, 1).upper().startswith("LAB-29") else TECHNICAL


def _identity_warnings(message: Message) -> tuple[Finding, ...]:
    pid = message.first("PID")
    if pid is None or not any(pid.component(3, 5, n) == "INS" for n in range(1, len(pid.repetitions(3)) + 1)):
        return ()
    validated = any(pid.text(part).upper() == "VALI" for part in pid.repetitions(32))
    text = "INS reçu sans identité validée (PID-32 sans VALI) : message intégré, INS ignoré."
    return () if validated else (warning("PID^1^32", "ins.not-validated", text),)
