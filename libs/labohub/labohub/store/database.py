"""One database per service: a SQLite file, or a PostgreSQL schema."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import MetaData, event, insert, select, text, update
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from labohub.errors import Misconfigured, Unavailable
from labohub.store.inline_sqlite import BEGIN_READING, BEGIN_READING_BRIEFLY, BEGIN_WRITING, creator
from labohub.store.place import Place
from labohub.store.tables import SCHEMA_VERSION, common_tables
from labohub.store.unit import Traceparent, U, Units

SQLITE_BUSY_MILLISECONDS = 10_000  # another process holds the write lock for one batch, far less than this


ALONE_RETRY_SECONDS = 1.0
PASSING_STATES = ("40001", "40P01", "55P03")  # PostgreSQL: serialisation failure, deadlock, lock not available
# The server frees what a lost machine held (locks, places) after a minute, not after the system's two hours.
KEEPALIVE = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
OWNERSHIP_SECONDS = 10.0  # how long a start waits for the former process to end


class StoreUnavailable(Unavailable):
    """The database does not answer, or not now."""

    code = "store.unavailable"


class StoreMisconfigured(Misconfigured):
    """The store's URL cannot be used, or its schema is of another version."""

    code = "store.misconfigured"


class StoreInUse(Misconfigured):
    """Another process has this SQLite database: one process each."""

    code = "store.in-use"


class Database:
    """The state of one service."""

    def __init__(
        self, url: str, name: str, metadata: MetaData, clock: Callable[[], datetime], traceparent: Traceparent = str
    ) -> None:
        self.name = name
        self.metadata = metadata
        self.tables = common_tables(metadata)
        self._into_outbox = insert(self.tables.outbox)
        self.changed = Signal()
        self.outgoing = Signal()
        self._clock = clock
        self._traceparent = traceparent
        self._write_lock = asyncio.Lock()
        self._file = _sqlite_file(url, name)
        self._ownership = -1
        self._engine = _engine(url, name, self._file)
        self.dialect = self._engine.dialect.name

    async def open(self) -> None:
        """Create what is missing and check the schema's version.

        Raises:
            StoreMisconfigured: the schema was made by another version.
            StoreInUse: another process has this SQLite file.
            StoreUnavailable: the server does not answer.
        """
        if self._file is not None:
            await self._own(self._file)
        async with self._translating(), self._engine.begin() as connection:
            if self.dialect == "postgresql":
                await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": self.name})
                await connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{self.name}"'))
            await connection.run_sync(self.metadata.create_all)
            versions = (await connection.execute(select(self.tables.schema_version.c.version))).scalars().all()
            if not versions:
                await connection.execute(insert(self.tables.schema_version).values(version=SCHEMA_VERSION))
            elif list(versions) != [SCHEMA_VERSION]:
                raise StoreMisconfigured(f"{self.name}: schema version {versions}, expected {SCHEMA_VERSION}")
            if self._file is not None:
                await self._end_leases(connection)

    async def close(self) -> None:
        """Release the connections."""
        await self._engine.dispose()
        if self._ownership >= 0:
            os.close(self._ownership)
            self._ownership = -1

    async def _own(self, file: Path) -> None:
        """Take the lock that says whose file this is; the system gives it back however the process ends."""
        self._ownership = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        for _ in range(int(OWNERSHIP_SECONDS * 10)):
            try:
                fcntl.flock(self._ownership, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                await asyncio.sleep(0.1)
        os.close(self._ownership)
        self._ownership = -1
        raise StoreInUse(f"{self.name}: another process has this database")

    async def _end_leases(self, connection: AsyncConnection) -> None:
        """End the leases of the process that had this file before us: it is gone, nobody works on them."""
        now = self._clock()
        for table in self.metadata.tables.values():
            if "lease_token" in table.c:
                running = table.c.leased_until > now
                await connection.execute(update(table).where(running).values(leased_until=now))

    def units(self, unit_type: type[U]) -> Units[U]:
        """Return the factory of this service's units of work."""

        def begin() -> AbstractAsyncContextManager[U]:
            return self._unit(unit_type)

        return begin

    @asynccontextmanager
    async def _unit(self, unit_type: type[U]) -> AsyncIterator[U]:
        async with self._writing() as connection:
            unit = unit_type(connection, self._clock())
            unit.traceparent = self._traceparent
            yield unit
            if unit.outgoing:
                await connection.execute(
                    self._into_outbox,
                    [
                        {
                            "topic": topic,
                            "key": record.key,
                            "headers": orjson.dumps(dict(record.headers)).decode(),
                            "value": record.value,
                        }
                        for topic, record in unit.outgoing
                    ],
                )
        if unit.wakes_workers:
            self.changed.set()
        if unit.outgoing:
            self.outgoing.set()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection inside a transaction. On SQLite one at a time: waiting in turn beats retrying on a lock."""
        async with self._translating():
            if self.dialect == "sqlite":
                async with self._write_lock, self._engine.begin() as connection:
                    yield connection
            else:
                async with self._engine.begin() as connection:
                    yield connection

    @asynccontextmanager
    async def reading(self, *, briefly: bool = False) -> AsyncIterator[AsyncConnection]:
        """Give a connection that only reads: it does not take SQLite's write lock.

        `briefly`: it reads a few rows by their key; SQLite then spares the way to a thread and back.
        """
        async with self._translating(), self._engine.connect() as connection:
            await connection.execution_options(labohub_begin=BEGIN_READING_BRIEFLY if briefly else BEGIN_READING)
            yield connection

    @asynccontextmanager
    async def alone(self, purpose: str, stopping: asyncio.Event) -> AsyncIterator[Place]:
        """Wait until no other process does `purpose` on this database; the place is ours while its `held()` says so.

        It is not when `stopping` was set first, or when its session broke: then another may begin, and what is done
        here must bear a repetition. SQLite databases belong to one process.
        """
        session: AsyncConnection | None = None
        while self.dialect != "sqlite" and session is None and not stopping.is_set():
            with suppress(StoreUnavailable):
                session = await self._take_place(f"{self.name}:{purpose}")
            if session is None:
                await woken(stopping, ALONE_RETRY_SECONDS)
        place = Place(session, taken=session is not None or self.dialect == "sqlite")
        try:
            yield place
        finally:
            await place.leave()

    async def _take_place(self, place: str) -> AsyncConnection | None:
        async with self._translating():
            connection = await self._engine.connect()
            try:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                lock = text("SELECT pg_try_advisory_lock(hashtext(:place))")
                if (await connection.execute(lock, {"place": place})).scalar_one():
                    return connection
            except BaseException:
                await connection.close()
                raise
            await connection.close()
            return None

    @asynccontextmanager
    async def _translating(self) -> AsyncIterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, ConnectionError, TimeoutError, PoolExhausted):
            raise StoreUnavailable(f"{self.name}: the database does not answer") from None
        except DBAPIError as error:
            if is_passing(error):
                raise StoreUnavailable(f"{self.name}: the transaction has to be taken again") from None
            raise


def is_passing(error: Exception) -> bool:
    """Return whether a database error says nothing of the statement: connection lost, locked, deadlock."""
    if isinstance(error, (OperationalError, InterfaceError, StoreUnavailable)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", "") in PASSING_STATES


class Signal:
    """A wake-up shared by tasks of one process. A wake-up between the look and the wait is not lost."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def listen(self) -> asyncio.Event:
        """Return the event that the next `set` will fire: take it before looking for work."""
        return self._event

    def set(self) -> None:
        """Wake all who listen, now."""
        self._event.set()
        self._event = asyncio.Event()


async def woken(event: asyncio.Event, seconds: float) -> bool:
    """Return True when the event fires, False when `seconds` have passed."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


def _sqlite_file(url: str, name: str) -> Path | None:
    scheme, _, rest = url.partition("://")
    if scheme != "sqlite":
        return None
    folder = Path("/" + rest.lstrip("/")) if rest.startswith("//") else Path(rest.removeprefix("/"))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"{name}.sqlite"


def _engine(url: str, name: str, file: Path | None) -> AsyncEngine:
    if file is not None:
        engine = create_async_engine(
            f"sqlite+aiosqlite:///{file}",
            hide_parameters=True,
            pool_size=4,
            max_overflow=12,
            connect_args={"async_creator_fn": creator(file, SQLITE_BUSY_MILLISECONDS / 1000)},
        )
        event.listen(engine.sync_engine, "connect", _prepare_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    scheme, _, rest = url.partition("://")
    if scheme in ("postgresql", "postgres"):
        return create_async_engine(
            f"postgresql+asyncpg://{rest}",
            hide_parameters=True,
            pool_size=4,
            max_overflow=6,  # up to three are places that are kept (`alone`)
            pool_pre_ping=True,
            connect_args={
                "server_settings": {"search_path": f'"{name}"', "application_name": name, **KEEPALIVE},
                "timeout": 10,
            },
        )
    raise StoreMisconfigured("LABOHUB_STORE_URL must begin with sqlite:// or postgresql://")


def refuse_closed(connection: Any, _record: Any, _fairy: Any) -> None:
    """Have a connection made anew when the server has closed it: the driver knows, there is no need to ask."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    """Begin by the driver's own cursor: SQLAlchemy's way makes a statement's context for one word."""
    statement = connection.get_execution_options().get("labohub_begin", BEGIN_WRITING)
    try:
        cursor = connection.connection.cursor()
        cursor.execute(statement)
        cursor.close()
    except sqlite3.Error as error:
        raise OperationalError(statement, None, error) from None
