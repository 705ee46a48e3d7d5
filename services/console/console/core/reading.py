"""From events to facts: one small function per event, one table."""

from collections.abc import Callable
from typing import Any

from console.core.facts import (
    DMP,
    Archived,
    Attention,
    Destination,
    Document,
    Facts,
    Settlement,
    Step,
)
from console.core.masking import shown_name, shown_target
from console.core.states import Outcome, Stage
from labohub.contracts import events
from labohub.contracts.codec import derived_id
from labohub.contracts.events import DeliveryEvent, Event
from labohub.contracts.values import BlobRef, Recipient

_INGEST, _INS, _CDA, _MSS, _DMP = "ingest-hl7", "ins-qualifier", "cda-builder", "mss-sender", "dmp-feeder"


def _step(event: Event, service: str, outcome: str, code: str = "", target: str = "", **detail: str) -> Step:
    kept = {key: value for key, value in detail.items() if value}
    evidence: BlobRef | None = getattr(event, "evidence", None)  # optional in the contract, where there is any
    return Step(event.event_id, event.occurred_at, service, event.STEP, outcome, code, target, kept, evidence)


def _facts(event: Event, step: Step, **changes: Any) -> Facts:
    return Facts(event.report_id, event.message_id, step, **changes)


def _target_id(recipient: Recipient) -> str:
    return derived_id("console.target", recipient.address.lower())


def _mailbox(
    recipient: Recipient, outcome: Outcome, event: Event, code: str = "", document_id: str = ""
) -> Destination:
    return Destination(
        target_id=_target_id(recipient),
        channel="mss",
        kind=recipient.kind.value,
        target=shown_target(recipient),
        name=shown_name(recipient),
        outcome=outcome,
        at=event.occurred_at,
        code=code,
        document_id=document_id,
    )


def _dmp(outcome: Outcome, event: Event, code: str = "", document_id: str = "") -> Destination:
    return Destination(DMP, "dmp", "dmp", DMP, "", outcome, event.occurred_at, code, document_id)


def _received(event: events.ReportReceived) -> Facts:
    report = event.report
    wanted = [_mailbox(recipient, Outcome.PLANNED, event) for recipient in report.recipients]
    if report.to_dmp:
        wanted.append(_dmp(Outcome.PLANNED, event))
    step = _step(
        event, _INGEST, "ok", control_id=report.control_id, message_type=report.message_type,
        path=report.path.value, request=report.request.value, destinations=str(len(wanted)),
    )  # fmt: skip
    return _facts(event, step, stage=Stage.RECEIVED, received=report, destinations=tuple(wanted))


def _archived(event: events.MessageArchived) -> Facts:
    step = _step(event, _INGEST, "ok", event.reason, control_id=event.control_id, message_type=event.message_type)
    heading = Archived(event.control_id, event.message_type, event.sender_application, event.sender_facility)
    settled = Settlement("archived", event.reason, 0, 0, 0, event.occurred_at)
    return _facts(event, step, stage=Stage.RECEIVED, archived=heading, settlement=settled)


def _held(event: events.ReportHeld) -> Facts:
    step = _step(event, _INGEST, "waiting", event.reason, control_id=event.control_id, message_type=event.message_type)
    heading = Archived(event.control_id, event.message_type, event.sender_application, event.sender_facility)
    return _facts(event, step, stage=Stage.HELD, archived=heading)


def _patient_corrected(event: events.PatientCorrected) -> Facts:
    return _facts(event, _step(event, _INGEST, "ok"))


def _feeding_opposed(event: events.FeedingOpposed) -> Facts:
    return _facts(event, _step(event, _INGEST, "warning" if event.opposed else "ok"))


def _qualified(event: events.IdentityQualified) -> Facts:
    step = _step(event, _INS, "ok", status=event.identity.status.value)
    return _facts(event, step, stage=Stage.IDENTIFIED, closes=(("identity", ""),))


def _unresolved(event: events.IdentityUnresolved) -> Facts:
    step = _step(event, _INS, "waiting", event.code, status=event.status.value)
    return _facts(event, step, stage=Stage.WAITING_IDENTITY, opens=Attention("identity", "", event.code))


def _withdrawn(event: events.IdentityWithdrawn) -> Facts:
    return _facts(event, _step(event, _INS, "warning", event.code))


def _built(event: events.DocumentBuilt) -> Facts:
    step = _step(
        event, _CDA, "ok", document_id=event.facts.unique_id, level=event.facts.level,
        version=str(event.facts.version_number), conformance=event.conformance,
        size_bytes=str(event.document.size_bytes), sha256=event.document.sha256,
        companion_id=event.companion_facts.unique_id if event.companion_facts else "",
    )  # fmt: skip
    documents = tuple(
        Document(each.facts, each.content, each.pdf, event.conformance, each.conformance_report, event.occurred_at)
        for each in event.documents
    )
    return _facts(event, step, stage=Stage.BUILT, documents=documents, closes=(("conformance", ""),))


def _document_refused(event: events.DocumentRefused) -> Facts:
    step = _step(event, _CDA, "error", event.code)
    return _facts(event, step, stage=Stage.REFUSED, opens=Attention("conformance", "", event.code))


def _mail(
    event: DeliveryEvent, outcome: Outcome, word: str, code: str = "", worklist: str = "", **detail: str
) -> Facts:
    mailbox = _mailbox(event.recipient, outcome, event, code, event.document_id)
    step = _step(event, _MSS, word, code, mailbox.target, mail_id=event.mail_id, **detail)
    return _facts(
        event, step, stage=Stage.SENDING, destinations=(mailbox,),
        opens=Attention(worklist, mailbox.target_id, code, mailbox.target) if worklist else None,
        closes=(("recipients", mailbox.target_id),) if outcome is Outcome.DELIVERED else (),
    )  # fmt: skip


def _accepted(event: events.MailAccepted) -> Facts:
    return _mail(event, Outcome.ACCEPTED, "ok", confirmable="yes" if event.confirmable else "no")


def _delivered(event: events.MailDelivered) -> Facts:
    return _mail(event, Outcome.DELIVERED, "ok", action=event.action)


def _delayed(event: events.MailDelayed) -> Facts:
    return _mail(event, Outcome.DELAYED, "waiting")


def _bounced(event: events.MailBounced) -> Facts:
    return _mail(
        event, Outcome.BOUNCED, "error", event.code, "recipients", smtp_code=event.smtp_code, status=event.status
    )


def _uncertain(event: events.MailUncertain) -> Facts:
    return _mail(event, Outcome.UNCERTAIN, "warning", event.code, "recipients")


def _read(event: events.MailRead) -> Facts:
    if event.error_code:
        return _mail(
            event, Outcome.READ_FAILED, "error", f"mdn.{event.error_code}", "returns", disposition=event.disposition
        )
    return _mail(event, Outcome.READ, "ok", disposition=event.disposition)


def _answered(event: events.ReplyReceived) -> Facts:
    return _mail(event, Outcome.ANSWERED, "ok")


def _submitted(event: events.SubmissionAccepted) -> Facts:
    step = _step(
        event, _DMP, "ok", target=DMP, operation=event.operation, submission_id=event.submission_id,
        document_id=event.document_id,
    )  # fmt: skip
    done = _dmp(Outcome.DELIVERED, event, document_id=event.document_id)
    return _facts(event, step, stage=Stage.SENDING, destinations=(done,), closes=(("returns", DMP),))


def _submission_refused(event: events.SubmissionRefused) -> Facts:
    step = _step(
        event, _DMP, "error", event.code, DMP, operation=event.operation, submission_id=event.submission_id,
        dmp_code=event.dmp_code, document_id=event.document_id,
    )  # fmt: skip
    refused = _dmp(Outcome.REFUSED, event, event.dmp_code or event.code, event.document_id)
    waits = Attention("returns", DMP, event.dmp_code or event.code, DMP)
    return _facts(event, step, stage=Stage.SENDING, destinations=(refused,), opens=waits)


def _answer(event: events.AnswerSettled) -> Facts:
    word = "ok" if event.outcome in {"AA", "CA"} else "error"
    return _facts(event, _step(event, _INGEST, word, event.outcome, event.message_type, control_id=event.control_id))


def _settled(event: events.MessageSettled) -> Facts:
    words = {"delivered": "ok", "archived": "ok", "partly-delivered": "warning", "uncertain": "warning"}
    word = words.get(event.state, "error")
    step = _step(
        event, _INGEST, word, event.code, state=event.state, delivered=str(event.delivered), failed=str(event.failed),
        uncertain=str(event.uncertain),
    )  # fmt: skip
    settled = Settlement(event.state, event.code, event.delivered, event.failed, event.uncertain, event.occurred_at)
    return _facts(event, step, settlement=settled)


def _set_aside(event: events.EventSetAside) -> Facts:
    step = _step(event, event.group, "error", event.code, event.topic, event_type=event.event_type)
    waits = Attention("dead", event.event_id, event.code, f"{event.event_type} · {event.group}")
    return _facts(event, step, opens=waits)


READERS: dict[type[Event], Callable[[Any], Facts]] = {
    events.ReportReceived: _received,
    events.MessageArchived: _archived,
    events.ReportHeld: _held,
    events.PatientCorrected: _patient_corrected,
    events.FeedingOpposed: _feeding_opposed,
    events.IdentityQualified: _qualified,
    events.IdentityUnresolved: _unresolved,
    events.IdentityWithdrawn: _withdrawn,
    events.DocumentBuilt: _built,
    events.DocumentRefused: _document_refused,
    events.MailAccepted: _accepted,
    events.MailDelivered: _delivered,
    events.MailDelayed: _delayed,
    events.MailBounced: _bounced,
    events.MailUncertain: _uncertain,
    events.MailRead: _read,
    events.ReplyReceived: _answered,
    events.SubmissionAccepted: _submitted,
    events.SubmissionRefused: _submission_refused,
    events.AnswerSettled: _answer,
    events.MessageSettled: _settled,
    events.EventSetAside: _set_aside,
}


def facts_of(event: Event) -> Facts:
    """Return what an event changes on the board."""
    return READERS[type(event)](event)
