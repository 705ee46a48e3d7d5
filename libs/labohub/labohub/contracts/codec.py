"""Events to records and back."""

import hashlib
from uuid import NAMESPACE_URL, uuid5

from labohub.contracts.envelope import EVENT_ID_HEADER, TRACE_HEADER, TYPE_HEADER, Record
from labohub.contracts.events import EVENTS, Event
from labohub.errors import Refused

_ROOT = uuid5(NAMESPACE_URL, "urn:labohub:event")
_HASH_OF_ROOT = hashlib.sha1(_ROOT.bytes, usedforsecurity=False)


class EventUnknown(Refused):
    """A record's type is not in the contract this reader knows."""

    code = "contract.event-unknown"


class EventMalformed(Refused):
    """A record's value is not what its type says."""

    code = "contract.event-malformed"


def derived_id(*parts: str) -> str:
    """Return the identifier that these parts always give (uuid5): a repetition is recognised by it.

    Composed here: a message has some twenty, and `uuid.uuid5` takes three times as long.
    """
    digest = _HASH_OF_ROOT.copy()
    digest.update("\x1f".join(parts).encode())
    text = digest.hexdigest()
    variant = "89ab"[int(text[16], 16) & 3]
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{variant}{text[17:20]}-{text[20:32]}"


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
