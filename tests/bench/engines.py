"""The hub as it is run: one process with SQLite, or a process per service with Kafka and PostgreSQL."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from embedded import processes, wiring
from embedded.hub import BUILDERS
from labohub.bus.connect import connect
from labohub.contracts.codec import from_record
from labohub.contracts.events import MessageSettled
from labohub.contracts.topics import ALL, MESSAGE
from tests.support.kafka import KafkaBroker
from tests.support.ports import free_ports
from tests.support.postgres import PostgresServer

QUIET_SECONDS = 1.0  # after the last message settled: answers to the laboratory are on their way


@dataclass
class Running:
    """A hub at work."""

    engine: str
    mllp: int
    console: int  # HTTP port
    bus_url: str
    hub: dict[str, int]  # process ids by service; "hub" when all are one
    others: dict[str, int]  # simulators, broker, database server

    async def settled(self, expected: int, seconds: float) -> None:
        """Return when so many messages were accepted and none is open. Raises: AssertionError after `seconds`."""
        end = time.monotonic() + seconds
        async with httpx.AsyncClient(timeout=20) as client:
            while True:
                answer = await client.get(f"http://127.0.0.1:{self.console}/api/v1/reconciliation")
                count = answer.json()
                if count["accepted"] >= expected and count["open"] == 0:
                    return
                if time.monotonic() > end:
                    raise AssertionError(f"after {seconds} s: {count}")
                await asyncio.sleep(0.25)

    async def ends(self) -> dict[str, MessageSettled]:
        """Return how each message ended, by control id, read from the log as any other group would."""
        bus = connect(self.bus_url, topics=ALL)
        await bus.open()
        found: dict[str, MessageSettled] = {}
        try:
            async for batch in bus.read(MESSAGE, "bench", max_records=500):
                for event in map(from_record, batch.records):
                    if isinstance(event, MessageSettled):
                        found[event.control_id] = event
                await batch.done()
                if not await bus.lag(MESSAGE, "bench"):
                    break
        finally:
            await bus.close()
        return found


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Running]:
    """Run the whole hub as one process, the simulators as another."""
    with _simulators(folder) as (bench, environment), contextlib.ExitStack() as stack:
        mllp, http = free_ports(2)
        data = folder / "data"
        hub = stack.enter_context(processes.hub(folder, environment | _own(data, mllp, http)))
        url = f"sqlite:///{data.absolute() / 'bus.sqlite'}"
        yield Running("embedded", mllp, http, url, {"hub": hub.pid}, {"simulators": bench.pid})


@contextlib.contextmanager
def distributed(folder: Path) -> Iterator[Running]:
    """Run each service as a process, with a Kafka broker and a PostgreSQL server of their own."""
    with contextlib.ExitStack() as stack:
        broker, server = KafkaBroker(), PostgresServer()
        stack.callback(broker.stop)
        broker.start()
        stack.callback(server.stop)
        server.start()
        bench, environment = stack.enter_context(_simulators(folder))
        store = {"LABOHUB_BUS_URL": broker.url, "LABOHUB_STORE_URL": server.fresh_database()}
        mllp, *https = free_ports(1 + len(BUILDERS))
        hub: dict[str, int] = {}
        for name, http in zip(BUILDERS, https, strict=True):
            own = environment | _own(folder / "data", mllp, http) | store
            hub[name] = stack.enter_context(processes.hub(folder, own, name)).pid
        others = {"simulators": bench.pid, "kafka": broker.pid, "postgresql": server.pid}
        yield Running("kafka+postgresql", mllp, https[-1], broker.url, hub, others)


ENGINES = {"embedded": embedded, "distributed": distributed}


def _own(data: Path, mllp: int, http: int) -> dict[str, str]:
    return {
        "LABOHUB_DATA_DIR": str(data),
        "LABOHUB_HTTP_PORT": str(http),
        "INGEST_HL7_MLLP_PORT": str(mllp),
    }


@contextlib.contextmanager
def _simulators(folder: Path) -> Iterator[tuple[processes.Process, dict[str, str]]]:
    os.environ.pop("LABOHUB_CISIS_DIR", None)  # the bars are set without schematron
    ports = wiring.Ports(*free_ports(6))
    with processes.simulators(folder, ports) as bench:
        yield bench, wiring.environment(folder / "pki", ports)
