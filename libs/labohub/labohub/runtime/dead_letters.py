"""What cannot be handled: kept in a topic of its own with its code, said to the console, brought back on demand."""

from sqlalchemy import Table, delete

from labohub.bus.port import Bus
from labohub.contracts.codec import derived_id
from labohub.contracts.envelope import ERROR_HEADER, EVENT_ID_HEADER, TYPE_HEADER, Record
from labohub.contracts.events import EventSetAside
from labohub.contracts.topics import dead_letters
from labohub.contracts.values import MessageId, ReportId
from labohub.store.unit import Unit

REPLAY_GROUP = "replay"


async def set_aside(unit: Unit, inbox: Table, record: Record, *, group: str, topic: str, code: str) -> None:
    """Put a record into the group's dead letters and say so, in the unit's transaction.

    Its claim in the inbox goes: brought back, the event is new for this group, and known to all others.
    """
    event_id = record.headers.get(EVENT_ID_HEADER, "")
    await unit.connection.execute(delete(inbox).where(inbox.c.consumer_event == f"{topic}:{event_id}"))
    unit.send(dead_letters(topic, group), Record(record.key, record.value, {**record.headers, ERROR_HEADER: code}))
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


async def bring_back(bus: Bus, topic: str, group: str) -> int:
    """Return how many dead letters of a group went back to their topic: all that were there. Raises: Unavailable."""
    source, count = dead_letters(topic, group), 0
    if not await bus.lag(source, REPLAY_GROUP):
        return count
    async for batch in bus.read(source, REPLAY_GROUP):
        back = [
            Record(record.key, record.value, {k: v for k, v in record.headers.items() if k != ERROR_HEADER})
            for record in batch.records
        ]
        await bus.publish(topic, back)
        await batch.done()
        count += len(back)
        if not await bus.lag(source, REPLAY_GROUP):
            break
    return count
