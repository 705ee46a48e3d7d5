"""One reader of a group on the embedded log."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from labohub.bus.grouplock import GroupLock
from labohub.bus.port import Batch, BusClosed, BusUnavailable
from labohub.contracts.envelope import Record

if TYPE_CHECKING:
    from labohub.bus.embedded import EmbeddedBus

POLL_SECONDS = 0.2  # how late we see what another process wrote, or that it gave a group back
PARTITION = 0  # one writer at a time: more partitions would bring nothing

log = logging.getLogger(__name__)


class EmbeddedReader:
    """One reader of a group: waits for its turn, then goes through the topic."""

    def __init__(self, bus: "EmbeddedBus", topic: str, group: str, max_records: int, lock: GroupLock) -> None:
        self.bus, self.topic, self.group = bus, topic, group
        self.position: int | None = None  # None until it is this reader's turn
        self.given: EmbeddedBatch | None = None
        self._max_records = max_records
        self._lock = lock

    async def next(self) -> Batch | None:
        """Return the batch that is not done, or the next one; None when the log closes."""
        while not self.bus.closing.is_set():
            if self.given is not None:
                return self.given
            try:
                if self.position is None:
                    await self._take_turn()
                else:
                    await self._look_further(self.position)
            except BusClosed:
                break
            except BusUnavailable:
                log.warning("bus.read-postponed")
                await self._pause()
        return None

    def release(self) -> None:
        """Let another reader of the group have its turn."""
        self.position = None
        self._lock.release()

    async def _take_turn(self) -> None:
        if self._lock.acquire():
            self.position = await self.bus.write(lambda file: file.join(self.topic, self.group))
        else:
            await self._pause()

    async def _look_further(self, position: int) -> None:
        head = await self.bus.grown_beyond(self.topic, position)
        last, records = await self.bus.look(lambda file: file.after(self.topic, position, self._max_records))
        if records:
            self.given = EmbeddedBatch(self, last, records)
        else:
            self.position = max(head, position)  # retention erased what was there before this group

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.bus.closing.wait(), POLL_SECONDS)


class EmbeddedBatch:
    """Records of the topic's only partition."""

    partition = PARTITION

    def __init__(self, reader: EmbeddedReader, last: int, records: Sequence[Record]) -> None:
        self.topic = reader.topic
        self.records = records
        self._reader = reader
        self._last = last

    async def done(self) -> None:
        """Move the group past this batch, never back."""
        reader, last = self._reader, self._last
        await reader.bus.write(lambda file: file.advance(reader.topic, reader.group, last))
        if reader.given is self:
            reader.given = None
            if reader.position is not None:
                reader.position = last
