"""What the command starts beside itself ends with it, even when it is killed."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.wiring import Ports
from tests.support.hub import until
from tests.support.ports import free_ports

pytestmark = pytest.mark.slow


def accepts(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def free_shift() -> int:
    """Return a shift for which all the simulators' ports are free."""
    for shift in range(20_000, 30_000, 137):
        ports = Ports.shifted(shift)
        if not any(map(accepts, (ports.control, ports.insi, ports.dmp, ports.smtp, ports.imap, ports.sgl))):
            return shift
    raise AssertionError("no free ports")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_simulators_end_with_the_hub_however_it_ends(tmp_path: Path, end: signal.Signals) -> None:
    shift = free_shift()
    http, mllp = free_ports(2)
    environment = {**os.environ, "LABOHUB_HTTP_PORT": str(http), "INGEST_HL7_MLLP_PORT": str(mllp)}
    command = [sys.executable, "-m", "embedded", "up", "--simulators", "--services", "ingest-hl7"]
    command += ["--shift", str(shift), "--data", str(tmp_path / "data")]
    with (tmp_path / "hub.log").open("wb") as log:
        hub = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert hub.stdout is not None
        assert any(line.startswith("labohub ready") for line in hub.stdout), (tmp_path / "hub.log").read_text()
        assert accepts(Ports.shifted(shift).control)

        hub.send_signal(end)

        until(lambda: not accepts(Ports.shifted(shift).control), 20, "the simulators' end")
        assert hub.wait(20) == (0 if end == signal.SIGTERM else -end)
    finally:
        hub.kill()
        hub.wait()
        assert hub.stdout is not None
        hub.stdout.close()
