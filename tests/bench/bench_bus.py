"""How fast the event log appends and reads. Prints one JSON line per figure; about ten seconds.

    python tests/bench/bench_bus.py [--bus kafka://127.0.0.1:9092] [--seconds 1.5]

Without `--bus`: the embedded log in a temporary folder. A record is 700 bytes, about a `ReportReceived`.
"""

import argparse
import asyncio
import json
import os
import platform
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from labohub.bus import Bus, connect
from labohub.contracts.envelope import Record

VALUE = os.urandom(350).hex().encode()
HEADERS = {
    "type": "ReportReceived",
    "event_id": str(uuid.uuid4()),
    "traceparent": "00-" + 32 * "a" + "-" + 16 * "b" + "-01",
}


def main() -> None:
    """Measure one engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bus", default="", help="the log's URL")
    parser.add_argument("--seconds", type=float, default=1.5, help="of each measure")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="labohub-bench-") as folder:
        url = options.bus or f"sqlite:///{folder}/bus.sqlite"
        engine = url.partition(":")[0]
        show(engine, "machine", f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
        if engine == "sqlite":
            show(engine, "fdatasync_microseconds", round(sync_microseconds(Path(folder) / "probe")))
        asyncio.run(measure(engine, url, options.seconds))


async def measure(engine: str, url: str, seconds: float) -> None:
    """Append alone, by many, in batches; read; see how late a waiting reader gets a record."""
    topic = f"bench.{uuid.uuid4().hex}"
    bus = connect(url, topics=[topic])
    await bus.open()
    total = 0
    for name, tasks, size in (
        ("append_single_1_task", 1, 1),
        ("append_single_16_tasks", 16, 1),
        ("append_single_256_tasks", 256, 1),
        ("append_batches_of_100", 1, 100),
    ):
        cpu = time.process_time()
        count, elapsed = await during(seconds, tasks, lambda size=size: publish(bus, topic, size))  # type: ignore[misc]
        total += count * size
        show(engine, f"{name}_per_second", round(count * size / elapsed))
        show(engine, f"{name}_cpu_microseconds_each", round((time.process_time() - cpu) * 1e6 / (count * size), 1))
    show(engine, "read_per_second", round(await read_per_second(bus, topic, total)))
    delays = sorted(await delays_ms(bus, f"{topic}.delay", 300))
    show(engine, "publish_to_reader_p50_ms", round(delays[len(delays) // 2], 2))
    show(engine, "publish_to_reader_p99_ms", round(delays[int(len(delays) * 0.99)], 2))
    await bus.close()


async def publish(bus: Bus, topic: str, size: int) -> None:
    """Append `size` records of different reports."""
    await bus.publish(topic, [Record(str(uuid.uuid4()), VALUE, HEADERS) for _ in range(size)])


async def during(seconds: float, tasks: int, work: Callable[[], Awaitable[None]]) -> tuple[int, float]:
    """Return how many times `work` was done by that many tasks, and the time it took."""
    start = time.perf_counter()
    counts = [0] * tasks

    async def task(number: int) -> None:
        while time.perf_counter() - start < seconds:
            await work()
            counts[number] += 1

    await asyncio.gather(*(task(number) for number in range(tasks)))
    return sum(counts), time.perf_counter() - start


async def read_per_second(bus: Bus, topic: str, total: int) -> float:
    """Return the pace of one reader that does each batch."""
    seen, start = 0, time.perf_counter()
    async for batch in bus.read(topic, "bench"):
        seen += len(batch.records)
        await batch.done()
        if seen >= total:
            break
    return seen / (time.perf_counter() - start)


async def delays_ms(bus: Bus, topic: str, count: int) -> list[float]:
    """Return the time from each publication's start to its reader, one at a time."""
    arrived: asyncio.Queue[float] = asyncio.Queue()

    async def read() -> None:
        async for batch in bus.read(topic, "bench"):
            arrived.put_nowait(time.perf_counter())
            await batch.done()

    reader = asyncio.create_task(read())
    await publish(bus, topic, 1)
    await arrived.get()
    delays = []
    for _ in range(count):
        start = time.perf_counter()
        await publish(bus, topic, 1)
        delays.append((await arrived.get() - start) * 1000)
    reader.cancel()
    await asyncio.wait([reader])
    return delays


def sync_microseconds(path: Path) -> float:
    """Return what one synchronised write of 4 KiB costs here: the floor of a durable append."""
    with path.open("wb", buffering=0) as file:
        start = time.perf_counter()
        for _ in range(200):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
    return (time.perf_counter() - start) / 200 * 1e6


def show(engine: str, figure: str, value: float | str) -> None:
    """Print one figure."""
    print(json.dumps({"at": datetime.now(UTC).isoformat(timespec="seconds"), "engine": engine, figure: value}))


if __name__ == "__main__":
    main()
