"""Durable acknowledgements per second: bytes in, AA out, on 1 and 16 MLLP connections.

Run: `python tests/bench/bench_intake.py [--seconds 5] [--profile FILE]`. The real service runs in a process of its own,
with its SQLite store and files fully synchronous; this one only sends. One JSON line per measure.
"""

import argparse
import asyncio
import functools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from labohub.standards.mllp import FrameReader, write_frame  # noqa: E402
from tests.support.ingest import cda, relay_message, results_message  # noqa: E402
from tests.support.ports import free_ports  # noqa: E402


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


async def connection(port: int, make, worker: int, until: float, waits: list[float]) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    frames, done = FrameReader(), 0
    while time.perf_counter() < until:
        message = make(f"{worker}-{int(until * 10) % 100000}{done:06d}")
        started = time.perf_counter()
        writer.write(write_frame(message))
        answers: list[bytes] = []
        while not answers:
            data = await reader.read(65536)
            if not data:
                raise ConnectionResetError
            answers = frames.feed(data)
        waits.append(time.perf_counter() - started)
        if b"\rMSA|AA|" not in answers[0]:
            raise SystemExit(f"not accepted: {answers[0]!r}")
        done += 1
    writer.close()
    return done


async def measure(port: int, make, connections: int, seconds: float, process: psutil.Process) -> dict[str, object]:
    waits: list[float] = []
    before, started = process.cpu_times(), time.perf_counter()
    until = started + seconds
    counts = await asyncio.gather(*(connection(port, make, worker, until, waits) for worker in range(connections)))
    elapsed, after = time.perf_counter() - started, process.cpu_times()
    done = sum(counts)
    waits.sort()
    cpu = after.user + after.system - before.user - before.system
    return {
        "acks_per_second": round(done / elapsed, 1),
        "messages": done,
        "p50_ms": round(waits[len(waits) // 2] * 1e3, 2),
        "p95_ms": round(waits[int(len(waits) * 0.95)] * 1e3, 2),
        "p99_ms": round(waits[int(len(waits) * 0.99)] * 1e3, 2),
        "service_cpu_ms_per_message": round(cpu / done * 1e3, 3),
        "service_rss_mb": round(process.memory_info().rss / 1e6, 1),
    }


def start(folder: str, port: int, http_port: int, profile: str) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "LABOHUB_DATA_DIR": folder,
        "LABOHUB_HTTP_PORT": str(http_port),
        "LABOHUB_LOG_LEVEL": "WARNING",
        "INGEST_HL7_MLLP_PORT": str(port),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--profile", default="")
    arguments = parser.parse_args()
    port, http_port = free_ports(2)
    with tempfile.TemporaryDirectory() as folder:
        process = start(folder, port, http_port, arguments.profile)
        try:
            seen = psutil.Process(process.pid)
            for name, make, connections in MEASURES:
                size = len(make("0-1"))
                figures = asyncio.run(measure(port, make, connections, arguments.seconds, seen))
                line = {
                    "bench": "intake",
                    "message": name,
                    "bytes": size,
                    "connections": connections,
                    **figures,
                    "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
                    "date": datetime.now(UTC).date().isoformat(),
                }
                print(json.dumps(line), flush=True)
        finally:
            process.terminate()
            process.wait(30)


if __name__ == "__main__":
    main()
