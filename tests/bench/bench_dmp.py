"""Submissions per second to the DMP simulator, in a process of its own, and CPU per submission of the feeder.

`python -m tests.bench.bench_dmp [--documents 600] [--kilobytes 60]` prints one JSON line.
"""

import argparse
import asyncio
import base64
import cProfile
import json
import multiprocessing
import os
import platform as machine
import pstats
import resource
import tempfile
import time
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from dmp_feeder.main import build
from labohub.runtime.run import open_platform
from labohub.runtime.settings import LabohubSettings
from labosim.dmp import DmpSimulator
from labosim.faults import Faults
from labosim.pki import Pki
from tests.support.dmp import cda
from tests.support.dmp_service import Bench, settings


def simulate(folder: str, pipe: Connection) -> None:
    """Run the simulator until the pipe closes; send its port, then how many submissions it took."""

    async def run() -> None:
        simulator = DmpSimulator(host="127.0.0.1", port=0, pki=Pki(Path(folder)), faults=Faults())
        await simulator.start()
        pipe.send(simulator.port)
        await asyncio.to_thread(pipe.recv)
        pipe.send(len(simulator.registry.submissions))
        await simulator.stop()

    asyncio.run(run())


async def measure(folder: Path, port: int, pki: Pki, documents: int, kilobytes: int, profile: bool) -> dict[str, Any]:
    """Plan all documents, then time their filing."""
    simulator = DmpSimulator(host="127.0.0.1", port=port, pki=pki, faults=Faults())  # only for its address
    platform = await open_platform(LabohubSettings(data_dir=folder))
    service = build(settings(simulator, pki), platform)
    await service.database.open()
    both = Bench(simulator, Faults(), service, platform)
    padding = base64.b64encode(os.urandom(kilobytes * 768 - 3000)).decode()
    for number in range(documents):
        await both.plan(cda(unique_id=f"2.25.9{number}", text=padding), report_id=f"report-{number}")
    profiler = cProfile.Profile()
    started, cpu = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    if profile:
        profiler.enable()

    async def loop() -> None:
        while await service.workers[0].run(service.units, datetime.now(UTC)):
            pass

    await asyncio.gather(*(loop() for _ in range(service.workers[0].concurrency)))
    if profile:
        profiler.disable()
        pstats.Stats(profiler).sort_stats("tottime").print_stats(25)
    elapsed, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    for close in service.closing:
        await close()
    await service.database.close()
    await platform.bus.close()
    await platform.blobs.close()
    return {
        "documents": documents,
        "kilobytes": kilobytes,
        "per_second": round(documents / elapsed, 1),
        "cpu_ms_each": round(1000 * used / documents, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=600)
    parser.add_argument("--kilobytes", type=int, default=60)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        pki = Pki.create(Path(folder) / "pki")
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=simulate, args=(str(pki.folder), theirs))
        process.start()
        port = ours.recv()
        figures = asyncio.run(
            measure(Path(folder) / "data", port, pki, options.documents, options.kilobytes, options.profile)
        )
        ours.send("stop")
        figures["registered"] = ours.recv()
        process.join(10)
    figures |= {"machine": machine.machine(), "cores": os.cpu_count(), "date": datetime.now(UTC).date().isoformat()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
