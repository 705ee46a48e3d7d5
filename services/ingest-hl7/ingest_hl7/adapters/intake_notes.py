"""What is counted and logged of a message that was taken."""

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.journal import Written
from ingest_hl7.core.decision import Archived, Quarantined, Refusal, Relayed, Structured
from ingest_hl7.core.intake import Arrival
from labohub.runtime.logging import get_logger

log = get_logger(__name__)


def note(arrival: Arrival, written: Written, warnings: tuple[str, ...]) -> None:
    """Count and log. Nothing but our identifiers, MSH-10 and codes."""
    message_id, decision = arrival.receipt.message_id, written.decision
    for code in warnings:
        metrics.TOLERATED.labels(code).inc()
    if written.replayed:
        metrics.REPLAYED.inc()
        log.info("message.replayed", message_id=message_id, code=written.answers.code)
        return
    if isinstance(decision, Refusal):
        reason = decision.findings[0].reason
        metrics.REFUSED.labels(reason).inc()
        log.warning("message.refused", message_id=message_id, code=reason, outcome=decision.code)
    elif isinstance(decision, Archived):
        log.info("message.archived", message_id=message_id, reason=decision.reason)
    elif isinstance(decision, Quarantined):
        metrics.QUARANTINE.labels("held").inc()
        log.warning("message.quarantined", message_id=message_id, code=decision.reason)
    elif isinstance(decision, Structured) and decision.results is None:
        log.info("message.archived", message_id=message_id, report_id=decision.report.report_id, reason=decision.waits)
    elif isinstance(decision, Relayed | Structured):
        log.info("message.accepted", message_id=message_id, report_id=decision.report.report_id)
