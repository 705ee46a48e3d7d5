"""Reads a mailbox while the service runs: raw mails are stored, with the position, before anyone looks at them."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import TypeVar

from labohub.contracts.codec import derived_id
from labohub.errors import HubError, Misconfigured
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger
from labohub.runtime.retry import backoff_seconds
from labohub.store.blobs import Blobs
from labohub.store.place import Place
from mss_sender.adapters.metrics import FETCHED, MAILBOX_DOWN
from mss_sender.core.values import Return
from mss_sender.ports import Fetched, Mailbox, Position, Units

log = get_logger(__name__)

FETCH_LIMIT = 50  # mails of one commit
PAUSE_CAP_SECONDS = 60.0
REFUSED_PAUSE_SECONDS = 300.0  # servers punish repeated failed logins
STOP_SECONDS = 5.0
R = TypeVar("R")
Alone = Callable[[str, asyncio.Event], AbstractAsyncContextManager[Place]]  # `Database.alone`


class Collector:
    """A listener that keeps what arrives in one mailbox. Among replicas one has the mailbox, until it ends."""

    def __init__(
        self,
        *,
        name: str,
        alone: Alone,
        units: Units,
        blobs: Blobs,
        mailbox: Mailbox,
        clock: Clock,
        poll_seconds: float,
    ) -> None:
        self.name = name
        self._alone = alone
        self._units = units
        self._blobs = blobs
        self._mailbox = mailbox
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to read. A server that does not answer is no reason not to start."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Finish what is being stored, then leave the server."""
        self._stopping.set()
        self._mailbox.wake()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(TimeoutError):
            await asyncio.wait_for(self._in_thread(self._mailbox.leave), STOP_SECONDS)
        self._thread.shutdown(wait=False)

    async def collect(self) -> int:
        """Store what arrived since the last time, one commit's worth; return how many mails."""
        async with self._units() as unit:
            position = await unit.returns.position(self._mailbox.account)
        new, mails = await self._in_thread(lambda: self._mailbox.fetch_after(position, FETCH_LIMIT))
        if new != position:
            await self._keep(new, mails)
        return len(mails)

    async def _keep(self, position: Position, mails: Sequence[Fetched]) -> None:
        now = self._clock()
        returns = await asyncio.gather(*(self._stored(mail, now) for mail in mails))
        async with self._units() as unit:
            await unit.returns.keep(self._mailbox.account, position, returns)
        if mails:
            FETCHED.inc(len(mails))
            log.info("return.kept", count=len(mails))

    async def _stored(self, mail: Fetched, now: datetime) -> Return:
        raw = await self._blobs.put(mail.raw, "message/rfc822")
        key = content_key(mail.raw)
        return Return(
            return_id=derived_id("return", self._mailbox.account, key),
            account=self._mailbox.account,
            raw=raw,
            content_key=key,
            fetched_at=now,
            truncated=mail.truncated,
        )

    async def _run(self) -> None:
        while not self._stopping.is_set():
            async with self._alone(f"mailbox {self._mailbox.account}", self._stopping) as place:
                await self._collect_in(place)

    async def _collect_in(self, place: Place) -> None:
        failures = 0
        while not self._stopping.is_set() and await place.held():
            try:
                if not await self.collect():
                    await self._in_thread(lambda: self._mailbox.wait(self._poll_seconds))
                failures = 0
                MAILBOX_DOWN.labels(self.name).set(0)
            except Misconfigured as error:
                log.error("mailbox.refused", name=self.name, code=error.code)
                await self._pause(REFUSED_PAUSE_SECONDS)
            except HubError as error:
                failures += 1
                log.warning("mailbox.waits", name=self.name, code=error.code, attempt=failures)
                await self._pause(backoff_seconds(failures, first=1, cap=PAUSE_CAP_SECONDS, fraction=0))
            except Exception as error:
                failures += 1
                log.bug("mailbox.failed", error, name=self.name)
                await self._pause(PAUSE_CAP_SECONDS)

    async def _pause(self, seconds: float) -> None:
        MAILBOX_DOWN.labels(self.name).set(1)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _in_thread(self, call: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)


def content_key(raw: bytes) -> str:
    """Return what makes a returned mail the same: its bytes without the trace that servers add on top."""
    head, separator, body = raw.partition(b"\r\n\r\n")
    kept, skipping = [], False
    for line in head.split(b"\r\n"):
        if not line.startswith((b" ", b"\t")):
            skipping = line.split(b":")[0].lower() in (b"received", b"delivered-to", b"return-path", b"x-original-to")
        if not skipping:
            kept.append(line)
    return hashlib.sha256(b"\r\n".join(kept) + separator + body).hexdigest()
