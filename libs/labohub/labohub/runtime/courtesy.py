"""Who is waited for goes first: work that nobody waits for lets it pass, never for long."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from time import perf_counter

LONGEST_SECONDS = 0.05  # of one wait: nothing starves


class Courtesy:
    """The peers of one process that wait for an answer, and the work that gives way to them.

    The services of the embedded hub share one event loop. A sender that waits for its acknowledgement would otherwise
    wait for all that came in before to be identified, built and sent. While a peer waits, consumers take turns, and
    each turn is followed by as long a time without one: peers get half of the process at least, and so does the rest.
    """

    def __init__(self) -> None:
        self._waiting = 0
        self._nobody = asyncio.Event()
        self._one = asyncio.Lock()
        self._owed_seconds = 0.0  # to the peers, for the turn that ended last

    @property
    def is_asked(self) -> bool:
        """Return True while a peer waits."""
        return self._waiting > 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Go first until the block ends."""
        self._waiting += 1
        self._nobody.clear()
        try:
            yield
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._nobody.set()

    async def give_way(self, seconds: float = LONGEST_SECONDS) -> None:
        """Return when no peer waits, or after `seconds`."""
        if self._waiting:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._nobody.wait(), seconds)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Do a short piece of work in the block, without waiting for the outside: one at a time while a peer waits."""
        if not self._waiting:
            yield
            return
        async with self._one:
            await self.give_way(self._owed_seconds)
            started = perf_counter()
            try:
                yield
            finally:
                self._owed_seconds = min(perf_counter() - started, LONGEST_SECONDS)
