"""The demo: everything on loopback, a laboratory's sample day, the way of one report."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

import httpx
from rich.console import Console
from rich.progress import Progress

from embedded import processes, wiring
from embedded.cli.api import Api
from embedded.cli.reports import show
from labohub.errors import Unavailable
from labosim.day import DayMessage, day_messages
from labosim.sgl.sender import Ack, Sender

FOLDER = Path("var/demo")
SETTLE_SECONDS = 120.0
LOOK_SECONDS = 0.2


def play(count: int, seed: int, *, leave: bool) -> int:
    """Play the day and show a report. Return 0 when all went as the day's script says; serve first unless `leave`."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    shutil.rmtree(FOLDER, ignore_errors=True)
    ports = wiring.Ports()
    environment = {**wiring.environment(FOLDER / "pki", ports), "LABOHUB_DATA_DIR": str(FOLDER / "data")}
    wiring.apply(environment)
    http = os.environ.get("LABOHUB_HTTP_PORT", "8080")
    mllp = int(os.environ.get("INGEST_HL7_MLLP_PORT", "2575"))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with processes.simulators(FOLDER, ports) as bench, processes.hub(FOLDER, environment) as hub:
            console.print(f"{bench.ready_line}\n{hub.ready_line}\n")
            api = Api(f"http://127.0.0.1:{http}")
            messages = list(day_messages(seed, count))
            acks = asyncio.run(_send(messages, mllp, console))
            complaints = _wait(api, messages, acks)
            _tell(console, api, messages, acks, f"http://127.0.0.1:{ports.control}")
            for complaint in complaints:
                console.print(f"✘ {complaint}", style="red")
            if not leave:
                console.print(f"\nConsole: http://127.0.0.1:{http}   Ctrl-C stops.", style="bold")
                while hub.alive() and bench.alive():
                    time.sleep(0.5)
            return 1 if complaints else 0
    except KeyboardInterrupt:
        return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


async def _send(messages: list[DayMessage], port: int, console: Console) -> dict[str, Ack]:
    acks: dict[str, Ack] = {}
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("The laboratory's day", total=len(messages))
        async with Sender("127.0.0.1", port) as sender:
            for message in messages:
                acks[message.control_id] = await sender.send(message.er7)
                progress.advance(task)
    return acks


def _wait(api: Api, messages: list[DayMessage], acks: dict[str, Ack]) -> list[str]:
    """Wait until every accepted message is settled. Return what did not go as the script says."""
    complaints = [
        f"{message.control_id}: {acks[message.control_id].code}, the script says {'a refusal' if refused else 'AA'}"
        for message in messages
        if acks[message.control_id].is_positive == (refused := message.story == "refused")
    ]
    accepted = sum(1 for ack in acks.values() if ack.is_positive)
    end = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < end:
        try:
            count = api.get("/reconciliation")
        except Unavailable:
            time.sleep(LOOK_SECONDS)
            continue
        if count["accepted"] >= accepted and not count["open"]:
            return complaints
        time.sleep(LOOK_SECONDS)
    return [*complaints, f"after {SETTLE_SECONDS:.0f} s some messages have no terminal state"]


def _tell(console: Console, api: Api, messages: list[DayMessage], acks: dict[str, Ack], control: str) -> None:
    codes = Counter(ack.code for ack in acks.values())
    states = api.get("/reconciliation")["settled"]
    console.print(f"{len(messages)} messages: {_counts(codes)}")
    console.print(f"terminal states: {_counts(states)}")
    with httpx.Client(base_url=control, timeout=10) as bench:
        got = {name: len(bench.get(f"/sim/{path}").json()) for name, path in _RECEIVED.items()}
    console.print(f"received outside: {_counts(got)}\n")
    told = next(message for message in messages if message.path == "relay" and message.story == "ordinary")
    found = api.get("/reports", q=told.control_id, limit=1)["items"][0]
    show(console, api.get(f"/reports/{found['report_id']}"), api.get(f"/reports/{found['report_id']}/timeline"))


_RECEIVED = {"mails": "mss/mails", "DMP submissions": "dmp/submissions", "answers to the SGL": "sgl/messages"}


def _counts(values: "dict[str, int] | Counter[str]") -> str:
    return ", ".join(f"{count} {name}" for name, count in values.items()) or "none"
