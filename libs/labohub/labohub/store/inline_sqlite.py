"""SQLite from asyncio with fewer thread hops.

aiosqlite sends each call to the connection's thread: four hops a statement, more than the statement itself costs.
Inside a write transaction (BEGIN IMMEDIATE … COMMIT) statements touch a few pages that SQLite holds in memory, so they
run where they are called, in tens of microseconds. What may wait goes to the thread: opening, BEGIN IMMEDIATE, COMMIT
and ROLLBACK (the disk), and every statement of a transaction that only reads (a search may be long).
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite

_BEGIN_WRITING = "BEGIN IMMEDIATE"


class InlineConnection(aiosqlite.Connection):
    """A connection whose write transactions run inline. One task uses it at a time: the pool sees to that."""

    _writing = False

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        name = getattr(fn, "__name__", "")
        if name in ("commit", "rollback", "close") and getattr(fn, "__self__", None) is self._connection:
            try:
                return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
            finally:
                self._writing = False
        if self._writing:
            return fn(*args, **kwargs)
        result = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        self._writing = name == "execute" and bool(args) and args[0] == _BEGIN_WRITING
        return result


def creator(path: Path, timeout_seconds: float) -> Callable[..., InlineConnection]:
    """Return what SQLAlchemy calls for a new connection."""

    def connector() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=timeout_seconds, check_same_thread=False)

    def create(*_args: Any, **_kwargs: Any) -> InlineConnection:
        connection = InlineConnection(connector, iter_chunk_size=64)
        connection._thread.daemon = True  # a process that stops does not wait for it
        return connection

    return create
