"""Where the time goes: who holds the interpreter in the embedded hub while it works, seen from outside by py-spy."""

import asyncio
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.bench import load
from tests.bench.engines import Running, embedded
from tests.bench.figures import Figures

REPORTS, SECONDS, RATE = 300, 10, 200
SERVICES = ("ingest_hl7", "ins_qualifier", "cda_builder", "mss_sender", "dmp_feeder", "console")
AREAS = (  # by the innermost frame's file
    ("SQL statements (SQLAlchemy, drivers)", ("sqlalchemy/", "aiosqlite/", "labohub/store/")),
    ("events to and from JSON (pydantic, orjson)", ("pydantic/", "labohub/contracts/")),
    ("HTTP client (httpx, h11, anyio)", ("httpx/", "httpcore/", "h11/", "anyio/", "sniffio/")),
    ("mail (email, aiosmtplib, imaplib)", ("email/", "aiosmtplib/", "imaplib", "zipfile")),
    ("standards (XML, HL7, CDA, XDS, signatures)", ("labohub/standards/", "lxml/", "dmp_feeder/")),
    ("event loop and threads", ("asyncio/", "uvloop", "concurrent/", "threading", "contextlib", "multiprocessing/")),
    ("traces, metrics, logs", ("trace/", "opentelemetry", "attributes/", "prometheus_client/", "logging/", "context/")),
    ("event log (bus)", ("labohub/bus/",)),
)


def run(figures: Figures, _scale: float) -> None:
    """Sample the hub during a flood of reports; one line by area, one by service."""
    sampler = Path(sys.executable).with_name("py-spy")
    if shutil.which(str(sampler)) is None:
        raise SystemExit("py-spy is not installed: pip install py-spy")
    with tempfile.TemporaryDirectory(prefix="labohub-bench-") as name, embedded(Path(name)) as running:
        samples = asyncio.run(_sampled(running, str(sampler), Path(name) / "samples"))
    total = sum(count for _, count in samples)
    figures.add("profile", what="of the time, the interpreter was busy", percent=round(total / SECONDS / RATE * 100))
    for key, by in (("area", _area), ("service", _service)):
        found: Counter[str] = Counter()
        for frames, count in samples:
            found[by(frames)] += count
        for what, count in found.most_common():
            figures.add("profile", by=key, what=what, percent=round(count / total * 100, 1))


async def _sampled(running: Running, sampler: str, output: Path) -> list[tuple[list[str], int]]:
    messages = load.mixed(REPORTS)
    pid = str(running.hub["hub"])
    await load.push(messages[:20], running.mllp, connections=2)
    await running.settled(20, 60)
    command = [
        sampler,
        "record",
        "--gil",
        "-p",
        pid,
        "-d",
        str(SECONDS),
        "-r",
        str(RATE),
        "-f",
        "raw",
        "-o",
        str(output),
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    await load.push(messages[20:], running.mllp, connections=4)
    await process.wait()
    lines = (line.rsplit(" ", 1) for line in output.read_text().splitlines())
    return [(stack.split(";"), int(count)) for stack, count in lines]


def _area(frames: Sequence[str]) -> str:
    last = _file(frames[-1])
    for name, places in AREAS:
        if any(place in last for place in places):
            return name
    return "services' own code and the rest"


def _service(frames: Sequence[str]) -> str:
    for frame in frames:
        place = _file(frame).partition("/")[0]
        if place in SERVICES:
            return place
    return "shared: relays, consumers, statements (SQLAlchemy's greenlets hide whose)"


def _file(frame: str) -> str:
    found = re.search(r"\((.*):\d+\)$", frame)
    return found[1] if found else frame
