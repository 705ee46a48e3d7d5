"""The unit of work: one transaction that holds a change and the facts it causes."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from labohub.contracts.codec import to_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import Event

U = TypeVar("U", bound="Unit")
Units = Callable[[], AbstractAsyncContextManager[U]]

Traceparent = Callable[[], str]


class Unit:
    """One transaction. It commits when its block ends without error; events become outbox rows in the same commit."""

    def __init__(self, connection: AsyncConnection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.traceparent: Traceparent = str  # the runtime puts the current trace here
        self.outgoing: list[tuple[str, Record]] = []
        self.settled_traceparent = ""  # the trace of the work row settled last: what follows is its consequence
        self.wakes_workers = False  # set by what gives the workers something to do

    async def publish(self, *events: Event) -> None:
        """Write the events into the outbox, in order, with the current trace, else that of the work just settled."""
        traceparent = self.traceparent() or self.settled_traceparent
        self.outgoing.extend((event.TOPIC, to_record(event, traceparent)) for event in events)

    def send(self, topic: str, record: Record) -> None:
        """Write a record as it is into the outbox: for dead letters and replays."""
        self.outgoing.append((topic, record))
