"""What the service needs from outside, in its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ins_qualifier.core.check import Check
from ins_qualifier.core.decision import Decision
from ins_qualifier.core.local import Detail
from labohub.contracts.events import Event
from labohub.contracts.values import BlobRef, Report
from labohub.errors import Misconfigured, Unavailable
from labohub.standards.ins.insi_answer import Answer, InsiFault
from labohub.standards.ins.insi_card import CardQuery
from labohub.standards.ins.insi_request import SearchQuery
from labohub.store.work import WorkQueue


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
class Later:
    """The messages that came after one about the same report."""

    qualified: bool  # one went out: sending the earlier one now would undo it
    under_way: bool  # one is being checked at this moment


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

    async def note(self, item: str, act: str, code: str, actor: str, now: datetime) -> None:
        """Write a line of history, of an item that may not exist yet."""


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

    async def start_again(self, check_id: str, check: Check) -> None:
        """Make a check due with this content; whoever works on it has lost it."""

    async def release_waiting(self) -> None:
        """Make every check that waits for INSi due now."""
