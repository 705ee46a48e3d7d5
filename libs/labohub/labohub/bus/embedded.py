"""The event log in one SQLite file: for one machine, and for tests. Several processes may open it."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from labohub.bus.embedded_reader import POLL_SECONDS, EmbeddedReader
from labohub.bus.grouplock import GroupLock
from labohub.bus.logfile import LogFile
from labohub.bus.port import MAX_BATCH_RECORDS, Batch, BusClosed, BusUnavailable, check_size
from labohub.bus.writer import Writer
from labohub.contracts.envelope import Record
from labohub.errors import Misconfigured

T = TypeVar("T")

PRUNE_EVERY_SECONDS = 3600.0

log = logging.getLogger(__name__)


class LogFileUnusable(Misconfigured):
    """The file of the embedded log cannot be opened, or is not a log."""

    code = "bus.file-unusable"


class EmbeddedBus:
    """The `Bus` on one file. Each topic has one partition; a group has one reader at a time, others stand by."""

    def __init__(
        self,
        path: Path,
        *,
        topics: Sequence[str] = (),
        retention: timedelta = timedelta(days=30),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._path = path
        self._topics = tuple(topics)
        self._retention = retention
        self._clock = clock
        self._heads: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._readers: set[EmbeddedReader] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._writer: Writer | None = None
        self._eyes: LogFile | None = None
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="labohub-bus-reader")
        self.closing = asyncio.Event()

    async def open(self) -> None:
        """Create the file and its tables where missing.

        Raises: LogFileUnusable, BusUnavailable.
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600, exist_ok=True)
            file = await asyncio.to_thread(_create, self._path)
            self._eyes = await asyncio.to_thread(LogFile, self._path)
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error):
                raise BusUnavailable("another process holds the event log") from None
            raise LogFileUnusable("the event log cannot be opened") from None
        self._writer = Writer(file)
        self._heads.update(await self.look(LogFile.heads))
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._prune_now_and_then())]

    async def close(self) -> None:
        """Finish what is being written, end every reader, let go of the groups."""
        self.closing.set()
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_result(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for reader in list(self._readers):
            reader.release()
        if self._writer is not None:
            await self._writer.close()
        await asyncio.to_thread(self._reading.shutdown)
        if self._eyes is not None:
            self._eyes.close()
            self._eyes = None

    async def publish(self, topic: str, records: Sequence[Record]) -> None:
        """Append all or nothing; return once durable.

        Raises: BusUnavailable, RecordTooLarge.
        """
        if not records:
            return
        check_size(records)
        published_ms = _milliseconds(self._clock())
        self._grown(topic, await self.write(lambda file: file.append(topic, records, published_ms)))

    async def read(self, topic: str, group: str, *, max_records: int = MAX_BATCH_RECORDS) -> AsyncIterator[Batch]:
        """Yield batches from the group's position, in order, until the log is closed."""
        reader = EmbeddedReader(self, topic, group, max_records, GroupLock(Path(f"{self._path}-groups"), topic, group))
        self._readers.add(reader)
        try:
            while (batch := await reader.next()) is not None:
                yield batch
        finally:
            self._readers.discard(reader)
            reader.release()

    async def lag(self, topic: str, group: str) -> int:
        """Return how many records the group has not done yet.

        Raises: BusUnavailable.
        """
        return await self.look(lambda file: file.lag(topic, group))

    async def prune(self) -> int:
        """Return how many records were erased: beyond retention, and done by every group known for their topic.

        Raises: BusUnavailable.
        """
        before_ms = _milliseconds(self._clock() - self._retention)
        erased = 0
        for topic in await self.look(LogFile.heads):
            while count := await self.write(partial(LogFile.prune, topic=topic, before_ms=before_ms)):
                erased += count
        return erased

    async def write(self, work: Callable[[LogFile], T]) -> T:
        """Return the result of work done in the writer's transaction.

        Raises: BusUnavailable.
        """
        if self._writer is None:
            raise BusClosed("the event log is not open")
        try:
            return await self._writer.submit(work)
        except sqlite3.Error as error:
            raise BusUnavailable(f"the event log cannot be written ({type(error).__name__})") from None

    async def look(self, work: Callable[[LogFile], T]) -> T:
        """Return the result of work done on the reading connection.

        Raises: BusUnavailable.
        """
        if self._eyes is None or self.closing.is_set():
            raise BusClosed("the event log is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reading, work, self._eyes)
        except sqlite3.Error as error:
            raise BusUnavailable(f"the event log cannot be read ({type(error).__name__})") from None

    async def grown_beyond(self, topic: str, sequence: int) -> int:
        """Return the topic's last sequence once it is beyond `sequence`, or when the log closes."""
        while self._heads.get(topic, 0) <= sequence and not self.closing.is_set():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            waiting = self._waiting.setdefault(topic, set())
            waiting.add(future)
            try:
                await future
            finally:
                waiting.discard(future)
        return self._heads.get(topic, 0)

    def _grown(self, topic: str, head: int) -> None:
        if head <= self._heads.get(topic, 0):
            return
        self._heads[topic] = head
        for future in self._waiting.get(topic, ()):
            if not future.done():
                future.set_result(None)

    async def _watch(self) -> None:
        """See what other processes append."""
        version = 0
        while True:
            await asyncio.sleep(POLL_SECONDS)
            with contextlib.suppress(BusUnavailable):  # a moment's trouble: the next look is soon
                if (now := await self.look(LogFile.data_version)) != version:
                    version = now
                    for topic, head in (await self.look(LogFile.heads)).items():
                        self._grown(topic, head)

    async def _prune_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_SECONDS)
            try:
                await self.prune()
            except BusUnavailable:
                log.warning("bus.prune-postponed")


def _create(path: Path) -> LogFile:
    file = LogFile(path)
    try:
        file.create()
    except sqlite3.Error:
        file.close()
        raise
    return file


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
