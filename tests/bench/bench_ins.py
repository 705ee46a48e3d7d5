"""Identities per second through the whole stage, the simulator in a process of its own. One JSON line per figure.

The bars: 200 identities a second on two cores while INSi takes 100 ms for an answer, and 3 ms of CPU each.

Run: python -m tests.bench.bench_ins [count] [latency_ms]
"""

import asyncio
import json
import multiprocessing
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from labosim.faults import Faults
from labosim.identities import generated_identity
from labosim.insi import InsiSimulator
from labosim.pki import Pki
from tests.support.ins import InsRig, patient_of, received

BAR_PER_SECOND = 200
BAR_CPU_MS = 3


class RemoteSimulator:
    """The address of a simulator that another process runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def stop(self) -> None:
        """Leave it to its process."""


def serve(folder: Path, latency_ms: float, pipe: Connection) -> None:
    """Run the simulator until the pipe says stop."""

    async def run() -> None:
        simulator = InsiSimulator(
            host="127.0.0.1", port=0, pki=Pki(folder), faults=Faults(), latency_seconds=latency_ms / 1000
        )
        await simulator.start()
        pipe.send(simulator.url)
        await asyncio.to_thread(pipe.recv)
        pipe.send(time.process_time())
        await simulator.stop()

    asyncio.run(run())


async def measure(folder: Path, pki: Pki, url: str, count: int, latency_ms: float) -> None:
    """Print how fast `count` reports of as many patients are decided."""
    rig = InsRig(folder, pki)
    rig.simulator = RemoteSimulator(url)  # type: ignore[assignment]
    await rig.start_hub()
    events = [received(patient_of(generated_identity(number)), report=f"R{number}") for number in range(count)]
    await rig.receive(events[0])
    await rig.decided(1)
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(1, count, 100):
        await rig.receive(*events[start : start + 100])
    await rig.decided(count, seconds=600)
    seconds, busy = time.perf_counter() - wall, time.process_time() - cpu
    await rig.stop_hub()
    rate, cost = (count - 1) / seconds, busy / (count - 1) * 1000
    figures = {
        "bench": "ins-qualifier",
        "count": count - 1,
        "latency_ms": latency_ms,
        "identities_per_second": round(rate, 1),
        "cpu_ms_each": round(cost, 2),
        "bars": "met" if rate >= BAR_PER_SECOND and cost <= BAR_CPU_MS else "missed",
    }
    print(json.dumps(figures))


def main() -> None:
    """Start the simulator, measure, stop it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1001
    latency_ms = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pki = Pki.create(folder / "pki")
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=serve, args=(pki.folder, latency_ms, theirs))
        process.start()
        asyncio.run(measure(folder / "data", pki, ours.recv(), count, latency_ms))
        ours.send("stop")
        process.join()


if __name__ == "__main__":
    main()
