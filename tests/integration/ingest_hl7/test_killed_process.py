"""The service as a process: killed without warning while it takes files, started again; its senders read at SIGHUP."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from labohub.standards.mllp import write_frame
from tests.support.hub import until
from tests.support.ingest import msa, results_message
from tests.support.ports import free_ports

FILES = 40
PROGRAM = "from ingest_hl7.main import main; main()"


@asynccontextmanager
async def process(folder: Path, http: int, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "LABOHUB_DATA_DIR": str(folder / "data"),
        "LABOHUB_HTTP_PORT": str(http),
        "INGEST_HL7_MLLP_PORT": "-1",
        "INGEST_HL7_DROP_FOLDER": str(folder / "drop"),
        "INGEST_HL7_DROP_QUIET_SECONDS": "0",
        "INGEST_HL7_DROP_POLL_SECONDS": "0.05",
        **settings,
    }
    quiet = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(sys.executable, "-c", PROGRAM, env=environment, stdout=quiet)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.wait()


def ask(http: int, path: str) -> Any:
    """Return what the process says; None while it does not answer."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{http}{path}", trust_env=False)
    except httpx.HTTPError:
        return None
    return answer.json() if answer.status_code == 200 else None


@pytest.mark.timeout(180)
async def test_a_service_killed_while_it_takes_files_loses_none_and_takes_none_twice(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    for number in range(FILES):
        frames = [results_message(f"K{number}-{rank}", demand=f"K{number}-{rank}") for rank in range(2)]
        partial = drop / f"{number:03d}.tmp"
        partial.write_bytes(b"".join(map(write_frame, frames)))
        os.utime(partial, (1_700_000_000 + number,) * 2)
        partial.rename(drop / f"{number:03d}.hl7")
    [http] = free_ports(1)
    done = drop / "done"

    def taken() -> int:
        return len(list(done.glob("*.hl7"))) if done.exists() else 0

    async def reached(least: int) -> None:
        await asyncio.to_thread(until, lambda: taken() >= least, 60, "files taken")

    for share in (3, FILES // 2):
        async with process(tmp_path, http) as running:
            await reached(share)
            running.send_signal(signal.SIGKILL)
            await running.wait()
        assert taken() < FILES
    async with process(tmp_path, http):
        await reached(FILES)
        page = await asyncio.to_thread(ask, http, "/api/v1/messages?limit=500")
    assert sorted(item["control_id"] for item in page["items"]) == sorted(
        f"K{number}-{rank}" for number in range(FILES) for rank in range(2)
    )
    assert {item["acknowledgement"] for item in page["items"]} == {"AA"}
    for number in range(FILES):
        answers = (drop / f"acks/{number:03d}.hl7.ack").read_bytes().split(b"\x1c\r")[:-1]
        assert [msa(each[1:]) for each in answers] == [("AA", f"K{number}-{rank}") for rank in range(2)]


@pytest.mark.timeout(120)
async def test_senders_are_read_again_at_sighup(tmp_path: Path) -> None:
    place = tmp_path / "senders.toml"
    place.write_text('[[sender]]\napplication = "A"\n')
    [http] = free_ports(1)
    settings = {
        "INGEST_HL7_SENDERS": str(place),
        "INGEST_HL7_UNKNOWN_SENDER": "refuse",
        "INGEST_HL7_SENDERS_CHECK_SECONDS": "3600",
    }
    async with process(tmp_path, http, **settings) as running:
        await asyncio.to_thread(until, lambda: ask(http, "/readyz"), 60, "ready")
        place.write_text('[[sender]]\napplication = "A"\n[[sender]]\napplication = "B"\n')
        running.send_signal(signal.SIGHUP)
        await asyncio.to_thread(until, lambda: ask(http, "/api/v1/senders")["count"] == 2, 20, "both senders")
        place.write_text("[[sender")
        running.send_signal(signal.SIGHUP)
        fault = await asyncio.to_thread(
            until, lambda: ask(http, "/readyz")["facts"]["ingest-hl7"].get("fault"), 20, "the fault is told"
        )
        assert "senders.toml" in fault
        assert ask(http, "/api/v1/senders")["count"] == 2
