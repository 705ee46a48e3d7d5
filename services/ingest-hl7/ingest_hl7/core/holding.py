"""What waits at the intake for its laboratory's word, and why. Names of what an SGL event is about."""

from collections.abc import Iterable
from enum import StrEnum

from labohub.contracts.sgl import Source, Subject, SubjectKind
from labohub.contracts.values import Report

HOLD = "sgl.hold"
NOT_VALIDATED = "sgl.not-validated"


class Mark(StrEnum):
    """What a laboratory said about something that may still have to come."""

    HOLD = "hold"
    VALIDATED = "validated"  # before the results came: the next version may leave, once
    ANNOUNCED = "announced"  # the demand stays visible by the patient, whatever its sender's default


def key_of(source: Source, subject: Subject) -> str:
    """Return the name under which a subject is known: its sender's alone."""
    return _key(source.application, source.facility, subject.kind, subject.value)


def keys_of(report: Report, document_ids: Iterable[str]) -> tuple[str, ...]:
    """Return the names under which an event may speak of this report."""
    sender = report.sender
    named = [(SubjectKind.ORDER, number) for number in report.order_numbers]
    named += [(SubjectKind.CONTROL_ID, report.control_id)]
    named += [(SubjectKind.DOCUMENT, each) for each in document_ids]
    keys = [_key(sender.application, sender.facility, kind, value) for kind, value in named if value]
    return tuple(dict.fromkeys(keys))


def report_key(report_id: str) -> str:
    """Return the name of a report itself."""
    return f"report\x1f{report_id}"


def why_held(*, is_held: bool, needs_validation: bool) -> str:
    """Return why a request waits; "" when it may leave. A validation does not lift a hold, nor the reverse."""
    if is_held:
        return HOLD
    return NOT_VALIDATED if needs_validation else ""


def _key(application: str, facility: str, kind: SubjectKind, value: str) -> str:
    return "\x1f".join((application, facility, kind, value))
