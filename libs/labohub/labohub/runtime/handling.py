"""One event given to one handler: at once by the consumer, or later from the parked ones."""

from dataclasses import dataclass

from prometheus_client import Counter

from labohub.contracts.codec import from_record
from labohub.contracts.envelope import TRACE_HEADER, Record
from labohub.contracts.events import Event
from labohub.errors import HubError
from labohub.runtime.logging import get_logger
from labohub.runtime.service import Handler, Service
from labohub.runtime.telemetry import span
from labohub.store.unit import Unit

log = get_logger(__name__)

FAILED = Counter("labohub_events_failed_total", "Events set aside.", ["service", "event", "code"])


@dataclass(frozen=True, slots=True)
class Delivery:
    """A record that this service has a handler for."""

    record: Record
    kind: str
    event_id: str


async def handle(service: Service, unit: Unit, handler: Handler, delivery: Delivery) -> None:
    """Run a handler under its event's trace."""
    event: Event = from_record(delivery.record)
    with span(
        f"{service.name} {delivery.kind}", delivery.record.headers.get(TRACE_HEADER, ""), report_id=event.report_id
    ):
        await handler(event, unit)


def note_failure(service: str, delivery: Delivery, error: Exception) -> str:
    """Return the failure's code, logged and counted."""
    code = error.code if isinstance(error, HubError) else "bug"
    FAILED.labels(service, delivery.kind, code).inc()
    if isinstance(error, HubError):
        log.warning("event.failed", service=service, event_type=delivery.kind, event_id=delivery.event_id, code=code)
    else:
        log.bug("event.failed", error, service=service, event_type=delivery.kind, event_id=delivery.event_id)
    return code
