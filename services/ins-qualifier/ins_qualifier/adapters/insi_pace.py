"""Calls to INSi wait here for their turn."""

import asyncio
import time
from collections import deque

from prometheus_client import Gauge

from ins_qualifier.core.pace import Bucket, Turns

WAITING = Gauge("ins_qualifier_insi_waiting_calls", "Calls that wait for their turn.", ["lane"])
LIVE, BULK = "live", "bulk"

Waiters = deque[asyncio.Future[None]]


class Pace:
    """Lets at most so many calls start in a second, live ones first. Of one process: replicas share the limit."""

    def __init__(self, per_second: float) -> None:
        """Prepare. A second's calls may start at once, when none did before."""
        self._bucket = Bucket(per_second, burst=max(1.0, per_second))
        self._turns = Turns()
        self._waiters: dict[str, Waiters] = {LIVE: deque(), BULK: deque()}
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, *, bulk: bool) -> None:
        """Return when the next call may start."""
        if not any(self._waiters.values()) and self._bucket.take(time.monotonic()):
            return
        lane = BULK if bulk else LIVE
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[lane].append(waiter)
        with WAITING.labels(lane).track_inprogress():
            self._arm()
            await waiter

    def _arm(self) -> None:
        if self._timer is None:
            seconds = self._bucket.seconds_to_next(time.monotonic())
            self._timer = asyncio.get_running_loop().call_later(seconds, self._serve)

    def _serve(self) -> None:
        """Give the tokens there are to those who still wait."""
        self._timer = None
        for lane, waiters in self._waiters.items():
            self._waiters[lane] = deque(waiter for waiter in waiters if not waiter.done())  # given up meanwhile
        live, bulk = self._waiters[LIVE], self._waiters[BULK]
        while (live or bulk) and self._bucket.take(time.monotonic()):
            is_bulk = self._turns.is_bulk_next(live_waits=bool(live), bulk_waits=bool(bulk))
            (bulk if is_bulk else live).popleft().set_result(None)
        if live or bulk:
            self._arm()
