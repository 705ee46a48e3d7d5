"""How far behind its topics each service is, as a metric."""

import asyncio

from prometheus_client import Gauge

from labohub.bus.port import Bus
from labohub.errors import HubError
from labohub.runtime.logging import get_logger
from labohub.runtime.service import Service
from labohub.store.database import woken

log = get_logger(__name__)

LAG = Gauge("labohub_bus_lag_records", "Records of a topic that a service has not done yet.", ["service", "topic"])


class LagWatch:
    """The loop that looks. Every replica of a service says the same of it: take the largest, not the sum."""

    def __init__(self, service: Service, bus: Bus, every_seconds: float) -> None:
        self._service = service
        self._bus = bus
        self._every_seconds = every_seconds
        self._topics = sorted({kind.TOPIC for kind in service.subscriptions})

    async def run(self, stopping: asyncio.Event) -> None:
        """Look until told to stop. A log that is away leaves the last figures."""
        while not stopping.is_set():
            await self.look()
            await woken(stopping, self._every_seconds)

    async def look(self) -> None:
        """Ask for each topic once."""
        for topic in self._topics:
            try:
                LAG.labels(self._service.name, topic).set(await self._bus.lag(topic, self._service.name))
            except HubError as error:
                log.warning("lag.unknown", service=self._service.name, topic=topic, code=error.code)
                return
