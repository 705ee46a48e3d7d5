"""What the service needs from outside, in its own words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ins_qualifier.core.check import Check
from ins_qualifier.core.decision import Decision
from ins_qualifier.core.local import Detail
from labohub.contracts.events import Event
from labohub.contracts.values import BlobRef, Report
from labohub.errors import Misconfigured, Unavailable
from labohub.standards.ins.insi_answer import Answer, InsiFault
from labohub.standards.ins.insi_request import SearchQuery
from labohub.store.work import WorkQueue


class InsiUnavailable(Unavailable):
    """INSi cannot be reached, does not answer in time, or says `later`."""

    code = "insi.unavailable"


class InsiMisconfigured(Misconfigured):
    """INSi does not accept this installation: certificate, authorisation number or address."""

    code = "insi.misconfigured"


@dataclass(frozen=True, slots=True)
class Reply:
    """What INSi said to one question, and the bytes it said it with. `outcome` None: an answer that cannot be used."""

    outcome: Answer | InsiFault | None
    raw: bytes

    @property
    def code(self) -> str:
        """Return the code to keep: 00, 01, 02, a fault's, or `unusable`."""
        if isinstance(self.outcome, Answer):
            return self.outcome.code
        if isinstance(self.outcome, InsiFault):
            return self.outcome.code or self.outcome.subcode or "fault"
        return "unusable"


class Insi(Protocol):
    """The téléservice."""

    async def search(self, query: SearchQuery, message_id: str) -> Reply:
        """Return the reply to a search by traits. `message_id` is a UUID, new in each call.

        Raises:
            InsiUnavailable, InsiMisconfigured: there is none.
        """


@dataclass(frozen=True, slots=True)
class Call:
    """The trace of one call. The sent traits are those of the check, with the question's number in the search plan."""

    message_id: str
    check_id: str
    report_id: str
    operation: str
    question: int  # 1, 2, … in this round
    with_birth_place: bool
    called_at: datetime
    elapsed_ms: int = 0
    outcome: str = ""
    answer: BlobRef | None = None


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
