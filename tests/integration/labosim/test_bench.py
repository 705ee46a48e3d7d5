"""The whole test bench on free ports, through its control API."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from labosim.bench import Simulators
from labosim.settings import SimulatorSettings

FREE = dict.fromkeys(("control_port", "insi_port", "dmp_port", "smtp_port", "imap_port", "sgl_port"), 0)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Simulators]:
    running = await Simulators.start(SimulatorSettings(folder=tmp_path, **FREE))
    yield running
    await running.stop()


@pytest.fixture
async def control(bench: Simulators) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.control.port}") as client:
        yield client


@pytest.mark.parametrize("path", ["/sim/insi/calls", "/sim/dmp/submissions", "/sim/mss/mails", "/sim/sgl/messages"])
async def test_a_fresh_bench_has_received_nothing(control: httpx.AsyncClient, path: str) -> None:
    answer = await control.get(path)
    assert (answer.status_code, answer.json()) == (200, [])


async def test_a_fault_is_put_in_force_and_ended_by_reset(bench: Simulators, control: httpx.AsyncClient) -> None:
    order = {"service": "dmp", "kind": "outage", "rate": 1, "seconds": 60}
    assert (await control.post("/sim/faults", json=order)).status_code == 201
    fault = bench.faults.active("dmp")
    assert fault is not None
    assert fault.kind == "outage"
    assert bench.faults.active("insi") is None

    assert (await control.post("/sim/reset")).status_code == 204
    assert bench.faults.active("dmp") is None


@pytest.mark.parametrize(
    "order", [{"service": "bank", "kind": "outage"}, {"service": "dmp", "kind": "slow", "rate": 2}, {"service": "dmp"}]
)
async def test_an_order_that_makes_no_sense_is_refused(control: httpx.AsyncClient, order: dict[str, object]) -> None:
    assert (await control.post("/sim/faults", json=order)).status_code == 422
