"""Events that failed and will be tried again, with the later events of their keys behind them, in order."""

import asyncio
import random
from datetime import timedelta

import orjson
from sqlalchemy import Table, delete, func, insert, select, update

from labohub.contracts.envelope import EVENT_ID_HEADER, TYPE_HEADER, Record
from labohub.errors import Refused, Unavailable
from labohub.runtime.dead_letters import set_aside
from labohub.runtime.handling import Delivery, handle, note_failure
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.service import Service
from labohub.store.database import is_passing
from labohub.store.unit import Unit

log = get_logger(__name__)

LOOK_SECONDS = 1.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
MAX_BUG_ATTEMPTS = 6  # about a minute in all; a fault of ours rarely heals by waiting, an Unavailable always may


async def park(unit: Unit, parked: Table, topic: str, record: Record, *, code: str, attempts: int) -> None:
    """Set a record aside to be tried again, in the unit's transaction."""
    wait = backoff_seconds(attempts, first=FIRST_RETRY_SECONDS, cap=LONGEST_RETRY_SECONDS, fraction=random.random())
    await unit.connection.execute(
        insert(parked).values(
            topic=topic,
            key=record.key,
            headers=orjson.dumps(dict(record.headers)).decode(),
            value=record.value,
            attempts=attempts,
            due_at=unit.now + timedelta(seconds=wait),
            error_code=code,
        )
    )


class Parking:
    """The loop that tries parked events again, the oldest of each key first."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._parked = service.database.tables.parked
        self._handlers = {kind.__name__: (kind.TOPIC, handler) for kind, handler in service.subscriptions.items()}

    async def run(self, stopping: asyncio.Event) -> None:
        """Try what is due until told to stop, while this place is ours."""
        while not stopping.is_set():
            async with self._service.database.alone("parking", stopping) as place:
                while not stopping.is_set() and await place.held():
                    try:
                        again = await self.try_one()
                    except Unavailable as error:
                        log.warning("parking.waits", service=self._service.name, code=error.code)
                        again = False
                    if not again:
                        await asyncio.sleep(LOOK_SECONDS)

    async def try_one(self) -> bool:
        """Try the next due event. Return False when none is."""
        parked = self._parked
        async with self._service.units() as unit:
            heads = select(func.min(parked.c.id)).group_by(parked.c.topic, parked.c.key).scalar_subquery()
            query = (
                select(parked)
                .where(parked.c.id.in_(heads), parked.c.due_at <= unit.now)
                .order_by(parked.c.due_at)
                .limit(1)
            )
            row = (await unit.connection.execute(query)).mappings().first()
            if row is None:
                return False
            record = Record(row["key"], row["value"], orjson.loads(row["headers"]))
            delivery = Delivery(record, record.headers.get(TYPE_HEADER, ""), record.headers.get(EVENT_ID_HEADER, ""))
            sent = len(unit.outgoing)
            try:
                async with unit.connection.begin_nested():
                    await handle(self._service, unit, self._handlers[delivery.kind][1], delivery)
            except Exception as error:
                if is_passing(error):
                    raise
                del unit.outgoing[sent:]
                code = note_failure(self._service.name, delivery, error)
                attempts = row["attempts"] + 1
                hopeless = isinstance(error, Refused) or (
                    not isinstance(error, Unavailable) and attempts >= MAX_BUG_ATTEMPTS
                )
                if not hopeless:
                    wait = backoff_seconds(
                        attempts, first=FIRST_RETRY_SECONDS, cap=LONGEST_RETRY_SECONDS, fraction=random.random()
                    )
                    later = {"attempts": attempts, "due_at": unit.now + timedelta(seconds=wait), "error_code": code}
                    await unit.connection.execute(update(parked).where(parked.c.id == row["id"]).values(**later))
                    return True
                group, inbox = self._service.name, self._service.database.tables.inbox
                await set_aside(unit, inbox, record, group=group, topic=row["topic"], code=code)
            await unit.connection.execute(delete(parked).where(parked.c.id == row["id"]))
            return True
