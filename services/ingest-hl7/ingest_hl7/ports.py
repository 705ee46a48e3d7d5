"""What the service needs from outside, in its own words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingest_hl7.core.returns import Return
from ingest_hl7.core.senders import Endpoint, Webhook
from ingest_hl7.core.settlement import Target
from labohub.errors import Refused, Unavailable
from labohub.store.unit import Unit
from labohub.store.work import WorkQueue


class SourceUnreachable(Unavailable):
    """The sender's own listener does not accept, does not answer, or answers something else."""

    code = "answers.source-unreachable"


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """The acknowledgement of a ZAM: AA, AE or AR."""

    code: str


class Source(Protocol):
    """The laboratory system that sent a request and hears of its outcomes."""

    async def deliver(self, endpoint: Endpoint, er7: bytes, control_id: str) -> SourceAnswer:
        """Return the acknowledgement that names `control_id`. Raises: SourceUnreachable."""


@dataclass(frozen=True, slots=True)
class Request:
    """An accepted request for sending: what is owed to its source, and where each destination stands."""

    message_id: str
    report_id: str
    owed: Return
    targets: tuple[Target, ...]
    is_settled: bool


class Requests(Protocol):
    """The requests this service accepted."""

    async def find(self, message_id: str) -> Request | None:
        """Return a request, held until the unit ends, or None for one that was never here."""

    async def record(self, message_id: str, target: Target) -> None:
        """Write where a destination stands now; one that was never asked is ignored."""

    async def close(self, message_id: str, state: str) -> None:
        """Write the terminal state."""


class WebhookRefused(Refused):
    """The address of a webhook is one that the hub does not call."""

    code = "webhook.address-refused"


class WebhookUnreachable(Unavailable):
    """The receiver of a webhook does not answer."""

    code = "webhook.unreachable"


class Receiver(Protocol):
    """The systems that hear news of their reports."""

    async def deliver(self, webhook: Webhook, delivery_id: str, body: str, at: datetime) -> int:
        """Return the HTTP status of the answer. Raises: WebhookRefused, WebhookUnreachable, Misconfigured."""


class IngestUnit(Unit):
    """One transaction, as handlers and workers see it."""

    requests: Requests
    answers: WorkQueue
    webhooks: WorkQueue

    async def rest_webhook(self, sender: str, endpoint: str, until: datetime) -> None:
        """Leave an endpoint that does not answer alone until then, whatever else is due to it."""
        raise NotImplementedError
