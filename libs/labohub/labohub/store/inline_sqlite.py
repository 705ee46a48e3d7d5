"""SQLite from asyncio with fewer thread hops.

aiosqlite sends each call to the connection's thread: four hops a statement, more than the statement itself costs.
Inside a write transaction (BEGIN IMMEDIATE … COMMIT) statements touch a few pages that SQLite holds in memory, so they
run where they are called, in tens of microseconds; so do those of a transaction that says it reads briefly. What may
wait goes to the thread: opening, COMMIT and ROLLBACK (the disk), and every statement of another transaction that only
reads (a search may be long). BEGIN IMMEDIATE goes there only when somebody has the write lock: the file is ours alone
and our own writers take turns before they come here.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiosqlite

BEGIN_WRITING = "BEGIN IMMEDIATE"
BEGIN_READING = "BEGIN"
BEGIN_READING_BRIEFLY = "BEGIN DEFERRED"  # SQLite means the same; it tells us that little is read


class InlineConnection(aiosqlite.Connection):
    """A connection whose short transactions run inline. One task uses it at a time: the pool sees to that."""

    _begun = ""  # how the transaction began, when its statements run inline

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        name = getattr(fn, "__name__", "")
        if name in ("commit", "rollback", "close") and getattr(fn, "__self__", None) is self._connection:
            begun, self._begun = self._begun, ""
            if name != "close" and (begun == BEGIN_READING_BRIEFLY or not self._conn.in_transaction):
                return fn(*args, **kwargs)  # nothing was written: no disk. The pool rolls back all that it is given
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        statement = args[0] if name == "execute" and args else ""
        if self._begun or statement == BEGIN_READING_BRIEFLY:
            self._begun = self._begun or BEGIN_READING_BRIEFLY
            return fn(*args, **kwargs)
        if statement == BEGIN_WRITING:
            result = await self._begin_writing(fn)
            self._begun = BEGIN_WRITING
            return result
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    async def _begin_writing(self, execute: Callable[..., Any]) -> Any:
        (patience,) = self._conn.execute("PRAGMA busy_timeout").fetchone()
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            return execute(BEGIN_WRITING)
        except sqlite3.OperationalError:
            pass  # somebody writes: wait for it in the thread
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {patience}")
        return await super()._execute(execute, BEGIN_WRITING)  # type: ignore[no-untyped-call]


def creator(path: Path, timeout_seconds: float) -> Callable[..., InlineConnection]:
    """Return what SQLAlchemy calls for a new connection."""

    def connector() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=timeout_seconds, check_same_thread=False)

    def create(*_args: Any, **_kwargs: Any) -> InlineConnection:
        connection = InlineConnection(connector, iter_chunk_size=64)
        connection._thread.daemon = True  # a process that stops does not wait for it
        return connection

    return create
