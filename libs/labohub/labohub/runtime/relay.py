"""From a service's outbox to the log, in order.

Rows are chosen because they are still there, never by "greater than the last id": sequences do not commit in order.
One relay per database; a crash between publishing and deleting repeats rows, which inboxes recognise.
"""

import asyncio
from itertools import groupby

import orjson
from prometheus_client import Counter, Gauge
from sqlalchemy import bindparam, delete, select

from labohub.bus.port import Bus
from labohub.contracts.envelope import Record
from labohub.errors import Unavailable
from labohub.runtime.logging import get_logger
from labohub.store.database import Database, woken
from labohub.store.unit import Unit

log = get_logger(__name__)

MAX_ROWS = 500
IDLE_SECONDS = 1.0
RETRY_SECONDS = 1.0

RELAYED = Counter("labohub_outbox_relayed_total", "Events moved from the outbox to the log.", ["service"])
WAITING = Gauge("labohub_outbox_waiting", "1 while the log does not take what the outbox holds.", ["service"])


class Relay:
    """The relay of one database."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        outbox = database.tables.outbox
        self._oldest = select(outbox).order_by(outbox.c.id).limit(MAX_ROWS)
        self._published = delete(outbox).where(outbox.c.id.in_(bindparam("ids", expanding=True)))

    async def run(self, stopping: asyncio.Event) -> None:
        """Move rows until told to stop, while the place of this database's relay is ours."""
        while not stopping.is_set():
            async with self._database.alone("relay", stopping) as place:
                while not stopping.is_set() and await place.held():
                    await self._move_or_wait()

    async def _move_or_wait(self) -> None:
        written = self._database.outgoing.listen()
        try:
            moved = await self.move()
            WAITING.labels(self._database.name).set(0)
        except Unavailable as error:
            WAITING.labels(self._database.name).set(1)
            log.warning("relay.waits", service=self._database.name, code=error.code)
            await asyncio.sleep(RETRY_SECONDS)
            return
        if moved < MAX_ROWS:
            await woken(written, IDLE_SECONDS) if not moved else await asyncio.sleep(0)

    async def move(self) -> int:
        """Publish the oldest rows, then delete them. Return how many."""
        async with self._database.reading(briefly=True) as connection:
            rows = (await connection.execute(self._oldest)).all()
        if not rows:
            return 0
        for topic, group in groupby(rows, key=lambda row: str(row.topic)):
            records = [Record(row.key, row.value, orjson.loads(row.headers)) for row in group]
            await self._bus.publish(topic, records)
        async with self._database.units(Unit)() as unit:
            await unit.connection.execute(self._published, {"ids": [row.id for row in rows]})
        RELAYED.labels(self._database.name).inc(len(rows))
        return len(rows)
