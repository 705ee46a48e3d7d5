"""MLLP clients that nobody here wrote, against the whole service on real sockets."""

import asyncio
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from labohub.standards import er7
from labohub.standards.mllp import write_frame
from tests.support.ingest import pid, relay_message, results_message, running

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT.parent / "shared" / "data" / "hl7"
PATIENCE_SECONDS = 120
COMPOSED = {
    "results": results_message("C-1", demand="D1"),
    "latin": results_message("C-2", demand="D2", charset="8859/15"),
    "enhanced": results_message("C-3", demand="D3", modes="NE|AL"),
    "volet": relay_message("C-4"),
    "mdm": relay_message("C-5", kind="MDM", document=None),
    "refused": results_message("C-6", demand="D6", patient=pid("284053306304100")),
    "300 kB": results_message(
        "C-7", demand="D7", extra=["OBX|3|ED|PDF^Compte rendu^99REM||^AP^PDF^Base64^" + "QUJD" * 75_000 + "||||||F"]
    ),
}


def _peers() -> Any:
    spec = importlib.util.spec_from_file_location("peers", ROOT / "deploy" / "test-peers" / "peers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.fetch()
    return module


def published() -> dict[str, bytes]:
    """Return the published samples that a client can send: their segments end with CR and they ask for one answer."""
    found = {}
    for path in sorted(SHARED.glob("*/*.hl7")):
        raw = path.read_bytes()
        header = er7.read_header(raw)
        if header is None or b"\n" in raw or er7.split_batch(raw) is not None:
            continue
        if header.component(9, 1) in ("ORU", "OUL", "OML") and not header.field(15):
            found[path.stem] = raw
    return found


def files(folder: Path) -> list[Path]:
    """Return the messages as files."""
    folder.mkdir()
    for name, raw in {**COMPOSED, **published()}.items():
        (folder / name).write_bytes(raw)
    return sorted(folder.iterdir())


async def lines_of(command: list[str]) -> list[list[str]]:
    """Return what a command prints, in fields."""
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [line.split("\t") for line in done.stdout.splitlines()]


async def test_the_client_of_hapi_gets_the_acknowledgement_of_each_message(tmp_path: Path) -> None:
    sent = files(tmp_path / "sent")
    async with running(tmp_path / "hub") as hub:
        answers = await lines_of(_peers().command("HapiSender", "127.0.0.1", hub.port, *sent))
        rows = await hub.rows("messages")
    assert [answered[1] for answered in answers] == [answered[2] for answered in answers]
    letters = {path.name: answered[0] for path, answered in zip(sent, answers, strict=True)}
    assert {name: letters[name] for name in COMPOSED} == {
        name: "AE" if name == "refused" else "AA" for name in COMPOSED
    }
    assert set(letters.values()) <= {"AA", "AE", "AR"}
    assert len(rows) == len(sent)


async def test_the_client_of_camel_gets_the_acknowledgement_of_each_message(tmp_path: Path) -> None:
    sent = files(tmp_path / "sent")
    async with running(tmp_path / "hub") as hub:
        answers = await lines_of(_peers().command("CamelSender", "127.0.0.1", hub.port, *sent))
        rows = await hub.rows("messages")
    outcomes = {path.name: answered for path, answered in zip(sent, answers, strict=True)}
    assert {name: outcomes[name] for name in COMPOSED if name != "refused"} == {
        name: ["AA", ""] for name in COMPOSED if name != "refused"
    }
    assert outcomes["refused"] == ["AE", "MllpApplicationErrorAcknowledgementException"]
    assert len(rows) == len(sent)


async def test_the_command_of_python_hl7_gets_its_acknowledgements(tmp_path: Path) -> None:
    stream = tmp_path / "messages.hl7"
    stream.write_bytes(b"".join(write_frame(raw) for raw in COMPOSED.values()))
    command = [str(Path(sys.executable).parent / "mllp_send"), "--file", str(stream), "--port"]
    async with running(tmp_path / "hub") as hub:
        done = await asyncio.to_thread(
            subprocess.run, [*command, str(hub.port), "127.0.0.1"], capture_output=True, timeout=60, check=True
        )
    assert done.stdout.count(b"MSA|AA|") == len(COMPOSED) - 1
    assert done.stdout.count(b"MSA|AE|") == 1


@pytest.fixture(autouse=True)
def _artifacts() -> None:
    _peers()
