"""Each engine of the event log, for the same promises."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from labohub.bus import Bus, connect
from tests.support.bus import opened
from tests.support.servers import KafkaBroker


@pytest.fixture
def topic() -> str:
    """A topic that no other test has."""
    return f"test.{uuid.uuid4().hex}"


@pytest.fixture(params=["embedded", "kafka"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each engine."""
    if request.param == "embedded":
        return f"sqlite:///{tmp_path / 'bus.sqlite'}"
    broker: KafkaBroker = request.getfixturevalue("kafka_broker")
    return f"{broker.url}?partitions=3"


@pytest.fixture
async def bus(url: str, topic: str) -> AsyncIterator[Bus]:
    """An open log with one topic."""
    async with opened(connect(url, topics=[topic])) as bus:
        yield bus
