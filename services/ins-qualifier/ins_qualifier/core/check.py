"""One identity check: what it works on, how far it came, and what it says."""

from datetime import datetime

from ins_qualifier.core.decision import Decision
from labohub.contracts.codec import derived_id
from labohub.contracts.events import Event, IdentityQualified, IdentityUnresolved, ReportReceived
from labohub.contracts.values import Identity, Patient, Value
from labohub.standards.ins.search_plan import Step


class Asked(Value):
    """One question that INSi answered."""

    given_name: str
    birth_place: str = ""
    code: str


class Check(Value):
    """The payload of a work row. `asked` survives a pause, so that no question is asked twice in one round."""

    event: ReportReceived
    planned_at: datetime
    round: int = 1  # grows when a person asks for another check
    asked: tuple[Asked, ...] = ()
    left_as: Identity | None = None  # the qualified identity that the report went on with

    @property
    def answered(self) -> tuple[tuple[Step, str], ...]:
        """Return the questions and the codes of their answers, as the search plan takes them."""
        return tuple((Step(one.given_name, one.birth_place), one.code) for one in self.asked)


def check_id(event: Event) -> str:
    """Return the identifier of a report message's check: the same for a repetition of the event."""
    return derived_id("identity-check", event.message_id)


def again(check: Check, now: datetime, patient: Patient | None = None) -> Check:
    """Return another round of a check: no question was asked in it yet. With `patient`, of a corrected one."""
    event = check.event
    if patient is not None:
        event = event.model_copy(update={"report": event.report.model_copy(update={"patient": patient})})
    return check.model_copy(update={"event": event, "round": check.round + 1, "asked": (), "planned_at": now})


def announcement(
    check: Check, decision: Decision, identity: Identity | None, now: datetime
) -> IdentityQualified | IdentityUnresolved:
    """Return the event that tells a decision."""
    report = check.event.report
    event_id = derived_id("identity", check_id(check.event), str(check.round), decision.status)
    if identity is not None and decision.is_qualified:
        return IdentityQualified(
            event_id=event_id,
            occurred_at=now,
            report_id=report.report_id,
            message_id=report.message_id,
            report=report,
            identity=identity,
        )
    return IdentityUnresolved(
        event_id=event_id,
        occurred_at=now,
        report_id=report.report_id,
        message_id=report.message_id,
        control_id=report.control_id,
        status=decision.status,
        code=decision.code,
    )
