"""The command line against a listening SGL (any MLLP peer that answers) and a console."""

import asyncio
import io
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from rich.console import Console as Terminal
from typer.testing import CliRunner

from embedded.cli import app, reports
from embedded.cli.api import Api, ApiRefused, ApiUnavailable
from embedded.cli.doctor import certificate
from labosim.faults import Faults
from labosim.pki import Pki
from labosim.sgl import SglSimulator
from tests.support.console import Console, Story, console_on

ZAM = (
    "MSH|^~\\&|PFI|HUB|SGL|LBM|20260312101640||ZAM^Z01^ZAM_Z01|N-{number}|P|2.6|||||FRA|UNICODE UTF-8"
    "|||2.1^CISIS_CDA_HL7_V2\n"
    "EVN||20260312101639\n"
    "OBX|1|CWE|ACK_RECEPTION_DMP^Accusé^AckMetierZAM|SGL-1|Y^^expandedYes-NoIndicator||||||F\n"
)


async def run(*arguments: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, app, list(arguments))
    return result.exit_code, result.output


async def test_send_prints_each_acknowledgement_and_exits_0_when_all_are_positive(tmp_path: Path) -> None:
    file = tmp_path / "two.hl7"
    file.write_text(ZAM.format(number=1) + ZAM.format(number=2))
    sgl = SglSimulator(host="127.0.0.1", port=0, pki=Pki(tmp_path), faults=Faults())
    await sgl.start()
    code, output = await run("send", str(file), "--port", str(sgl.port), "--repeat", "2", "--fresh")
    await sgl.stop()

    assert code == 0
    assert [line.split()[:2] for line in output.splitlines()[:4]] == [
        ["AA", "N-1"], ["AA", "N-2"], ["AA", "N-1-1"], ["AA", "N-2-1"]
    ]  # fmt: skip
    assert output.splitlines()[4].startswith("4 accepted, 0 refused")


async def test_send_exits_1_when_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.hl7"
    file.write_text(ZAM.format(number=1).replace("EVN||20260312101639\n", ""))
    sgl = SglSimulator(host="127.0.0.1", port=0, pki=Pki(tmp_path), faults=Faults())
    await sgl.start()
    code, output = await run("send", str(file), "--port", str(sgl.port))
    await sgl.stop()

    assert code == 1
    assert "AE N-1 ERR 100 OBX^1" in output


async def test_send_says_when_nobody_answers(tmp_path: Path, unused_tcp_port_number: int) -> None:
    file = tmp_path / "one.hl7"
    file.write_text(ZAM.format(number=1))
    code, output = await run("send", str(file), "--port", str(unused_tcp_port_number), "--patience", "0.1")
    assert (code, "send.not-acknowledged" in output) == (1, True)


async def test_send_refuses_a_file_without_message(tmp_path: Path) -> None:
    file = tmp_path / "none.hl7"
    file.write_text("PID|1\n")
    code, output = await run("send", str(file))
    assert (code, "send.no-message: none.hl7" in output) == (2, True)


@pytest.fixture
def unused_tcp_port_number() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answers(console: Console, *paths: str) -> list[dict[str, object]]:
    async with console.client() as http:
        return [(await http.get(f"/api/v1{path}")).json() for path in paths]


async def test_a_report_is_printed_with_its_way_and_its_destinations(tmp_path: Path) -> None:
    story = Story().told()
    async with console_on(tmp_path) as console:
        await console.hear(story.facts)
        found, steps = await answers(console, "/reports/last", f"/reports/{story.report_id}/timeline")
    terminal = Terminal(record=True, width=140, file=io.StringIO())
    reports.show(terminal, found, steps)  # type: ignore[arg-type]
    text = terminal.export_text()

    positions = [
        text.index(word) for word in ("report.received", "identity.qualified", "document.built", "dmp.accepted")
    ]
    assert positions == sorted(positions)
    assert "alix.martin@medecin.mssante.fr MARTIN Alix" in text
    assert "D••• M. 1954" in text


def test_an_api_that_is_not_there_is_unavailable_and_a_refusal_keeps_its_code() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/reports"):
            raise httpx.ConnectError("no")
        return httpx.Response(404, json={"code": "console.report-unknown"})

    api = Api("http://hub", httpx.MockTransport(answer))
    with pytest.raises(ApiUnavailable):
        api.get("/reports")
    with pytest.raises(ApiRefused, match=r"console\.report-unknown"):
        api.get("/reports/x")


def test_the_doctor_reads_how_long_a_certificate_is_good(tmp_path: Path) -> None:
    pki = Pki.create(tmp_path / "pki")
    now = datetime.now(UTC)
    path = pki.cert("labo-auth")

    assert certificate("A", path, now - timedelta(days=10)).level == "ok"
    assert certificate("A", path, now + timedelta(days=10)).level == "warning"
    assert certificate("A", path, now + timedelta(days=40)).level == "error"
    assert certificate("A", tmp_path / "none.pem", now).level == "error"
