"""The intake as a process of its own, honest senders who measure, and what hostile peers do to its sockets."""

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from labohub.standards.mllp import FrameReader, write_frame
from labosim.pki import Pki
from tests.support.ingest import msa, results_message
from tests.support.ports import free_ports
from tests.support.processes import spawn

START_SECONDS = 60.0
HONEST_ADDRESS = "127.0.0.2"  # hostile peers come from 127.0.0.1
ACK_SECONDS = 20.0


@dataclass
class Target:
    """The running service."""

    process: psutil.Process
    port: int
    tls_port: int
    http_port: int
    pki: Pki

    @property
    def rss_mb(self) -> float:
        """Return the resident memory of the service."""
        return float(self.process.memory_info().rss) / 1e6

    async def connections(self) -> list[dict[str, Any]]:
        """Return the wire view."""
        async with httpx.AsyncClient(timeout=30) as client:
            answer = await client.get(f"http://127.0.0.1:{self.http_port}/api/v1/connections")
        return list(answer.json()["connections"])

    async def closed_for(self, reason: str, count: int = 1) -> list[dict[str, Any]]:
        """Return the connections that ended for a reason, once there are `count` of them."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                found = [line for line in await self.connections() if line["close_reason"] == reason]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.05)

    def client_context(self) -> ssl.SSLContext:
        """Return the TLS of a sender with a known certificate."""
        context = ssl.create_default_context(cafile=str(self.pki.ca_pem))
        context.load_cert_chain(self.pki.cert("sgl-client"), self.pki.key("sgl-client"))
        return context


@contextmanager
def target(folder: Path, **settings: Any) -> Iterator[Target]:
    """Run ingest-hl7 alone, as `ingest-hl7` would."""
    pki = Pki.create(folder / "pki")
    port, tls_port, http_port = free_ports(3)
    environment = {
        "LABOHUB_DATA_DIR": folder / "data",
        "LABOHUB_HTTP_PORT": http_port,
        "LABOHUB_LOG_LEVEL": "WARNING",
        "INGEST_HL7_MLLP_PORT": port,
        "INGEST_HL7_MLLP_TLS_PORT": tls_port,
        "INGEST_HL7_MLLP_HOST": "0.0.0.0",
        "INGEST_HL7_TLS_CERTIFICATE": pki.cert("hub-server"),
        "INGEST_HL7_TLS_KEY": pki.key("hub-server"),
        "INGEST_HL7_TLS_CLIENT_CA": pki.ca_pem,
        **{f"INGEST_HL7_{name.upper()}": value for name, value in settings.items()},
    }
    given = [f"{name}={value}" for name, value in environment.items()]
    command = ["/usr/bin/env", *given, sys.executable, "-c", "from ingest_hl7.main import main; main()"]
    log = folder / "ingest.log"
    process = spawn(command, log, folder)
    try:
        _wait_until_ready(process, log)
        yield Target(psutil.Process(process.pid), port, tls_port, http_port, pki)
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not (log.exists() and b"ready" in log.read_bytes()):
        assert process.poll() is None, log.read_text()[-2000:]
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.05)


@dataclass
class Honest:
    """Senders who go on while others attack: how long each waited for its AA, and what it cost the service."""

    waits: list[float] = field(default_factory=list)
    peak_rss_mb: float = 0.0


async def _sender(name: str, target_: Target, secure: bool, seen: Honest, is_over: asyncio.Event, least: int) -> None:
    tls: dict[str, Any] = {"ssl": target_.client_context(), "server_hostname": "localhost"} if secure else {}
    port = target_.tls_port if secure else target_.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(HONEST_ADDRESS, 0), **tls)
    try:
        await _go_on(name, target_, seen, is_over, least, reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def _go_on(
    name: str, target_: Target, seen: Honest, is_over: asyncio.Event, least: int,
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
) -> None:  # fmt: skip
    frames, number = FrameReader(), 0
    while number < least or not is_over.is_set():
        control_id = f"{name}-{number}"
        started = time.monotonic()
        writer.write(write_frame(results_message(control_id, demand=f"D{control_id}")))
        answers: list[bytes] = []
        while not answers:
            data = await asyncio.wait_for(reader.read(65536), ACK_SECONDS)
            assert data, "an honest sender was cut"
            answers = frames.feed(data)
        assert msa(answers[0]) == ("AA", control_id)
        seen.waits.append(time.monotonic() - started)
        seen.peak_rss_mb = max(seen.peak_rss_mb, target_.rss_mb)
        number += 1


async def under_attack(target_: Target, attack: Callable[[], Awaitable[None]], least: int = 10) -> Honest:
    """Return what three honest senders met while an attack went on, one of them over TLS."""
    seen, is_over = Honest(), asyncio.Event()
    mark = f"{os.getpid()}-{time.monotonic_ns()}"

    async def attacked() -> None:
        try:
            await attack()
        finally:
            is_over.set()

    async with asyncio.TaskGroup() as group:
        group.create_task(attacked())
        for rank in range(3):
            group.create_task(_sender(f"H{rank}-{mark}", target_, rank == 2, seen, is_over, least))
    return seen


@asynccontextmanager
async def attacker(port: int, **options: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection that may be cut at any time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def pour(port: int, piece: bytes, total_bytes: int, first: bytes = b"") -> int:
    """Send bytes until the other side has had enough; return how many it took."""
    sent = 0
    async with attacker(port) as (_, writer):
        with suppress(ConnectionError):
            writer.write(first)
            while sent < total_bytes:
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
    return sent
