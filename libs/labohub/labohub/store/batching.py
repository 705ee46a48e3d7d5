"""Group commit: many small writes from many tasks become one transaction."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batcher(Generic[T, R]):
    """Collects items while the previous batch is being written, then writes them together.

    No timer: an item alone goes at once; under load the batch grows by itself to what one commit can carry.
    """

    def __init__(self, flush: Callable[[list[T]], Awaitable[list[R]]], max_items: int) -> None:
        self._flush = flush
        self._max_items = max_items
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Return what `flush` returned for this item, once its batch is written. Raises what `flush` raised."""
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
            try:
                results = await self._flush([item for item, _ in batch])
            except BaseException as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                continue
            for (_, future), result in zip(batch, results, strict=True):
                if not future.done():
                    future.set_result(result)

    async def _let_join(self) -> None:
        """Let the tasks that are ready now join this batch: as long as a turn of the loop brings another one."""
        joined = 0
        while joined < len(self._waiting) < self._max_items:
            joined = len(self._waiting)
            await asyncio.sleep(0)
