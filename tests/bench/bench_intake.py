"""Durable acknowledgements per second: bytes in, AA out, on 1 and 16 MLLP connections.

Run: `python tests/bench/bench_intake.py [--seconds 5] [--rate 500] [--profile FILE]`. The real service runs in a
process of its own, with its SQLite store and files fully synchronous; this one only sends. One JSON line per measure;
the last is a steady pace, at half of the maximum or at `--rate` messages per second.
"""

import argparse
import asyncio
import contextlib
import functools
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from labohub.standards.mllp import FrameReader, write_frame  # noqa: E402
from tests.bench.figures import Figures, percentiles  # noqa: E402
from tests.support.ingest import cda, relay_message, results_message  # noqa: E402
from tests.support.ports import free_ports  # noqa: E402

Make = Callable[[str], bytes]  # a number to a message of its own
WARM_SECONDS = 0.5  # what is read once and composed once is


def ltw(number: str) -> bytes:
    """Return results of about 3 kB, a demand of their own. Cheap: the sender shares the machine with the service."""
    return _template().replace(b"@@", number.encode())


@functools.cache
def _template() -> bytes:
    number = "@@"
    extra = [
        f"OBX|{rank}|NM|A{rank}^Analyte {rank}^99REM^2951-2^Sodium^LN||{rank}.5|mmol/L^mmol/L^UCUM|1-90|N|||F|||"
        "20260312080000||99700005014^LEGUEN^Maud^^^^^^ASIP-SANTE-PS&1.2.250.1.71.4.2.1&ISO^D^^^RPPS"
        for rank in range(3, 10)
    ]
    text = results_message(f"B{number}", demand=f"D{number}", extra=extra)
    lines = text.split(b"\r")
    specimen = next(index for index, line in enumerate(lines) if line.startswith(b"SPM"))
    lines.insert(len(lines) - 1, lines.pop(specimen))
    return b"\r".join(lines)


def relay(number: str) -> bytes:
    """Return a message of about 300 kB that carries a document of its own."""
    unique_id = f"1.2.250.1.99999.9.{int(number.replace('-', ''))}"
    document = cda(unique_id).replace(b"<component>", b"<!--" + b"x" * 225_000 + b"--><component>")
    return relay_message(f"R{number}", document=document)


async def connection(port: int, make: Make, worker: int, moments: Iterable[float], waits: list[float]) -> None:
    """Send a message at each of these moments, or as soon as the last one is answered: a wait counts from its moment.

    So a service that falls behind is not spared the messages it delays.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    frames, prefix = FrameReader(), f"{worker}-{int(time.time() * 10) % 100000}"
    for number, moment in enumerate(moments):
        message = write_frame(make(f"{prefix}{number:06d}"))
        early = moment - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        writer.write(message)
        answers: list[bytes] = []
        while not answers:
            data = await reader.read(65536)
            if not data:
                raise ConnectionResetError
            answers = frames.feed(data)
        waits.append(time.perf_counter() - moment)
        if b"\rMSA|AA|" not in answers[0]:
            raise SystemExit(f"not accepted: {answers[0]!r}")
    writer.close()


def at_once(until: float) -> Iterator[float]:
    """Yield the present until a moment: the next message goes when the last one is answered."""
    while (now := time.perf_counter()) < until:
        yield now


def at_pace(started: float, until: float, step: float) -> Iterator[float]:
    """Yield the moments of a steady pace."""
    for number in itertools.count():
        if (moment := started + number * step) >= until:
            return
        yield moment


async def measure(
    port: int, make: Make, connections: int, seconds: float, process: psutil.Process, per_second: float = 0.0
) -> dict[str, float | int]:
    """Return what was acknowledged and how long it took, as fast as answers come or at a steady pace."""
    waits: list[float] = []
    before, started = process.cpu_times(), time.perf_counter()
    until, step = started + seconds, connections / per_second if per_second else 0.0

    def moments(worker: int) -> Iterator[float]:
        return at_pace(started + worker * step / connections, until, step) if per_second else at_once(until)

    await asyncio.gather(*(connection(port, make, worker, moments(worker), waits) for worker in range(connections)))
    elapsed, after = time.perf_counter() - started, process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return {
        **({"sent_per_second": round(per_second)} if per_second else {}),
        "acks_per_second": round(len(waits) / elapsed, 1),
        "messages": len(waits),
        **percentiles(waits),
        "service_cpu_ms_per_message": round(cpu / len(waits) * 1e3, 3),
        "service_rss_mb": round(process.memory_info().rss / 1e6, 1),
    }


@contextlib.contextmanager
def service(profile: str = "", **settings: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run the intake in a process of its own. Give its MLLP port and its process."""
    port, http_port = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="labohub-bench-") as folder:
        process = _start(folder, port, http_port, profile, settings)
        try:
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _start(folder: str, port: int, http_port: int, profile: str, settings: Mapping[str, str]) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "LABOHUB_DATA_DIR": folder,
        "LABOHUB_HTTP_PORT": str(http_port),
        "LABOHUB_LOG_LEVEL": "WARNING",
        "INGEST_HL7_MLLP_PORT": str(port),
        **settings,
    }
    run = ["-c", "from ingest_hl7.main import main; main()"]
    if profile:
        code = (
            "import cProfile, sys; from ingest_hl7.main import main; p = cProfile.Profile();\n"
            f"try: p.runcall(main)\nfinally: p.dump_stats({profile!r})"
        )
        run = ["-c", code]
    process = subprocess.Popen([sys.executable, *run], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    if "ready" not in process.stdout.readline():
        raise SystemExit("the service did not start")
    return process


MEASURES = (("3kB", ltw, 1), ("3kB", ltw, 16), ("300kB", relay, 1), ("300kB", relay, 16))


def measures(
    port: int, process: psutil.Process, seconds: float, per_second: float = 0.0
) -> Iterator[tuple[str, int, dict[str, float | int]]]:
    """Yield the message, the connections and the figures of each measure; the last is a steady pace.

    Args:
        per_second: of the steady pace; 0 is half of what 16 connections reached with 3 kB.
    """
    asyncio.run(measure(port, ltw, 16, WARM_SECONDS, process))
    for name, make, connections in MEASURES:
        found = asyncio.run(measure(port, make, connections, seconds, process))
        if (name, connections) == ("3kB", 16):
            per_second = per_second or found["acks_per_second"] / 2
        yield name, connections, found
    yield "3kB", 16, asyncio.run(measure(port, ltw, 16, seconds * 2, process, per_second))


def main() -> None:
    """Print one JSON line per measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rate", type=float, default=0.0, help="of the steady pace; half the maximum when absent")
    parser.add_argument("--profile", default="")
    arguments = parser.parse_args()
    figures = Figures()
    with service(arguments.profile) as (port, process):
        for name, connections, found in measures(port, process, arguments.seconds, arguments.rate):
            figures.add("intake", message=name, connections=connections, **found)


if __name__ == "__main__":
    main()
