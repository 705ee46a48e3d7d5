"""Server-Sent Events: tells browsers that something changed; they ask again for what they show."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from console.adapters.figures import newest_step
from labohub.errors import Unavailable
from labohub.store.database import Database, Signal, woken

LEAST_SECONDS_BETWEEN = 0.7  # a burst of facts is one refresh
HEARTBEAT_SECONDS = 15.0  # shorter than the idle limit of usual proxies


class Live:
    """One loop looks at the read model for all open pages.

    It is a listener, so that a stop ends the open streams before the HTTP server waits for them.
    """

    name = "live"

    def __init__(self, database: Database, poll_seconds: float) -> None:
        self._database = database
        self._poll_seconds = poll_seconds
        self._changed = Signal()
        self._newest = 0
        self._listeners = 0
        self._stopping = False
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch."""
        self._watching = asyncio.create_task(self._watch(), name="console.live")

    async def stop(self) -> None:
        """End every stream."""
        self._stopping = True
        self._changed.set()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            committed = self._database.changed.listen()
            if self._listeners:
                await self._look()
            await asyncio.sleep(LEAST_SECONDS_BETWEEN)
            await woken(committed, self._poll_seconds)

    async def _look(self) -> None:
        try:
            async with self._database.reading() as connection:
                newest = await newest_step(connection)
        except Unavailable:
            return
        if newest != self._newest:
            self._newest = newest
            self._changed.set()

    async def stream(self) -> AsyncIterator[str]:
        """Yield an event at each change, a comment when nothing happens for long."""
        self._listeners += 1
        seen = self._newest
        try:
            yield "retry: 2000\n\n"
            while not self._stopping:
                changed = self._changed.listen()
                if seen == self._newest and not await woken(changed, HEARTBEAT_SECONDS):
                    yield ": still here\n\n"
                if seen != self._newest:
                    seen = self._newest
                    yield f"event: changed\ndata: {seen}\n\n"
        finally:
            self._listeners -= 1


def live_router(live: Live) -> APIRouter:
    """Return the route of the event stream."""
    router = APIRouter()

    @router.get("/events", include_in_schema=False)
    async def events() -> StreamingResponse:
        """Return the stream of changes."""
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(live.stream(), media_type="text/event-stream", headers=headers)

    return router
