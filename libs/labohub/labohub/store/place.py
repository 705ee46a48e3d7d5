"""A place that one process at a time has: the relay of a database, the reader of a mailbox."""

import asyncio
from contextlib import suppress

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

LOOK_SECONDS = 5.0  # between two looks at the session that holds the place
ANSWER_SECONDS = 10.0


class Place:
    """A place taken, by a session of PostgreSQL or because nobody else can want it; or one that was not got."""

    def __init__(self, session: AsyncConnection | None, *, taken: bool) -> None:
        self._session = session
        self._held = taken
        self._look_at = 0.0

    async def held(self) -> bool:
        """Return whether the place is still ours, as far as was seen within the last seconds."""
        now = asyncio.get_running_loop().time()
        if self._held and self._session is not None and now >= self._look_at:
            self._held = await self._answers(self._session)
            self._look_at = now + LOOK_SECONDS
        return self._held

    async def leave(self) -> None:
        """End the session, and its lock with it: the pool would keep both."""
        session, self._session, self._held = self._session, None, False
        if session is not None:
            with suppress(SQLAlchemyError, OSError):
                await session.invalidate()
                await session.close()

    @staticmethod
    async def _answers(session: AsyncConnection) -> bool:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await session.execute(text("SELECT 1"))
        except (SQLAlchemyError, OSError, TimeoutError):
            return False
        return True
