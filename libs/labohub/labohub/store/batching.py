"""Group commit: many small writes from many tasks become one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from labohub.errors import Unavailable

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Collects items while the previous batch is being written, then writes them together.

    No timer: an item alone goes at once; under load the batch grows by itself to what one commit can carry. A batch
    that fails is written again item by item, unless nothing can be written now: one item nobody can write fails alone.
    """

    def __init__(self, flush: Callable[[list[T]], Awaitable[list[R]]], max_items: int) -> None:
        self._flush = flush
        self._max_items = max_items
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Return what `flush` returned for this item, once it is written. Raises what `flush` raised for it."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await future

    async def close(self) -> None:
        """Return when all that was submitted is written."""
        while self._writer is not None and not self._writer.done():
            await asyncio.wait({self._writer})

    async def _write_all(self) -> None:
        while self._waiting:
            await self._let_join()
            batch, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
            if not await self._flushed(batch):
                for one in batch:
                    await self._flushed([one])

    async def _flushed(self, batch: list[tuple[T, asyncio.Future[R]]]) -> bool:
        """Write a batch and tell those who wait. Return False, nobody told, when its items are to go one by one."""
        try:
            results = await self._flush([item for item, _ in batch])
        except BaseException as error:
            if len(batch) > 1 and isinstance(error, Exception) and not isinstance(error, Unavailable):
                return False
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return True
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)
        return True

    async def _let_join(self) -> None:
        """Let the tasks that are ready now join this batch: as long as a turn of the loop brings another one."""
        joined = 0
        while joined < len(self._waiting) < self._max_items:
            joined = len(self._waiting)
            await asyncio.sleep(0)
