"""The service with the light operator, on both stores."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from labosim.faults import Faults
from labosim.mss import MssSimulator
from tests.support.mss import Bench, close_bench, open_bench, pki, sender_settings


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def simulator(faults: Faults) -> AsyncIterator[MssSimulator]:
    simulator = MssSimulator(pki=pki(), faults=faults, smtp_port=0, imap_port=0)
    await simulator.start()
    yield simulator
    await simulator.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    return str(request.getfixturevalue("postgres_server").fresh_database())


@pytest.fixture
async def rig(simulator: MssSimulator, store_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    settings = sender_settings(pki(), smtp_port=simulator.smtp_port, imap_port=simulator.imap_port, lease_seconds=30)
    bench = await open_bench(tmp_path, settings, store_url)
    yield bench
    await bench.service.listeners[0].stop()
    await close_bench(bench)
