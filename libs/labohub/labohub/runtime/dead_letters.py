"""What cannot be handled: kept in a topic of its own with its error code, and said to the console."""

from labohub.contracts.codec import derived_id
from labohub.contracts.envelope import ERROR_HEADER, EVENT_ID_HEADER, TYPE_HEADER, Record
from labohub.contracts.events import EventSetAside
from labohub.contracts.topics import dead_letters
from labohub.contracts.values import MessageId, ReportId
from labohub.store.unit import Unit


async def set_aside(unit: Unit, group: str, topic: str, record: Record, code: str) -> None:
    """Put a record into the group's dead letters and say so, in the unit's transaction."""
    unit.send(dead_letters(topic, group), Record(record.key, record.value, {**record.headers, ERROR_HEADER: code}))
    event_id = record.headers.get(EVENT_ID_HEADER, "")
    await unit.publish(
        EventSetAside(
            event_id=derived_id("set-aside", topic, group, event_id),
            occurred_at=unit.now,
            report_id=ReportId(record.key),
            message_id=MessageId(""),
            topic=topic,
            group=group,
            event_type=record.headers.get(TYPE_HEADER, ""),
            code=code,
        )
    )
