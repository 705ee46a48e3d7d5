"""Structural validation beside the road: a process of its own, a bounded queue, and a report kept with the message."""

import asyncio
import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing.connection import wait
from typing import Any

from sqlalchemy import Column, Integer, String, Table, Text, select

from ingest_hl7.adapters import metrics, tables
from ingest_hl7.adapters.conformance_task import EDITION, inspect
from ingest_hl7.core.intake import Arrival
from ingest_hl7.core.registry import Registry
from ingest_hl7.core.senders import Sender, Stage
from ingest_hl7.ports import IngestUnit
from ingest_hl7.settings import IngestSettings
from labohub.contracts.values import BlobRef
from labohub.errors import Unavailable
from labohub.runtime.logging import get_logger
from labohub.standards import er7
from labohub.store.blobs import Blobs
from labohub.store.sql import upsert
from labohub.store.types import UtcDateTime
from labohub.store.unit import Units

log = get_logger(__name__)

ATTEMPTS = 2  # the process may have died while it had nothing to do
LOWER_PRIORITY = 10  # of the worker process: senders come first

conformance = Table(
    "conformance",
    tables.metadata,
    Column("message_id", String, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("report", Text, nullable=False),  # JSON
)


class InspectorBusy(Unavailable):
    """The worker process ended, or took too long."""

    code = "conformance.busy"


class Inspector:
    """Examines a sample of the messages as they come, and any message when asked. Never holds up the intake."""

    name = "conformance"

    def __init__(self, units: Units[IngestUnit], blobs: Blobs, registry: Registry, settings: IngestSettings) -> None:
        self._units = units
        self._blobs = blobs
        self._registry = registry
        self._settings = settings
        self._waiting: asyncio.Queue[str] = asyncio.Queue(settings.conformance_queue)
        self._executor: ProcessPoolExecutor | None = None
        self._one = asyncio.Lock()

    def notice(self, arrival: Arrival) -> None:
        """Note a message that is durable, when it is of the sample; drop it when the queue is full."""
        if not self._is_sampled(arrival.sender, arrival.sha256):
            return
        try:
            self._waiting.put_nowait(arrival.receipt.message_id)
        except asyncio.QueueFull:
            metrics.INSPECTED.labels("dropped").inc()

    async def follow(self) -> None:
        """Examine what was noticed, for ever."""
        while True:
            message_id = await self._waiting.get()
            try:
                await self.report(message_id)
            except Unavailable as error:
                metrics.INSPECTED.labels("failed").inc()
                log.warning("conformance.failed", message_id=message_id, code=error.code)
            except Exception as error:
                metrics.INSPECTED.labels("failed").inc()
                log.bug("conformance.failed", error, message_id=message_id)

    async def report(self, message_id: str) -> dict[str, Any] | None:
        """Return the report kept with a message, made now when there is none; None for an unknown message.

        Raises: InspectorBusy, Unavailable.
        """
        async with self._units() as unit:
            query = select(conformance.c.report, conformance.c.edition).where(conformance.c.message_id == message_id)
            kept = (await unit.connection.execute(query)).first()
            found = select(tables.messages.c.raw).where(tables.messages.c.message_id == message_id)
            ref = (await unit.connection.execute(found)).scalar()
        if kept is not None and kept.edition == EDITION:
            report: dict[str, Any] = json.loads(kept.report)
            return report
        if ref is None:
            return None
        report = await self._examine(await self._blobs.read(BlobRef.model_validate_json(ref)))
        async with self._units() as unit:
            row = {"message_id": message_id, "at": unit.now, "edition": EDITION, "report": json.dumps(report)}
            await upsert(unit.connection, conformance, [row])
        metrics.INSPECTED.labels(report["verdict"]).inc()
        return report

    async def close(self) -> None:
        """End the process."""
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown, True, cancel_futures=True)

    def _is_sampled(self, sender: Sender | None, sha256: str) -> bool:
        """A sender on trial is always looked at; of the others the share that the installation wants."""
        if sender is not None and sender.stage is Stage.TEST:
            return True
        return int(sha256[:8], 16) % 100 < self._settings.conformance_percent

    async def _examine(self, raw: bytes) -> dict[str, Any]:
        sender = self._registry.find(er7.read_header(raw)) or Sender()
        fallback = sender.charset_fallback or "iso8859-15"
        async with self._one:  # one message in the process at a time: its time-out is its own
            for _ in range(ATTEMPTS):
                try:
                    return await self._run(raw, sender, fallback)
                except (BrokenExecutor, TimeoutError) as error:
                    self._abandon()
                    if isinstance(error, TimeoutError):
                        break
        raise InspectorBusy("the worker process ended or took too long")

    async def _run(self, raw: bytes, sender: Sender, fallback: str) -> dict[str, Any]:
        if self._executor is None:
            context = multiprocessing.get_context("spawn")
            self._executor = ProcessPoolExecutor(1, mp_context=context, initializer=_begin)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._executor, inspect, raw, dict(sender.charsets), fallback)
        return await asyncio.wait_for(work, self._settings.conformance_timeout_seconds)

    def _abandon(self) -> None:
        """Kill the process; the next message gets another."""
        executor, self._executor = self._executor, None
        if executor is not None:
            for process in list((executor._processes or {}).values()):
                process.kill()
            executor.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """Yield to everything else, leave signals to the parent, and end with it."""
    os.nice(LOWER_PRIORITY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(0)
