"""dmp-feeder on the runtime, from the log to the DMP and back to the log, on both stores."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dmp_feeder.main import build
from labohub.contracts.codec import from_record, to_record
from labohub.contracts.events import SubmissionAccepted
from labohub.contracts.topics import DOCUMENT, SUBMISSION
from labohub.runtime.run import Hub, open_platform
from labohub.runtime.settings import LabohubSettings
from labosim.dmp import DmpSimulator
from labosim.faults import Faults
from labosim.pki import Pki
from tests.support.dmp import cda
from tests.support.dmp_service import built, settings
from tests.support.postgres import PostgresServer


@pytest.fixture(params=["sqlite", "postgresql"])
def hub_settings(request: pytest.FixtureRequest, tmp_path: Path) -> LabohubSettings:
    if request.param == "sqlite":
        return LabohubSettings(data_dir=tmp_path, http_port=0)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return LabohubSettings(data_dir=tmp_path, http_port=0, store_url=server.fresh_database())


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[DmpSimulator]:
    made = DmpSimulator(host="127.0.0.1", port=0, pki=Pki.create(tmp_path / "pki"), faults=Faults())
    await made.start()
    yield made
    await made.stop()


async def test_documents_on_the_log_are_filed_in_order_and_told(
    hub_settings: LabohubSettings, simulator: DmpSimulator, tmp_path: Path
) -> None:
    platform = await open_platform(hub_settings)
    hub = Hub([build(settings(simulator, Pki(tmp_path / "pki")), platform)], platform)
    await hub.start()
    try:
        first, second = "2.25.51", "2.25.52"
        contents = [cda(unique_id=first), cda(unique_id=second, replaces=first, version=2), cda(unique_id="2.25.53")]
        for number, content in enumerate(contents):
            blob = await platform.blobs.put(content, "text/xml")
            event = built(content, blob, "r1" if number < 2 else "r2", f"m{number}")
            await platform.bus.publish(DOCUMENT, [to_record(event)])
        facts = await _facts(platform, 3)
    finally:
        await hub.stop()
        await platform.bus.close()
        await platform.blobs.close()
    assert {(fact.message_id, fact.operation) for fact in facts if isinstance(fact, SubmissionAccepted)} == {
        ("m0", "TD2.1"),
        ("m1", "RPLC"),
        ("m2", "TD2.1"),
    }
    assert len(simulator.registry.submissions) == 3


async def _facts(platform, count: int):  # type: ignore[no-untyped-def]
    facts: list[object] = []
    async with asyncio.timeout(30):
        async for batch in platform.bus.read(SUBMISSION, "test", max_records=10):
            facts += [from_record(record) for record in batch.records]
            await batch.done()
            if len(facts) >= count:
                return facts
    return facts
