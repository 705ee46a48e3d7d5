"""From the log to a service's state: a batch, one transaction, then `done`.

An event is claimed in the inbox by its identifier, in the transaction of its effect: a repetition does nothing. One
that fails is set aside alone, to be tried again or as a dead letter, and holds back only the later events of its key.
"""

import asyncio
from collections.abc import Mapping, Sequence

from prometheus_client import Counter, Histogram
from sqlalchemy import BindParameter, bindparam, select

from labohub.bus.port import Batch, Bus
from labohub.contracts.envelope import EVENT_ID_HEADER, TYPE_HEADER, Record
from labohub.errors import Refused, Unavailable
from labohub.runtime.courtesy import Courtesy
from labohub.runtime.dead_letters import set_aside
from labohub.runtime.handling import Delivery, handle, note_failure
from labohub.runtime.logging import get_logger
from labohub.runtime.parking import park
from labohub.runtime.service import Handler, Service
from labohub.store.database import is_passing
from labohub.store.sql import insert_new
from labohub.store.unit import Unit

log = get_logger(__name__)

MAX_BATCH_RECORDS = 100  # one commit's worth; a handler takes about a millisecond
FEW_RECORDS = 10  # while somebody waits for an answer
RETRY_SECONDS = 1.0  # between two attempts at a batch when the store or the log is away

HANDLED = Counter("labohub_events_handled_total", "Events handled.", ["service", "event"])
REPEATED = Counter("labohub_events_repeated_total", "Events that had already been handled.", ["service"])
BATCH_SECONDS = Histogram("labohub_batch_seconds", "Time to handle and commit a batch.", ["service", "topic"])


class HandlerFailed(Exception):
    """A handler raised: the batch is taken again, carefully."""


class Consumer:
    """One topic of one service."""

    def __init__(self, service: Service, topic: str, bus: Bus, courtesy: Courtesy | None = None) -> None:
        self._service = service
        self._topic = topic
        self._bus = bus
        self._courtesy = courtesy or Courtesy()
        self._tables = service.database.tables
        parked = self._tables.parked
        keys: BindParameter[str] = bindparam("keys", expanding=True)
        self._parked = select(parked.c.key).where(parked.c.topic == topic, parked.c.key.in_(keys)).distinct()
        self._handlers: Mapping[str, Handler] = {
            kind.__name__: handler for kind, handler in service.subscriptions.items() if topic == kind.TOPIC
        }

    async def run(self, stopping: asyncio.Event) -> None:
        """Take batches until told to stop; the batch under way is finished first."""
        while not stopping.is_set():
            try:
                async for batch in self._bus.read(self._topic, self._service.name, max_records=MAX_BATCH_RECORDS):
                    await self._take_until_done(batch, stopping)
                    if stopping.is_set():
                        return
            except Unavailable as error:
                log.warning("consumer.waits", service=self._service.name, topic=self._topic, code=error.code)
                await asyncio.sleep(RETRY_SECONDS)

    async def _take_until_done(self, batch: Batch, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                with BATCH_SECONDS.labels(self._service.name, self._topic).time():
                    await self._take_in_turn(batch.records)
                await batch.done()
                return
            except Unavailable as error:
                log.warning("consumer.waits", service=self._service.name, topic=self._topic, code=error.code)
                await asyncio.sleep(RETRY_SECONDS)

    async def _take_in_turn(self, records: Sequence[Record]) -> None:
        """Handle records, in one transaction, or in short ones that let pass whoever waits for an answer."""
        while records:
            async with self._courtesy.turn():
                most = FEW_RECORDS if self._courtesy.is_asked else MAX_BATCH_RECORDS
                await self.take(records[:most])
            records = records[most:]

    async def take(self, records: Sequence[Record]) -> None:
        """Handle records in one transaction; with a savepoint for each when the simple way fails."""
        deliveries = [delivery for record in records if (delivery := self._delivery(record)) is not None]
        if not deliveries:
            return
        try:
            await self._take(deliveries, careful=False)
        except HandlerFailed:
            await self._take(deliveries, careful=True)

    def _delivery(self, record: Record) -> Delivery | None:
        kind = record.headers.get(TYPE_HEADER, "")
        if kind not in self._handlers:
            return None
        return Delivery(record, kind, record.headers.get(EVENT_ID_HEADER, ""))

    async def _take(self, deliveries: list[Delivery], *, careful: bool) -> None:
        async with self._service.units() as unit:
            fresh = await self._claim(unit, deliveries)
            parked = await self._parked_keys(unit, {delivery.record.key for delivery in fresh})
            for delivery in fresh:
                if delivery.record.key in parked:
                    await park(unit, self._tables.parked, self._topic, delivery.record, code="behind", attempts=0)
                elif careful:
                    if not await self._handle_carefully(unit, delivery):
                        parked.add(delivery.record.key)
                else:
                    await self._handle(unit, delivery)
        for delivery in fresh:
            HANDLED.labels(self._service.name, delivery.kind).inc()

    async def _claim(self, unit: Unit, deliveries: list[Delivery]) -> list[Delivery]:
        """Return the deliveries not handled before, now claimed."""
        rows = {
            f"{self._topic}:{delivery.event_id}": {
                "consumer_event": f"{self._topic}:{delivery.event_id}",
                "claimed_at": unit.now,
            }
            for delivery in deliveries
        }
        new = set(await insert_new(unit.connection, self._tables.inbox, "consumer_event", list(rows.values())))
        fresh = []
        for delivery in deliveries:
            claim = f"{self._topic}:{delivery.event_id}"
            if claim in new:
                new.remove(claim)  # the same event twice in one batch
                fresh.append(delivery)
        if len(fresh) != len(deliveries):
            REPEATED.labels(self._service.name).inc(len(deliveries) - len(fresh))
        return fresh

    async def _parked_keys(self, unit: Unit, keys: set[str]) -> set[str]:
        return set((await unit.connection.execute(self._parked, {"keys": list(keys)})).scalars())

    async def _handle(self, unit: Unit, delivery: Delivery) -> None:
        try:
            await handle(self._service, unit, self._handlers[delivery.kind], delivery)
        except Exception as error:
            if is_passing(error):
                raise
            raise HandlerFailed from None

    async def _handle_carefully(self, unit: Unit, delivery: Delivery) -> bool:
        """Handle one event in a savepoint. Return False when it now waits, and its key with it."""
        sent = len(unit.outgoing)
        try:
            async with unit.connection.begin_nested():
                await handle(self._service, unit, self._handlers[delivery.kind], delivery)
            return True
        except Exception as error:
            if is_passing(error):
                raise
            del unit.outgoing[sent:]
            code = note_failure(self._service.name, delivery, error)
            if isinstance(error, Refused):
                group, inbox = self._service.name, self._tables.inbox
                await set_aside(unit, inbox, delivery.record, group=group, topic=self._topic, code=code)
                return True
            await park(unit, self._tables.parked, self._topic, delivery.record, code=code, attempts=1)
            return False
