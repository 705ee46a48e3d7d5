"""What the worklist shows: rows as bodies, patients masked unless asked otherwise."""

from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from ins_qualifier.core.check import Check
from ins_qualifier.core.masking import masked, masked_number, revealed
from labohub.contracts.values import Ins
from labohub.standards.ins.insi_answer import Individual


class Body(BaseModel):
    """Root of the bodies: errors never show their input."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Reason(Body):
    """What a check found: a trait or source, and a stable code."""

    subject: str
    reason: str


class Person(Body):
    """An identity as one source has it; masked or not."""

    traits: dict[str, str]
    matricule: str = ""
    oid: str = ""
    reliability: tuple[str, ...] = ()


class Item(Body):
    """One report that waits for the identity officer."""

    id: str
    report_id: str
    message_id: str
    control_id: str
    sender_application: str
    sender_facility: str
    code: str
    status: str
    priority: str
    state: str
    reasons: tuple[Reason, ...]
    opened_at: datetime
    changed_at: datetime
    patient: Person


class Page(Body):
    """A page of items; `next` is empty on the last one."""

    items: tuple[Item, ...]
    next: str = ""


class Act(Body):
    """A line of an item's history."""

    at: datetime
    act: str
    code: str
    actor: str
    reason: str = ""


class Other(Body):
    """A local patient who stands in another's way."""

    identity: str
    status: str
    traits: dict[str, str]


class CallLine(Body):
    """One call to INSi."""

    message_id: str
    called_at: datetime
    question: int
    with_birth_place: bool
    outcome: str
    elapsed_ms: int


class ItemDetail(Item):
    """An item with what INSi proposes, trait by trait, and all that happened."""

    identity: str  # key of the local patient in the identity store
    others: tuple[Other, ...]  # with the same matricule
    proposal: Person | None
    comparison: dict[str, str]  # trait -> identical, tolerated or mismatch
    history: tuple[Act, ...]
    calls: tuple[CallLine, ...]


class Resolution(Body):
    """A person's decision on an item. `evidence`: the kind of document, when one was controlled."""

    decision: str
    operator: str = Field("", max_length=100)
    reason: str = Field("", max_length=500)
    evidence: str = ""


class Resolved(Body):
    """What came of a decision."""

    id: str
    state: str


class PersonAct(Body):
    """Who acts, and why."""

    operator: str = Field(max_length=100)
    reason: str = Field(max_length=500)


class RecallAct(PersonAct):
    """What was done about a report that left."""

    decision: str


class IdentityLine(Body):
    """An identity of the store, without traits."""

    id: str
    domain: str
    status: str
    attributes: tuple[str, ...]
    blocked: str
    merged_into: str
    evidence: str
    version: int
    told_at: datetime | None
    verified_at: datetime | None
    changed_at: datetime


class IdentityPage(Body):
    """A page of identities; `next` is empty on the last one."""

    items: tuple[IdentityLine, ...]
    next: str = ""


class IdentityChange(Body):
    """A line of an identity's history."""

    at: datetime
    cause: str
    before: str
    after: str
    version: int
    code: str
    actor: str
    check_id: str
    evidence: str
    reason: str


class IdentityReport(Body):
    """A report about an identity: its check."""

    check_id: str
    report_id: str
    state: str
    code: str


class IdentityDetail(IdentityLine):
    """An identity with all that happened to it."""

    history: tuple[IdentityChange, ...]
    reports: tuple[IdentityReport, ...]
    collides_with: tuple[str, ...]


class Departed(Body):
    """A document that left, and to whom; a patient's address is not kept."""

    kind: str
    target: str
    document_id: str
    recipient_kind: str
    recipient: str
    operation: str
    at: datetime


class Recall(Body):
    """A report that left and must be corrected where it went."""

    id: str
    identity: str
    report_id: str
    message_id: str
    control_id: str
    sender_application: str
    sender_facility: str
    code: str
    cause: str
    state: str
    reasons: tuple[Reason, ...]
    opened_at: datetime
    changed_at: datetime
    departures: tuple[Departed, ...]
    history: tuple[Act, ...] = ()


class RecallPage(Body):
    """A page of recalls; `next` is empty on the last one."""

    items: tuple[Recall, ...]
    next: str = ""


class ReverificationOrder(PersonAct):
    """Which identities to verify again, and how fast."""

    domain: str = ""  # empty: all
    older_than_days: int = Field(0, ge=0)  # since INSi last confirmed
    per_second: float = Field(1.0, gt=0, le=50)


class Reverification(Body):
    """A job of verification and how far it came."""

    id: str
    domain: str
    state: str  # running, paused, cancelled or done
    per_second: float
    total: int
    waiting: int
    confirmed: int
    refuted: int
    skipped: int  # no longer qualified when their turn came
    opened_at: datetime
    changed_at: datetime
    history: tuple[Act, ...]


class ReverificationPage(Body):
    """The jobs, the latest first."""

    items: tuple[Reverification, ...]


class Queue(Body):
    """How the stage stands: what is due, what waits for INSi and since when."""

    due: int
    waiting: int
    oldest_at: datetime | None
    oldest_seconds: float
    insi: str  # open, or why it is not called now
    retry_at: datetime | None


def item_of(row: Any, payload: str, *, reveal: bool) -> Item:
    """Return the item of a worklist row and its check's payload."""
    return Item(
        patient=_local(Check.model_validate_json(payload), reveal=reveal),
        reasons=tuple(Reason(subject=subject, reason=reason) for subject, reason in orjson.loads(row["details"])),
        **{name: row[name] for name in Item.model_fields if name not in ("patient", "reasons")},
    )


def proposal_of(individual: Individual, *, reveal: bool) -> Person:
    """Return what INSi proposes."""
    number = individual.active.matricule
    return Person(
        traits=revealed(individual.traits) if reveal else masked(individual.traits),
        matricule=number if reveal else masked_number(number),
        oid=individual.active.oid,
    )


def _local(check: Check, *, reveal: bool) -> Person:
    patient = check.event.report.patient
    ins = patient.ins or Ins(matricule="", oid="")
    return Person(
        traits=revealed(patient.traits) if reveal else masked(patient.traits),
        matricule=ins.matricule if reveal else masked_number(ins.matricule),
        oid=ins.oid,
        reliability=patient.reliability,
    )
