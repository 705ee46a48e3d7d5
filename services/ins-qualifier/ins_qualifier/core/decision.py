"""The decision table: what a check found gives a status, a code and a place in the worklist.

Axis C is the control of coherence with a high-confidence device: the sender's word for it is PID-32 `VALI`. Axis I
means that INSi recovered the traits and that they compare. Only both together qualify.
Source: RNIV EXI SI 07 and 08; rows of the INS digest in docs/standards.md.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from labohub.contracts.values import IdentityStatus


class Finding(StrEnum):
    """Why an identity is not qualified. The values are the codes of the error catalogue."""

    ATTRIBUTE = "ins.attribute"  # doubtful, fictitious, anonymous, hidden: INSi is not asked
    INCOMPLETE = "ins.incomplete"  # a strict trait is missing
    NAME_REFUSED = "ins.name-refused"  # a character that INSi's alphabet has not
    DATE_UNUSABLE = "ins.date-unusable"
    SEX_UNUSABLE = "ins.sex-unusable"
    CONFLICT = "ins.conflict"  # the received matricule is another person's, for INSi
    TRAITS_MISMATCH = "ins.traits-mismatch"
    ANSWER_UNUSABLE = "insi.answer-unusable"
    NOT_FOUND = "insi.not-found"
    AMBIGUOUS = "insi.ambiguous"
    REFUSED = "insi.refused"  # INSi finds a fault in the traits that the local rules did not
    UNAVAILABLE = "insi.unavailable"  # for longer than reports wait
    MATRICULE_REJECTED = "ins.matricule-rejected"
    MATRICULE_REVIEW = "ins.matricule-review"
    CONTRADICTORY = "ins.contradictory"  # an INS with an identity that is not validated
    NOT_VALIDATED = "ins.not-validated"
    COLLISION = "ins.collision"  # one matricule on two local patients, or two on one
    REFUTED = "ins.refuted"  # a verification said no; a person has not looked yet
    TRAITS_CHANGED = "ins.traits-changed"  # a later message names this patient otherwise


class Priority(StrEnum):
    """How soon a person should look."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"
    TECHNICAL = "technical"  # for operations, not for the identity officer


class Rule(NamedTuple):
    """One row: a finding, whether INSi is asked all the same, and who should look how soon."""

    rows: tuple[int, ...]  # of the digest's decision table
    finding: Finding
    asks_insi: bool
    priority: Priority
    recovers: bool = False  # axis I rises in spite of the finding
    withdraws_control: bool = False  # axis C is not believed


# The first rule whose finding is there decides; the others stay visible in the worklist.
RULES: tuple[Rule, ...] = (
    Rule((1,), Finding.ATTRIBUTE, False, Priority.NORMAL, withdraws_control=True),
    Rule((4,), Finding.COLLISION, False, Priority.HIGH),
    Rule((18,), Finding.REFUTED, False, Priority.HIGH),
    Rule((16,), Finding.TRAITS_CHANGED, True, Priority.NORMAL),
    Rule((2,), Finding.INCOMPLETE, False, Priority.NORMAL),
    Rule((2,), Finding.NAME_REFUSED, False, Priority.NORMAL),
    Rule((2,), Finding.DATE_UNUSABLE, False, Priority.NORMAL),
    Rule((2,), Finding.SEX_UNUSABLE, False, Priority.NORMAL),
    Rule((10,), Finding.ANSWER_UNUSABLE, True, Priority.TECHNICAL),
    Rule((13, 15), Finding.UNAVAILABLE, True, Priority.NORMAL),
    Rule((14,), Finding.REFUSED, True, Priority.NORMAL),
    Rule((11,), Finding.NOT_FOUND, True, Priority.NORMAL),
    Rule((12,), Finding.AMBIGUOUS, True, Priority.NORMAL),
    Rule((9,), Finding.TRAITS_MISMATCH, True, Priority.NORMAL),
    Rule((8,), Finding.CONFLICT, True, Priority.HIGH),
    Rule((3,), Finding.MATRICULE_REJECTED, True, Priority.LOW),
    Rule((3,), Finding.MATRICULE_REVIEW, True, Priority.NORMAL),
    Rule((5,), Finding.CONTRADICTORY, True, Priority.NORMAL, recovers=True),
    Rule((5,), Finding.NOT_VALIDATED, True, Priority.LOW, recovers=True),
)
_BY_FINDING = {rule.finding: rule for rule in RULES}


class Decision(NamedTuple):
    """A status; when it is not QUALIFIEE, the code that says why and its priority."""

    status: IdentityStatus
    code: str = ""
    priority: Priority = Priority.NORMAL

    @property
    def is_qualified(self) -> bool:
        """Return whether the matricule may leave."""
        return self.status is IdentityStatus.QUALIFIEE


def asks_insi(findings: Iterable[Finding]) -> bool:
    """Return whether INSi may be asked after these local findings."""
    return all(_BY_FINDING[finding].asks_insi for finding in findings)


def decide(findings: Iterable[Finding], *, controlled: bool) -> Decision:
    """Return the decision on all findings of a check that asked INSi as far as it might. `controlled` is axis C."""
    present = set(findings)
    rule = next((rule for rule in RULES if rule.finding in present), None)
    if rule is None:
        if controlled:
            return Decision(IdentityStatus.QUALIFIEE)
        rule = _BY_FINDING[Finding.NOT_VALIDATED]
    if rule.recovers:
        status = IdentityStatus.RECUPEREE
    else:
        believed = controlled and not rule.withdraws_control
        status = IdentityStatus.VALIDEE if believed else IdentityStatus.PROVISOIRE
    return Decision(status, rule.finding.value, rule.priority)
