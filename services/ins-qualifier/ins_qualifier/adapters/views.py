"""What the worklist shows: rows as bodies, patients masked unless asked otherwise."""

from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

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

    proposal: Person | None
    comparison: dict[str, str]  # trait -> identical, tolerated or mismatch
    history: tuple[Act, ...]
    calls: tuple[CallLine, ...]


class Resolution(Body):
    """A person's decision on an item."""

    decision: str
    operator: str = ""


class Resolved(Body):
    """What came of a decision."""

    id: str
    state: str


class Queue(Body):
    """How the stage stands: what is due, what waits for INSi and since when."""

    due: int
    waiting: int
    oldest_at: datetime | None
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
