"""Reading and writing an event log in tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from labohub.bus import Batch, Bus
from labohub.contracts.envelope import Record

PATIENCE_SECONDS = 30.0  # beyond this a test has failed


def numbered(count: int, *, key: str = "report-1", start: int = 0) -> list[Record]:
    """Return records of one key whose values are their numbers."""
    return [Record(key, str(number).encode(), {"number": str(number)}) for number in range(start, start + count)]


def numbers(records: Sequence[Record]) -> list[int]:
    """Return the numbers of such records."""
    return [int(record.value) for record in records]


@asynccontextmanager
async def opened(bus: Bus) -> AsyncIterator[Bus]:
    """Open a log, and close it in the end."""
    await bus.open()
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def reading(bus: Bus, topic: str, group: str = "readers", *, max_records: int = 200) -> AsyncIterator["Reading"]:
    """Read for a group, and leave it in the end."""
    batches = bus.read(topic, group, max_records=max_records)
    try:
        yield Reading(batches)
    finally:
        await batches.aclose()  # type: ignore[attr-defined]


class Reading:
    """A reader that does not wait for ever."""

    def __init__(self, batches: AsyncIterator[Batch]) -> None:
        self._batches = batches

    async def next(self) -> Batch:
        """Return the next batch."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._batches)

    async def take(self, count: int) -> list[Record]:
        """Return the next `count` records, all done."""
        taken: list[Record] = []
        while len(taken) < count:
            batch = await self.next()
            taken += batch.records
            await batch.done()
        return taken


async def take(bus: Bus, topic: str, count: int, group: str = "readers") -> list[Record]:
    """Return the next `count` records of a group, all done, and leave it."""
    async with reading(bus, topic, group) as reader:
        return await reader.take(count)


async def until(condition: Callable[[], bool]) -> None:
    """Return when the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)
