"""The examples work as they are, on a running hub."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from embedded.processes import Process
from tests.support.hub import Installation, until
from tests.support.ports import free_ports

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("examples")) as running:
        yield running


def run(name: str, *arguments: str) -> str:
    """Return what an example prints, having ended well."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_report_is_sent_then_its_end_is_read_and_counted(installation: Installation, tmp_path: Path) -> None:
    assert "AA" in run("send_a_report.py", "127.0.0.1", str(installation.mllp))
    bus = f"sqlite:///{installation.folder / 'data' / 'bus.sqlite'}"
    assert "message.settled" in run("read_events.py", bus, "1")

    (port,) = free_ports()
    environment = {"LABOHUB_BUS_URL": bus, "LABOHUB_DATA_DIR": str(tmp_path), "LABOHUB_HTTP_PORT": str(port)}
    command = [sys.executable, str(EXAMPLES / "add_a_consumer.py")]
    with Process("tally", command, environment, tmp_path / "tally.log"):
        handled = 'labohub_events_handled_total{event="MessageSettled",service="tally"} 1.0'
        until(lambda: handled in httpx.get(f"http://127.0.0.1:{port}/metrics").text, 20, "one event handled")
