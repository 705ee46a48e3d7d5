"""The technical answer of a decision: its letter, its errors and warnings, its modes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest_hl7.core.decision import Decision, Ordered, Refusal, Silent
from ingest_hl7.core.intake import Arrival
from ingest_hl7.core.returns import control_id
from labohub.standards.hl7.acknowledgement import (
    AnswerStyle,
    accepts_answers,
    acknowledge,
    is_enhanced,
    timestamp,
)
from labohub.standards.hl7.cda_in_hl7 import profile_of
from labohub.standards.hl7.findings import Finding
from labohub.standards.hl7.orl import OrderAnswer, order_lines

_COMMIT = {"AA": "CA", "AE": "CE", "AR": "CR"}
_NOT_NOW = Finding("207", "MSH^1", "store.unavailable", "Indisponibilité momentanée : renvoyez le message plus tard.")


@dataclass(frozen=True, slots=True)
class Answers:
    """What goes back, in order: one answer in original mode; up to two in enhanced mode."""

    code: str  # AA, AE or AR, whatever the mode
    frames: tuple[bytes, ...]

    @property
    def last(self) -> bytes:
        """Return the application's answer when there is one, else the commit; b"" when nothing is asked."""
        return self.frames[-1] if self.frames else b""


def answers(arrival: Arrival, decision: Decision, at: datetime) -> Answers:
    """Return the answers of a decision that is durable, or of a refusal."""
    if isinstance(decision, Silent):
        return Answers("", ())
    if isinstance(decision, Refusal):
        return _write(arrival, decision.code, decision.findings, decision.style, at)
    style = AnswerStyle.VOLET if _is_volet(arrival) else AnswerStyle.HL7
    body = (
        order_lines(decision.event, decision.patient, _order_answers(decision), timestamp(at))
        if isinstance(decision, Ordered)
        else ()
    )
    return _write(arrival, "AA", decision.warnings, style, at, body=body)


def batch_refusal(location: str) -> Refusal:
    """Return the refusal of a batch whose count is not that of its messages: one may be lost."""
    return Refusal("AE", (Finding("102", location, "hl7.batch-count", "Nombre annoncé et nombre reçu diffèrent."),))


def batch_too_large() -> Refusal:
    """Return the refusal of a batch of more messages than one answer can wait for."""
    return Refusal("AE", (Finding("207", "MSH^1", "er7.batch-too-large", "Lot de trop de messages : scindez-le."),))


def not_now(arrival: Arrival, at: datetime) -> Answers:
    """Return AR 207: nothing is wrong with the message, nothing was kept, send it again."""
    style = AnswerStyle.VOLET if _is_volet(arrival) else AnswerStyle.HL7
    return _write(arrival, "AR", (_NOT_NOW,), style, at)


def _is_volet(arrival: Arrival) -> bool:
    return arrival.header is not None and profile_of(arrival.header) is not None


def _order_answers(decision: Ordered) -> list[OrderAnswer]:
    return [
        OrderAnswer(group, verdict.control, verdict.status, verdict.reason, verdict.placer)
        for group, verdict in zip(decision.groups, decision.verdicts, strict=True)
    ]


def _write(
    arrival: Arrival,
    code: str,
    findings: tuple[Finding, ...],
    style: AnswerStyle,
    at: datetime,
    *,
    body: Sequence[str] = (),
) -> Answers:
    header, message_id = arrival.header, arrival.receipt.message_id
    if style is AnswerStyle.VOLET and code == "AA":
        findings = ()  # the volet knows ERR on AE and AR alone
    if header is None or not is_enhanced(header):
        number = control_id("ack", message_id)
        answer = acknowledge(header, code, findings, at=at, control_id=number, style=style, body=body)
        return Answers(code, (answer.er7,))
    frames = []
    success = code == "AA"
    if accepts_answers(header, mode="accept", success=success):
        number = control_id("commit", message_id)
        commit_findings = () if success else findings
        frames.append(acknowledge(header, _COMMIT[code], commit_findings, at=at, control_id=number, style=style).er7)
    if accepts_answers(header, mode="application", success=success):
        number = control_id("ack", message_id)
        frames.append(acknowledge(header, code, findings, at=at, control_id=number, style=style, body=body).er7)
    return Answers(code, tuple(frames))
