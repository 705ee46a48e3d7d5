"""The command `labosim`: the test bench alone, until SIGTERM."""

import asyncio
import signal
import sys

from labosim.bench import Simulators
from labosim.settings import SimulatorSettings

__all__ = ["Simulators", "main"]


async def _serve(settings: SimulatorSettings) -> None:
    bench = await Simulators.start(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    sys.stdout.write(f"labosim ready control=http://{settings.host}:{bench.control.port}\n")
    sys.stdout.flush()
    await stopping.wait()
    await bench.stop()


def main() -> None:
    """Run all simulators."""
    asyncio.run(_serve(SimulatorSettings()))
