"""The one thread that writes the embedded log: jobs that wait together share one transaction, so one fsync."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from labohub.bus.logfile import LogFile
from labohub.bus.port import BusClosed

T = TypeVar("T")

MAX_JOBS = 512  # of one transaction: bounds what a failure repeats and how long a reader's commit waits


@dataclass(slots=True)
class _Job:
    work: Callable[[LogFile], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs jobs on the file in the order they were submitted."""

    def __init__(self, file: LogFile) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="labohub-bus-writer", daemon=True)
        self._closed = False
        self._thread.start()

    async def submit(self, work: Callable[[LogFile], T]) -> T:
        """Return what `work` returned, once its transaction is durable.

        Raises: BusClosed; sqlite3.Error, with nothing of this job written.
        """
        if self._closed:
            raise BusClosed("the event log is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put(_Job(work, future))
        return await future

    async def close(self) -> None:
        """Finish the jobs submitted so far, then close the file."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        running = True
        while running:
            waiting = [self._jobs.get()]
            with contextlib.suppress(queue.Empty):
                while waiting[-1] is not None and len(waiting) < MAX_JOBS:
                    waiting.append(self._jobs.get_nowait())
            running = waiting[-1] is not None
            jobs = [job for job in waiting if job is not None]
            if jobs:
                self._perform(jobs)
                with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
                    self._loop.call_soon_threadsafe(_resolve, jobs)
        self._file.close()

    def _perform(self, jobs: list[_Job]) -> None:
        try:
            self._file.begin()
            for job in jobs:
                job.result = job.work(self._file)
            self._file.commit()
        except Exception as error:  # whatever it is, it goes to those who wait
            with contextlib.suppress(sqlite3.Error):
                self._file.rollback()
            if len(jobs) > 1 and not isinstance(error, sqlite3.OperationalError):
                for job in jobs:  # one by one: a job that cannot be done does not take the others with it
                    self._perform([job])
                return
            for job in jobs:
                job.error = error


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # its caller was cancelled
            continue
        if job.error is None:
            job.future.set_result(job.result)
        else:
            job.future.set_exception(job.error)
