"""What mail sending needs from outside, in our words."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from labohub.contracts.events import Event
from labohub.errors import Misconfigured, Refused, Unavailable
from labohub.standards.hl7.mdm import LpsAnswer
from labohub.store.work import Work, WorkQueue
from mss_sender.core.access import Lps
from mss_sender.core.answers import Answer
from mss_sender.core.effects import Fact
from mss_sender.core.values import HandOver, PlannedMail, Return


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A mail ready for the operator."""

    account: str  # our mailbox that sends it
    sender: str  # of the envelope; empty for a notice, which nobody may answer
    recipient: str
    envelope_id: str
    content: bytes  # RFC 5322, CRLF, 7-bit


@dataclass(frozen=True, slots=True)
class Receipt:
    """The operator took the mail. `confirmable` is False when it offers no delivery notice."""

    confirmable: bool


class MailRefused(Refused):
    """The operator will not take this mail."""

    code = "mss.refused-by-operator"

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"refused with {answer.code} {answer.status}")
        self.answer = answer


class MailPostponed(Unavailable):
    """The operator does not take the mail now, or cannot be reached; nothing was handed over."""

    code = "mss.operator-unavailable"

    def __init__(self, smtp_code: str, status: str = "") -> None:
        super().__init__(f"postponed with {smtp_code} {status}")
        self.smtp_code = smtp_code
        self.status = status


class MailUnknown(Unavailable):
    """The line broke after the content left: the operator may have the mail, or not."""

    code = "mss.uncertain"


class OperatorRejectsUs(Misconfigured):
    """The operator refuses our certificate, our address or our rights. Sending stops: trying again may lock us out."""

    code = "mss.operator-rejects-us"


class LeaseLost(Unavailable):
    """Another worker took over this mail: we let go before anything was sent."""

    code = "mss.lease-lost"


class MssOperator(Protocol):
    """The operator's submission service."""

    async def submit(self, mail: Outgoing, before_content: Callable[[], Awaitable[None]]) -> Receipt:
        """Hand a mail over. `before_content` is awaited once the recipient is accepted, just before the content.

        Raises: MailRefused, MailPostponed, MailUnknown, OperatorRejectsUs; whatever `before_content` raises.
        """


@dataclass(frozen=True, slots=True)
class Fetched:
    """One mail as it lies in the mailbox. `raw` is cut to its head when `truncated`."""

    uid: int
    raw: bytes
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """How far a mailbox was read."""

    uid_validity: int
    last_uid: int


class Mailbox(Protocol):
    """A mailbox of the operator, read from a thread of its own. It never changes what it reads."""

    account: str

    def fetch_after(self, position: Position, limit: int) -> tuple[Position, Sequence[Fetched]]:
        """Return the mails after a position, oldest first, with the position after them.

        Everything comes again, from the first mail, when the server renumbered the mailbox.

        Raises: Unavailable, Misconfigured.
        """

    def wait(self, seconds: float) -> None:
        """Return when something may have arrived, or after `seconds`. Raises: Unavailable."""

    def wake(self) -> None:
        """End a `wait` from another thread."""

    def leave(self) -> None:
        """Leave the server for good."""


class Mails(Protocol):
    """Our mails, seen from one unit of work."""

    @property
    def queue(self) -> WorkQueue:
        """The rows to send."""

    async def add(self, mail: PlannedMail) -> bool:
        """Plan a mail; return False when this document already went, or goes, to this mailbox."""

    async def find_by(self, envelope_id: str, message_ids: Sequence[str]) -> Work | None:
        """Return our mail that a return speaks of: by ENVID first, then by Message-ID, best clue first."""

    async def record(self, mail_id: str, fact: Fact) -> bool:
        """Keep a fact and tell it to all who asked for the mail; return False when it was known."""

    async def known(self, mail_id: str) -> frozenset[str]:
        """Return the names of the facts known of a mail."""


class Returns(Protocol):
    """What came back, seen from one unit of work."""

    @property
    def queue(self) -> WorkQueue:
        """The rows to sort."""

    async def keep(self, mailbox: str, position: Position, returns: Sequence[Return]) -> None:
        """Write mails as read and the position after them, together."""

    async def position(self, mailbox: str) -> Position:
        """Return how far a mailbox was read."""


class HandOverRows(Protocol):
    """Answers on their way to people, seen from one unit of work."""

    @property
    def queue(self) -> WorkQueue:
        """The rows to hand over."""

    async def add(self, value: HandOver) -> None:
        """Plan a hand-over; the same again changes nothing."""

    async def count_since(self, correspondent: str, since: datetime) -> int:
        """Return how many mails of a correspondent were handed over since then."""


class LpsUnreachable(Unavailable):
    """The software does not acknowledge: no connection, no answer in time, or an answer to something else."""

    code = "mss.lps-unreachable"


class LpsDoor(Protocol):
    """The software that integrates documents."""

    async def deliver(self, lps: Lps, er7_bytes: bytes, control_id: str) -> LpsAnswer:
        """Return the acknowledgement that names `control_id`. Raises: LpsUnreachable."""


class SendingUnit(Protocol):
    """One transaction of this service."""

    @property
    def now(self) -> datetime:
        """The moment of the transaction."""

    @property
    def mails(self) -> Mails:
        """Our mails."""

    @property
    def returns(self) -> Returns:
        """What came back."""

    @property
    def handovers(self) -> HandOverRows:
        """Answers on their way to the organisational mailbox."""

    @property
    def integrations(self) -> WorkQueue:
        """Mails with documents on their way to the software."""

    @property
    def traceparent(self) -> Callable[[], str]:
        """The trace that new rows and events belong to."""

    async def publish(self, *events: Event) -> None:
        """Write events into the outbox."""


Units = Callable[[], AbstractAsyncContextManager[SendingUnit]]
