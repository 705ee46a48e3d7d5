"""All simulators together, started and stopped as one."""

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol, Self

from fastapi import APIRouter

from labosim.control import application
from labosim.control.server import ControlServer
from labosim.faults import Faults
from labosim.pki import Pki
from labosim.settings import SimulatorSettings
from labosim.sgl.webhooks import WebhookReceiver, webhook_routes


class Simulator(Protocol):
    """What every simulator does."""

    async def start(self) -> None:
        """Listen; return when it accepts."""

    async def stop(self) -> None:
        """Close its ports."""

    def reset(self) -> None:
        """Forget what it received."""


class Simulators:
    """The whole test bench on loopback."""

    def __init__(self, settings: SimulatorSettings, pki: Pki, faults: Faults) -> None:
        self.settings, self.pki, self.faults = settings, pki, faults
        common = {"host": settings.host, "pki": pki, "faults": faults}
        self.parts: dict[str, Any] = {}
        routers: list[APIRouter] = []
        for name, kind, ports in (
            ("insi", "InsiSimulator", {"port": settings.insi_port}),
            ("dmp", "DmpSimulator", {"port": settings.dmp_port}),
            ("mss", "MssSimulator", {"smtp_port": settings.smtp_port, "imap_port": settings.imap_port}),
            ("sgl", "SglSimulator", {"port": settings.sgl_port}),
        ):
            module = import_module(f"labosim.{name}")  # late: each brings its own libraries
            simulator: Simulator = getattr(module, kind)(**common, **ports)
            routes: Callable[[Any], APIRouter] = module.routes
            self.parts[name] = simulator
            routers.append(routes(simulator))
        self.webhooks = WebhookReceiver(settings.webhook_secret, faults)
        routers.append(webhook_routes(self.webhooks))
        self.control = ControlServer(application(routers, faults, self.reset), settings.host, settings.control_port)

    @classmethod
    async def start(cls, settings: SimulatorSettings) -> Self:
        """Return the bench when every port accepts."""
        pki = await asyncio.to_thread(Pki.create, settings.folder / "pki")
        bench = cls(settings, pki, Faults())
        started: list[Any] = []
        try:
            for part in (*bench.parts.values(), bench.control):
                await part.start()
                started.append(part)
        except BaseException:
            for part in reversed(started):
                await part.stop()
            raise
        return bench

    async def stop(self) -> None:
        """Close every port."""
        await self.control.stop()
        for part in self.parts.values():
            await part.stop()

    def reset(self) -> None:
        """Make every simulator forget."""
        for part in (*self.parts.values(), self.webhooks):
            part.reset()
