"""Durable acknowledgements per second: the intake alone, and while the whole hub works on what comes in."""

import asyncio
import contextlib
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench import bench_intake, load
from tests.bench.engines import embedded
from tests.bench.figures import Figures, percentiles
from tests.bench.usage import usage
from tests.support.kafka import KafkaBroker
from tests.support.postgres import PostgresServer

SECONDS = 3.0


def alone(figures: Figures, scale: float) -> None:
    """Measure the intake in a process of its own, on SQLite, then on Kafka and PostgreSQL. Nobody hears its events."""
    with bench_intake.service() as (port, process):
        _measure(figures, "embedded", port, process, scale)
    with contextlib.ExitStack() as stack:
        broker, server = KafkaBroker(), PostgresServer()
        stack.callback(broker.stop)
        broker.start()
        stack.callback(server.stop)
        server.start()
        store = {"LABOHUB_BUS_URL": broker.url, "LABOHUB_STORE_URL": server.fresh_database()}
        port, process = stack.enter_context(bench_intake.service(**store))
        _measure(figures, "kafka+postgresql", port, process, scale)


def _measure(figures: Figures, engine: str, port: int, process: psutil.Process, scale: float) -> None:
    for name, connections, found in bench_intake.measures(port, process, SECONDS * scale):
        figures.add("acks", hub="intake alone", engine=engine, message=name, connections=connections, **found)


def whole_hub(figures: Figures, scale: float) -> None:
    """Measure the embedded hub. It falls behind on purpose: what is acknowledged waits, durable, for its turn."""
    for kind, connections, most in (("structuring", 1, 1500), ("structuring", 16, 4000), ("relay 150 kB", 16, 700)):
        messages = load.KINDS[kind](most)
        with tempfile.TemporaryDirectory(prefix="labohub-bench-") as name, embedded(Path(name)) as running:
            pid, before = running.hub["hub"], usage(running.hub["hub"])
            until = time.monotonic() + SECONDS * scale
            sent = asyncio.run(load.push(messages, running.mllp, connections=connections, until=until))
            after = usage(pid)
        figures.add(
            "acks",
            hub="whole hub at work",
            engine="embedded",
            message=f"{sum(len(message.frame) for message in messages) / most / 1000:.0f}kB",
            connections=connections,
            acks_per_second=round(len(sent.waits) / sent.seconds, 1),
            messages=len(sent.waits),
            **percentiles(sent.waits),
            service_cpu_ms_per_message=round((after.cpu_seconds - before.cpu_seconds) / len(sent.waits) * 1000, 2),
        )
