"""Events to records and back."""

from uuid import NAMESPACE_URL, uuid5

from labohub.contracts.envelope import EVENT_ID_HEADER, TRACE_HEADER, TYPE_HEADER, Record
from labohub.contracts.events import EVENTS, Event
from labohub.errors import Refused

_ROOT = uuid5(NAMESPACE_URL, "urn:labohub:event")


class EventUnknown(Refused):
    """A record's type is not in the contract this reader knows."""

    code = "contract.event-unknown"


class EventMalformed(Refused):
    """A record's value is not what its type says."""

    code = "contract.event-malformed"


def derived_id(*parts: str) -> str:
    """Return the identifier that these parts always give (uuid5): a repetition is recognised by it."""
    return str(uuid5(_ROOT, "\x1f".join(parts)))


def to_record(event: Event, traceparent: str = "") -> Record:
    """Return the record of an event, keyed by its report."""
    headers = {TYPE_HEADER: type(event).__name__, EVENT_ID_HEADER: event.event_id}
    if traceparent:
        headers[TRACE_HEADER] = traceparent
    return Record(key=event.report_id, value=event.model_dump_json().encode(), headers=headers)


def from_record(record: Record) -> Event:
    """Return the event a record holds.

    Raises:
        EventUnknown: its type is not in the contract.
        EventMalformed: its value does not fit its type.
    """
    kind = EVENTS.get(record.headers.get(TYPE_HEADER, ""))
    if kind is None:
        raise EventUnknown("event type not in the contract")
    try:
        return kind.model_validate_json(record.value)
    except ValueError:
        raise EventMalformed(f"{kind.__name__} does not fit its schema") from None
