"""Running services: everything starts, says `ready`, works until told to stop, and stops in order."""

import asyncio
import gc
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import uvloop
from pydantic_settings import BaseSettings

from labohub.bus.connect import connect as connect_bus
from labohub.contracts import topics
from labohub.errors import HubError, Misconfigured, Unavailable
from labohub.runtime import logging as hub_logging
from labohub.runtime import telemetry
from labohub.runtime.clock import Clock, system_clock
from labohub.runtime.consumer import Consumer
from labohub.runtime.http import HttpServer, application
from labohub.runtime.http_tls import http_context
from labohub.runtime.lag import LagWatch
from labohub.runtime.logging import get_logger
from labohub.runtime.parking import Parking
from labohub.runtime.relay import Relay
from labohub.runtime.retry import backoff_seconds
from labohub.runtime.service import Listener, Platform, Service, Worker
from labohub.runtime.settings import LabohubSettings, read_settings
from labohub.store.blobs import connect as connect_blobs
from labohub.store.database import woken

log = get_logger(__name__)

S = TypeVar("S", bound=BaseSettings)
LONGEST_PAUSE_SECONDS = 30.0
COLLECT_AFTER_OBJECTS = 10_000  # Python's 700 are a few events' worth


async def open_platform(settings: LabohubSettings, *, clock: Clock = system_clock) -> Platform:
    """Return the platform of these settings, log and documents open. Raises: Misconfigured, Unavailable."""
    blobs = connect_blobs(settings.effective_blobs_url(), settings.key())
    bus = connect_bus(settings.effective_bus_url(), topics=topics.ALL)
    await blobs.open()
    await bus.open()
    return Platform(settings=settings, bus=bus, blobs=blobs, clock=clock)


class Hub:
    """Services of one process."""

    def __init__(self, services: Sequence[Service], platform: Platform) -> None:
        self._services = services
        self._platform = platform
        self._stopping = asyncio.Event()
        self._ready = False
        self._tasks: list[asyncio.Task[None]] = []
        settings = platform.settings
        app = application(services, lambda: self._ready)
        self.http = HttpServer(app, settings.http_host, settings.http_port, http_context(settings))

    @property
    def names(self) -> str:
        """Return the services' names, comma separated."""
        return ",".join(service.name for service in self._services)

    @property
    def listeners(self) -> list[Listener]:
        """Return the services' listeners."""
        return [listener for service in self._services for listener in service.listeners]

    async def start(self) -> None:
        """Return when every listener accepts. State first, then what consumes it, then what lets the outside in."""
        for service in self._services:
            await service.database.open()
        for service in self._services:
            self._spawn(f"{service.name}.relay", Relay(service.database, self._platform.bus).run(self._stopping))
            for topic in sorted({kind.TOPIC for kind in service.subscriptions}):
                self._spawn(f"{service.name}.{topic}", self._consumer(service, topic).run(self._stopping))
            if service.subscriptions:
                self._spawn(f"{service.name}.parking", Parking(service).run(self._stopping))
                if every := self._platform.settings.lag_seconds:
                    watch = LagWatch(service, self._platform.bus, every)
                    self._spawn(f"{service.name}.background.lag", watch.run(self._stopping))
            for worker in service.workers:
                for number in range(worker.concurrency):
                    self._spawn(f"{service.name}.{worker.name}.{number}", self._work(service, worker))
            for position, loop in enumerate(service.background):
                self._spawn(f"{service.name}.background.{position}", _for_ever(loop()))
        for listener in self.listeners:
            await listener.start()
        self._ready = True
        await self.http.start()
        _spare_the_collector()
        log.info("hub.ready", count=len(self._services), port=self.http.port)

    async def wait(self) -> None:
        """Return when told to stop. Raises what a task raised: a loop that ends is a fault of ours."""
        stop = asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait([stop, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stop}:
                task.result()
                if not self._stopping.is_set():
                    raise RuntimeError(f"{task.get_name()} ended by itself")
        finally:
            stop.cancel()

    def request_stop(self) -> None:
        """Tell everything to stop."""
        self._stopping.set()

    async def stop(self) -> None:
        """Stop in order: no more input, finish open units, close what was opened."""
        self._ready = False
        self._stopping.set()
        for listener in self.listeners:
            with suppress(HubError, OSError):
                await listener.stop()
        await self.http.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=0.5)
            for task in late:
                if ".background." in task.get_name() or ".labohub." in task.get_name():
                    task.cancel()  # waits for what may never come; its unit, if any, is rolled back and taken again
            _, late = await asyncio.wait(self._tasks, timeout=self._platform.settings.stop_grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for service in self._services:
            for close in service.closing:
                with suppress(HubError, OSError):
                    await close()
            await service.database.close()

    def _consumer(self, service: Service, topic: str) -> Consumer:
        return Consumer(service, topic, self._platform.bus, self._platform.courtesy)

    def _spawn(self, name: str, loop: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(loop, name=name))

    async def _work(self, service: Service, worker: Worker) -> None:
        failures = 0
        while not self._stopping.is_set():
            await self._platform.courtesy.give_way()
            changed = service.database.changed.listen()
            try:
                busy = await worker.run(service.units, self._platform.clock())
                failures = 0
            except Exception as error:
                busy, failures = False, failures + 1
                if isinstance(error, HubError):
                    log.warning("worker.waits", service=service.name, worker=worker.name, code=error.code)
                else:
                    log.bug("worker.failed", error, service=service.name, worker=worker.name)
                pause = backoff_seconds(failures, first=0.5, cap=LONGEST_PAUSE_SECONDS, fraction=random.random())
                await woken(self._stopping, pause)
            if not busy and not failures:
                stop = asyncio.ensure_future(self._stopping.wait())
                wake = asyncio.ensure_future(changed.wait())
                await asyncio.wait({stop, wake}, timeout=worker.idle_seconds, return_when=asyncio.FIRST_COMPLETED)
                stop.cancel()
                wake.cancel()


def _spare_the_collector() -> None:
    """Let the cycle collector leave alone what stays for ever, and come less often: events make few cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, 20, 20)


async def _for_ever(loop: Any) -> None:
    await loop


def stop_on_signals(hub: Hub) -> None:
    """Let SIGTERM and SIGINT stop the hub."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hub.request_stop)


def main(settings_type: type[S], build: Callable[[S, Platform], Service]) -> None:
    """Run one service until SIGTERM. Exits with 2 when the installation is wrong."""
    try:
        uvloop.run(_one_service(settings_type, build))
    except (Misconfigured, Unavailable) as error:
        sys.stderr.write(f"labohub: {error.code}: {error}\n")
        raise SystemExit(2) from None


async def _one_service(settings_type: type[S], build: Callable[[S, Platform], Service]) -> None:
    own = read_settings(settings_type)
    await serve([lambda platform: build(own, platform)], lambda hub: f"{hub.names} http={hub.http.port}")


async def serve(builders: Sequence[Callable[[Platform], Service]], describe: Callable[[Hub], str]) -> None:
    """Run services in this process until told to stop; say where they listen once they do.

    Raises: Misconfigured, Unavailable: before the start.
    """
    shared = read_settings(LabohubSettings)
    hub_logging.configure(shared.log_level)
    platform = await open_platform(shared)
    hub = Hub([build(platform) for build in builders], platform)
    telemetry.configure(hub.names if len(builders) == 1 else "labohub", shared.otlp_endpoint)
    stop_on_signals(hub)
    try:
        await hub.start()
        sys.stdout.write(f"labohub ready {describe(hub)}\n")
        sys.stdout.flush()
        await hub.wait()
    finally:
        await hub.stop()
        await platform.bus.close()
        await platform.blobs.close()
