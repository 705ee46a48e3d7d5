"""Durable acknowledgements per second: the intake alone, and while the whole hub works on what comes in."""

import asyncio
import tempfile
import time
from pathlib import Path

import psutil

from tests.bench import bench_intake, load
from tests.bench.engines import embedded
from tests.bench.figures import Figures, percentiles
from tests.bench.usage import usage
from tests.support.ports import free_ports

SECONDS = 3.0


def alone(figures: Figures, scale: float) -> None:
    """Measure the intake in a process of its own: nothing consumes what it hands on."""
    port, http_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="labohub-bench-") as folder:
        service = bench_intake.start(folder, port, http_port, "")
        try:
            seen = psutil.Process(service.pid)
            for name, make, connections in bench_intake.MEASURES:
                found = asyncio.run(bench_intake.measure(port, make, connections, SECONDS * scale, seen))
                figures.add("acks", hub="intake alone", message=name, connections=connections, **found)  # type: ignore[arg-type]
        finally:
            service.terminate()
            service.wait(30)


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
            message=f"{sum(len(message.frame) for message in messages) / most / 1000:.0f}kB",
            connections=connections,
            acks_per_second=round(len(sent.waits) / sent.seconds, 1),
            messages=len(sent.waits),
            **percentiles(sent.waits),
            service_cpu_ms_per_message=round((after.cpu_seconds - before.cpu_seconds) / len(sent.waits) * 1000, 2),
        )
