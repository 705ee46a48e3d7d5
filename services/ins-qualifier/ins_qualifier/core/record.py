"""What the hub knows of a local patient's identity, and how each event changes it.

Two axes: I, INSi gave these traits and they compare; C, somebody controlled a document. A status is both.
Source: RNIV EXI SI 07 to 09; rows of the INS digest in docs/standards.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ins_qualifier.core.decision import Decision, Finding
from ins_qualifier.core.local import NO_CALL_ATTRIBUTES, NOT_CONTROLLED, LocalCheck
from labohub.contracts.values import Identity, IdentityStatus, Ins, Patient, Traits
from labohub.standards.ins import dates, names, traits
from labohub.standards.ins.traits import StrictTraits

HOMONYM = frozenset({"HOMD", "HOMA"})


class Axes(NamedTuple):
    """I and C."""

    recovered: bool
    controlled: bool


AXES = {
    IdentityStatus.PROVISOIRE: Axes(recovered=False, controlled=False),
    IdentityStatus.RECUPEREE: Axes(recovered=True, controlled=False),
    IdentityStatus.VALIDEE: Axes(recovered=False, controlled=True),
    IdentityStatus.QUALIFIEE: Axes(recovered=True, controlled=True),
}
_STATUS = {axes: status for status, axes in AXES.items()}
_RANK = tuple(AXES)


class Effect(StrEnum):
    """What an event does to an axis."""

    KEEP = "keep"
    RISE = "rise"
    FALL = "fall"
    TOLD = "told"  # as the message says


class Cause(StrEnum):
    """Why an identity changed. The values stand in its history."""

    SEEN = "identity.seen"
    ATTRIBUTE = "ins.attribute"
    TOLD = "identity.told"
    CONFIRMED = "insi.confirmed"
    REPLACED = "ins.replaced"
    TAKEN_OVER = "identity.taken-over"
    TRAITS_CHANGED = "ins.traits-changed"
    CORRECTED = "identity.corrected"
    VERIFIED = "ins.verified"
    REFUTED = "ins.refuted"
    LINKED = "identity.linked"
    DOCUMENT = "identity.document-recorded"
    MERGED = "identity.merged"
    COLLISION = "ins.collision"
    RELEASED = "identity.released"
    WITHDRAWN = "ins.withdrawn"


class Transition(NamedTuple):
    """One row: what a cause does to both axes, to the matricule, and whether sending stops until a person decides."""

    rows: tuple[int, ...]  # of the digest's decision table
    cause: Cause
    recovered: Effect
    controlled: Effect
    withdraws: bool = False  # the matricule
    blocks: bool = False


TRANSITIONS: tuple[Transition, ...] = (
    Transition((), Cause.SEEN, Effect.FALL, Effect.FALL),
    Transition((1,), Cause.ATTRIBUTE, Effect.FALL, Effect.FALL, withdraws=True),
    Transition((2, 3, 9, 10, 11, 12, 13, 14, 15), Cause.TOLD, Effect.KEEP, Effect.TOLD),
    Transition((4,), Cause.COLLISION, Effect.KEEP, Effect.KEEP, blocks=True),
    Transition((5, 6, 7), Cause.CONFIRMED, Effect.RISE, Effect.TOLD),
    Transition((8,), Cause.REPLACED, Effect.RISE, Effect.TOLD),
    Transition((), Cause.TAKEN_OVER, Effect.RISE, Effect.RISE),
    Transition((16,), Cause.TRAITS_CHANGED, Effect.FALL, Effect.TOLD, withdraws=True),
    Transition((16,), Cause.CORRECTED, Effect.FALL, Effect.TOLD, withdraws=True),
    Transition((17,), Cause.VERIFIED, Effect.KEEP, Effect.KEEP),
    Transition((18,), Cause.REFUTED, Effect.KEEP, Effect.KEEP, blocks=True),
    Transition((19,), Cause.LINKED, Effect.RISE, Effect.TOLD),
    Transition((20,), Cause.DOCUMENT, Effect.KEEP, Effect.RISE),
    Transition((21,), Cause.MERGED, Effect.TOLD, Effect.TOLD),
    Transition((), Cause.RELEASED, Effect.KEEP, Effect.KEEP),
    Transition((), Cause.WITHDRAWN, Effect.FALL, Effect.KEEP, withdraws=True),
)
_BY_CAUSE = {transition.cause: transition for transition in TRANSITIONS}


@dataclass(frozen=True, slots=True)
class Record:
    """An identity of the store. Frozen: each change is a new version."""

    id: str
    domain: str
    scope: str
    traits: Traits
    ins: Ins | None = None  # INSi's, of a recovered or qualified identity
    status: IdentityStatus = IdentityStatus.PROVISOIRE
    attributes: tuple[str, ...] = ()
    evidence: str = ""  # a document that a person recorded here
    evidence_at: datetime | None = None
    linked: str = ""  # key of local traits that a person linked with INSi's
    blocked: str = ""  # why nothing leaves, whatever its status
    merged_into: str = ""
    check_id: str = ""  # the check that spoke last
    told_at: datetime | None = None  # when the source last named this patient
    verified_at: datetime | None = None  # when INSi last confirmed
    version: int = 0

    @property
    def is_recovered(self) -> bool:
        """Return whether axis I holds."""
        return AXES[self.status].recovered

    def is_told_otherwise(self, local: LocalCheck, key: str) -> bool:
        """Return whether a message names a recovered patient with another strict trait. What it leaves out is none."""
        if not self.is_recovered or (key and key == self.linked):
            return False
        found = traits.differences(traits.compare(local.traits, strict(self.traits)))
        return any(getattr(local.traits, each.trait) not in ("", "U") for each in found)

    def covers(self, patient: Patient, told_at: datetime) -> bool:
        """Return whether a document recorded here stands for axis C of a message."""
        if not self.evidence or self.evidence_at is None:
            return False
        return self.evidence_at > told_at or not set(patient.reliability) & NOT_CONTROLLED


class Change(NamedTuple):
    """One line of an identity's history."""

    cause: Cause
    before: IdentityStatus
    after: IdentityStatus
    version: int
    code: str = ""  # a finding, or what a person said
    actor: str = ""
    check_id: str = ""
    evidence: str = ""  # the call that INSi answered, or the recorded document
    reason: str = ""  # a person's own words on the act


def strict(known: Traits) -> StrictTraits:
    """Return traits of the store as a comparison takes them."""
    return StrictTraits(
        birth_name=names.transliterate(known.birth_name),
        given_names=names.transliterate(known.given_names or known.first_given_name),
        sex=known.sex,
        birth_date=dates.from_pid_7(known.birth_date).text,
        birth_place=known.birth_place,
    )


def moved(
    record: Record,
    cause: Cause,
    *,
    controlled: bool = False,
    code: str = "",
    actor: str = "",
    source: str = "",
    reason: str = "",
    check_id: str = "",
    **fields: object,
) -> tuple[Record, Change]:
    """Return the identity after one cause, as the table says, and its line of history. `controlled`: axis C as told."""
    rule, before = _BY_CAUSE[cause], AXES[record.status]
    axes = Axes(
        _after(rule.recovered, before.recovered, told=before.recovered),
        _after(rule.controlled, before.controlled, told=controlled),
    )
    status = _STATUS[axes]
    values: dict[str, object] = {"status": status, "version": record.version + 1}
    if rule.withdraws:
        values |= {"ins": None, "linked": "", "evidence": "", "evidence_at": None}
    if rule.blocks:
        values["blocked"] = code or cause.value
    after = replace(record, **(values | fields))  # type: ignore[arg-type]
    change = Change(cause, record.status, after.status, after.version, code, actor, check_id, source, reason)
    return after, change


def lowest(one: IdentityStatus, other: IdentityStatus) -> IdentityStatus:
    """Return the status of two records made one: what both have."""
    axes = Axes(*(left and right for left, right in zip(AXES[one], AXES[other], strict=True)))
    return _STATUS[axes]


def _after(effect: Effect, before: bool, *, told: bool) -> bool:
    return {Effect.KEEP: before, Effect.RISE: True, Effect.FALL: False, Effect.TOLD: told}[effect]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw of a patient and found."""

    check_id: str
    told_at: datetime
    patient: Patient
    local: LocalCheck
    traits_key: str
    decision: Decision
    findings: Sequence[Finding]
    identity: Identity | None = None  # INSi's, when it gave one
    replaced: bool = False  # the number received is one that INSi replaced
    taken_over: bool = False
    linked_by: str = ""  # the person who linked the proposal
    evidence: str = ""  # the call


def observe(record: Record, seen: Seen, now: datetime) -> tuple[Record, tuple[Change, ...]]:
    """Return the identity after a check, with what changed. A message older than the last one changes no trait."""
    changes: list[Change] = []

    def move(cause: Cause, **more: object) -> None:
        nonlocal record
        record, change = moved(record, cause, check_id=seen.check_id, **more)  # type: ignore[arg-type]
        changes.append(change)

    is_latest = record.told_at is None or seen.told_at >= record.told_at
    attributes = tuple(sorted(set(seen.patient.reliability) & (NO_CALL_ATTRIBUTES | HOMONYM)))
    if not record.version:
        move(Cause.SEEN)
    if is_latest:
        if Finding.ATTRIBUTE in seen.findings and (record.status is not IdentityStatus.PROVISOIRE or record.ins):
            move(Cause.ATTRIBUTE, code=seen.decision.code)
        elif record.is_told_otherwise(seen.local, seen.traits_key):
            move(Cause.TRAITS_CHANGED, controlled=seen.local.controlled)
        record = replace(record, told_at=seen.told_at, attributes=attributes, check_id=seen.check_id)
    status = seen.decision.status
    if AXES[status].recovered and seen.identity is not None:
        cause = Cause.CONFIRMED
        if seen.taken_over:
            cause = Cause.TAKEN_OVER
        elif seen.linked_by:
            cause = Cause.LINKED
        elif seen.replaced:
            cause = Cause.REPLACED
        is_new = record.status is not status or record.ins != seen.identity.ins or bool(seen.linked_by)
        record = replace(record, verified_at=now)
        if is_new:
            linked = seen.traits_key if seen.linked_by else record.linked
            move(
                cause, controlled=AXES[status].controlled, code=seen.decision.code, actor=seen.linked_by,
                source=seen.evidence, traits=seen.identity.traits, ins=seen.identity.ins, linked=linked,
            )  # fmt: skip
    elif is_latest and not record.is_recovered:
        record = replace(record, traits=seen.patient.traits)
        if record.status is not status:
            move(Cause.TOLD, controlled=AXES[status].controlled, code=seen.decision.code)
    return record, tuple(changes)
