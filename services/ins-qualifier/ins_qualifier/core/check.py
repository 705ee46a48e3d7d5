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


class Acceptance(Value):
    """A person's word that INSi's identity is this patient: of one number only."""

    operator: str
    reason: str
    number: str  # key of the matricule that INSi proposed


class Check(Value):
    """The payload of a work row. `asked` survives a pause, so that no question is asked twice in one round."""

    event: ReportReceived
    planned_at: datetime
    round: int = 1  # grows when a person asks for another check
    asked: tuple[Asked, ...] = ()
    left_as: Identity | None = None  # the qualified identity that the report went on with
    told_at: datetime | None = None  # when a correction named the patient; else the report itself did
    is_asked_for: bool = False  # by a person: what INSi said a short time ago is asked again
    accepted: Acceptance | None = None

    @property
    def named_at(self) -> datetime:
        """Return when the source named the patient so."""
        return self.told_at or self.event.report.received_at

    @property
    def answered(self) -> tuple[tuple[Step, str], ...]:
        """Return the questions and the codes of their answers, as the search plan takes them."""
        return tuple((Step(one.given_name, one.birth_place), one.code) for one in self.asked)


def check_id(event: Event) -> str:
    """Return the identifier of a report message's check: the same for a repetition of the event."""
    return derived_id("identity-check", event.message_id)


def again(
    check: Check,
    now: datetime,
    patient: Patient | None = None,
    *,
    is_asked_for: bool = False,
    accepted: Acceptance | None = None,
) -> Check:
    """Return another round of a check: no question was asked in it yet. With `patient`, of a corrected one."""
    values = {
        "round": check.round + 1, "asked": (), "planned_at": now, "is_asked_for": is_asked_for, "accepted": accepted,
    }  # fmt: skip
    if patient is not None:
        values["event"] = with_patient(check, patient).event
        values["told_at"] = now
    return check.model_copy(update=values)


def with_patient(check: Check, patient: Patient) -> Check:
    """Return the check of a report whose patient is corrected; nothing else of it changes."""
    report = check.event.report.model_copy(update={"patient": patient})
    return check.model_copy(update={"event": check.event.model_copy(update={"report": report})})


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
