"""Keeps the registry as the files say, without a restart. Files that are wrong change nothing but the alarm."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ingest_hl7.adapters import metrics
from ingest_hl7.adapters.senders_file import Reading, SendersMisconfigured, paths, read_senders
from ingest_hl7.core.registry import Registry
from ingest_hl7.settings import IngestSettings
from labohub.errors import HubError
from labohub.runtime.clock import Clock
from labohub.runtime.logging import get_logger

log = get_logger(__name__)

Stamp = tuple[tuple[str, int, int, int], ...]  # name, mtime in ns, size, inode of each file


class SenderBook:
    """The registry, and what the last look at its files said. Raises at once when the first look fails."""

    name = "senders"

    def __init__(self, settings: IngestSettings, environment: str, clock: Clock) -> None:
        self._settings = settings
        self._environment = environment
        self._clock = clock
        self._stamp = self._seen = self._look()
        reading = read_senders(settings, environment)
        self.registry = Registry(reading.senders, reading.unknown)
        self.fault = ""  # why the files of now are not in force; "" when they are
        self._wake = asyncio.Event()
        self._took(reading)

    def facts(self) -> Mapping[str, str]:
        """Return what an operator should know: which files are in force, since when, and what is wrong with newer."""
        facts = {
            "count": str(len(self.registry.senders)),
            "sha256": self.sha256,
            "loaded_at": self.loaded_at.isoformat(timespec="seconds"),
            "unknown": self.registry.unknown.value,
        }
        return {**facts, "fault": self.fault} if self.fault else facts

    async def start(self) -> None:
        """Listen to SIGHUP."""
        with suppress(ValueError, RuntimeError, NotImplementedError):  # not in the main thread: files are looked at
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._wake.set)

    async def stop(self) -> None:
        """Listen no more."""
        with suppress(ValueError, RuntimeError, NotImplementedError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    async def follow(self) -> None:
        """Look again and again, at once on SIGHUP. For ever."""
        while True:
            try:
                async with asyncio.timeout(self._settings.senders_check_seconds):
                    await self._wake.wait()
            except TimeoutError:
                pass
            asked = self._wake.is_set()
            self._wake.clear()
            await self.refresh(asked=asked)

    async def refresh(self, *, asked: bool = False) -> bool:
        """Read the files when they changed, or when asked. Return whether other entries are in force now."""
        stamp = await asyncio.to_thread(self._look)
        if not asked and (stamp == self._stamp or stamp != self._seen):
            self._seen = stamp  # a file still being written: wait until two looks agree
            return False
        try:
            reading = await asyncio.to_thread(read_senders, self._settings, self._environment)
        except HubError as error:
            self._stamp = stamp
            self._rejected(error)
            return False
        self._stamp = stamp
        changed = reading.sha256 != self.sha256
        self.registry.renew(reading.senders, reading.unknown)
        if changed or self.fault:
            log.info("senders.loaded", count=len(reading.senders))
        self._took(reading)
        return changed

    def _took(self, reading: Reading) -> None:
        self.sha256, self.loaded_at, self.fault = reading.sha256, self._clock(), ""
        metrics.SENDERS.set(len(reading.senders))
        metrics.SENDERS_STALE.set(0)
        metrics.SENDERS_READ.labels("loaded").inc()

    def _rejected(self, error: HubError) -> None:
        if str(error) != self.fault:
            log.error("senders.rejected", code=error.code, error=str(error))
        self.fault = str(error)
        metrics.SENDERS_STALE.set(1)
        metrics.SENDERS_READ.labels("rejected").inc()

    def _look(self) -> Stamp:
        """Return the files' stamps; a file that is not there now has none, and reading will say so."""
        stamps = []
        with suppress(SendersMisconfigured):
            for path in paths(self._settings, self._environment):
                stamps.append(_stamp(path))
        return tuple(stamps)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        status = path.stat()
    except OSError:
        return path.name, 0, -1, 0
    return path.name, status.st_mtime_ns, status.st_size, status.st_ino
