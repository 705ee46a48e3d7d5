"""What the service needs from outside, in its own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ins_qualifier.core.check import Check
from ins_qualifier.core.decision import Decision, Finding
from ins_qualifier.core.local import Detail, LocalCheck
from ins_qualifier.core.plans import Plan
from labohub.contracts.events import Event
from labohub.contracts.values import BlobRef, Identity, Patient, Report
from labohub.errors import Misconfigured, Unavailable
from labohub.standards.ins.insi_answer import Answer, InsiFault
from labohub.standards.ins.insi_card import CardQuery
from labohub.standards.ins.insi_request import SearchQuery
from labohub.store.work import Work, WorkQueue


class InsiUnavailable(Unavailable):
    """INSi cannot be reached, does not answer in time, or says `later`."""

    code = "insi.unavailable"


class InsiMisconfigured(Misconfigured):
    """INSi does not accept this installation: certificate, authorisation number or address."""

    code = "insi.misconfigured"


AUTOMATIC = "automatic"  # a message came
PERSON = "person"  # asked for another check


class Conformance(StrEnum):
    """Whether an answer keeps to the official schemas. Noted only: real ones stray from them."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_CHECKED = "not-checked"  # the schemas are not installed


@dataclass(frozen=True, slots=True)
class Reply:
    """What INSi said to one question, and the bytes it said it with. `outcome` None: an answer that cannot be used."""

    outcome: Answer | InsiFault | None
    raw: bytes
    conformance: Conformance = Conformance.NOT_CHECKED

    @property
    def code(self) -> str:
        """Return the code to keep: 00, 01, 02, a fault's, or `unusable`."""
        if isinstance(self.outcome, Answer):
            return self.outcome.code
        if isinstance(self.outcome, InsiFault):
            return self.outcome.code or self.outcome.subcode or "fault"
        return "unusable"


class Insi(Protocol):
    """The téléservice. A call takes its turn first; `message_id` is a UUID, new in each call."""

    @property
    def certificate(self) -> str:
        """Return the serial number of the certificate that calls, in hexadecimal; empty without one."""

    async def turn(self, *, bulk: bool = False) -> None:
        """Return when the next call may start: those about a patient of now come before bulk ones."""

    async def search(self, query: SearchQuery, message_id: str) -> Reply:
        """Return the reply to a search by traits (WS_INS2).

        Raises:
            InsiUnavailable, InsiMisconfigured: there is none.
        """

    async def search_by_card(self, query: CardQuery, message_id: str, assertions: Sequence[bytes] = ()) -> Reply:
        """Return the reply to a search by Vitale card (WS_INS1), with the signed assertions of its reader.

        Raises:
            CardUnusable: the reading is not what the operation takes.
            InsiUnavailable, InsiMisconfigured: there is none.
        """


class VerificationUncertified(Misconfigured):
    """Nobody verifies known identities here: the form of WS_INS3 to WS_INS5 is not published."""

    code = "insi.verification-uncertified"


class Verdict(StrEnum):
    """What INSi says of an identity that holds an INS."""

    CONFIRMED = "confirmed"  # matricule, authority and traits still fit
    REFUTED = "refuted"  # nothing leaves with it until a person has looked


class InsiVerifier(Protocol):
    """Verification of known identities, one (WS_INS3) or a list (WS_INS4 and 5). NOT CERTIFIED until its WSDL is known.

    Bulk belongs here: a *search* over an identity base is not allowed. Identities hold an INS. All methods raise
    VerificationUncertified, InsiUnavailable or InsiMisconfigured.
    """

    @property
    def is_certified(self) -> bool:
        """Return whether a certified client of INSi answers; a test bench's answer proves nothing."""

    async def verify_one(self, identity: Identity) -> Verdict:
        """Return the verdict on one identity."""

    async def deposit(self, identities: Mapping[str, Identity]) -> str:
        """Return the ticket of a list, whose keys are ours."""

    async def collect(self, ticket: str) -> Mapping[str, Verdict] | None:
        """Return the verdicts of a list by our keys; None while they are not there."""


@dataclass(frozen=True, slots=True)
class Call:
    """The trace of one call: `sent` and `answer` are encrypted documents, all else holds no patient data."""

    message_id: str
    check_id: str
    report_id: str
    operation: str
    question: int  # 1, 2, … in this round
    with_birth_place: bool
    called_at: datetime
    elapsed_ms: int = 0
    outcome: str = ""
    answer: BlobRef | None = None  # raw, as received
    sent: BlobRef | None = None  # the traits asked with, JSON
    trigger: str = AUTOMATIC
    certificate: str = ""  # serial number
    software: str = ""  # its version: the rules that decided
    conformance: str = Conformance.NOT_CHECKED


@dataclass(frozen=True, slots=True)
class Known:
    """What the message says of a patient, and what the store knows of him before INSi is asked."""

    local: LocalCheck
    plan_id: str = ""
    plan: Plan | None = None  # answered a short time ago for the same traits in the same domain: not asked again
    collides: bool = False  # the received matricule is another local patient's
    is_referential: bool = False  # what the sender's identity base qualified is qualified


@dataclass(frozen=True, slots=True)
class Examined:
    """What a check found, before the store has its say."""

    check_id: str
    check: Check
    local: LocalCheck
    findings: tuple[Finding, ...]
    identity: Identity | None = None  # INSi's, or the referential's
    former: tuple[str, ...] = ()  # matricules that INSi replaced by the active one
    taken_over: bool = False
    evidence: str = ""  # the call that INSi answered
    plan: Plan | None = None  # to keep

    @property
    def replaced(self) -> bool:
        """Return whether the received matricule is a former one."""
        received = self.check.event.report.patient.ins
        return received is not None and received.matricule.upper() in self.former


class Identities(Protocol):
    """The identity store."""

    async def known(self, unit: Any, checks: Sequence[tuple[Check, Known]]) -> list[Known]:
        """Return what is known before INSi is asked, for each check."""

    async def settle(self, unit: Any, seen: Examined) -> tuple[Decision, tuple[Detail, ...]]:
        """Return the decision on a check with all that the store knows, and its reasons; the identity follows it."""

    async def follow(self, unit: Any, check: Check, patient: Patient, cause: str) -> str:
        """Let the store follow a patient whom the source corrected. Return the local patient that he is now."""

    async def recall(
        self, unit: Any, check_id: str, check: Check, *, identity: str, cause: str, details: Sequence[Detail]
    ) -> None:
        """Put a report that left, and whose patient the source corrected, on the recall list."""


@dataclass(frozen=True, slots=True)
class Later:
    """The messages that came after one about the same report."""

    qualified: bool  # one went out: sending the earlier one now would undo it
    under_way: bool  # one is being checked at this moment


@dataclass(frozen=True, slots=True)
class Departure:
    """A document that left. The recipient is empty when he is the patient: his address is his matricule."""

    message_id: str
    kind: str  # mail, dmp
    target: str
    report_id: str
    document_id: str
    recipient_kind: str = ""
    recipient: str = ""
    operation: str = ""


class Worklist(Protocol):
    """What waits for the identity officer."""

    async def open(
        self, item: str, report: Report, decision: Decision, details: Sequence[Detail], now: datetime
    ) -> None:
        """Open the item of a check, or open it again with new reasons."""

    async def close(self, item: str, state: str, now: datetime) -> None:
        """Close the item, if there is one."""

    async def check_again(self, item: str, now: datetime) -> None:
        """Let the item wait for another check, if it is open."""

    async def note(self, item: str, act: str, code: str, actor: str, now: datetime, *, reason: str = "") -> None:
        """Write a line of history, of an item that may not exist yet."""

    async def state_of(self, item: str) -> str:
        """Return an item's state; empty when there is none."""


class Calls(Protocol):
    """The traces of the calls."""

    async def add(self, calls: Sequence[Call]) -> None:
        """Keep traces."""


class Qualification(Protocol):
    """A unit of work of this service."""

    now: datetime
    checks: WorkQueue

    @property
    def worklist(self) -> Worklist:
        """Return what waits for the identity officer."""

    @property
    def calls(self) -> Calls:
        """Return the traces of the calls."""

    async def publish(self, *events: Event) -> None:
        """Write events into the outbox."""

    async def hold_report(self, check_id: str) -> Later:
        """Return what became of the later messages of a check's report; all its checks are ours until the unit ends."""

    async def start_again(self, check_id: str, check: Check, identity: str = "") -> None:
        """Make a check due with this content; whoever works on it has lost it."""

    async def still_leased(self, works: Sequence[Work]) -> set[str]:
        """Return which of these are ours still; they stay so until the unit ends."""

    async def departed(self, departure: Departure) -> None:
        """Keep that a document left, and to whom."""

    async def release_waiting(self) -> None:
        """Make every check that waits for INSi due now."""
