"""The stream of changes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from console.adapters.live import Live
from tests.support.console import Console, Story, console_on


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_on(tmp_path) as running:
        yield running


@pytest.fixture
async def live(console: Console) -> AsyncIterator[Live]:
    live = Live(console.service.database, poll_seconds=0.05)
    await live.start()
    yield live
    await live.stop()


async def test_a_commit_is_told_once(console: Console, live: Live) -> None:
    stream = live.stream()
    assert await anext(stream) == "retry: 2000\n\n"
    await console.hear(Story(1).told().facts)
    async with asyncio.timeout(10):
        assert (await anext(stream)).startswith("event: changed\ndata: ")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await anext(stream)


async def test_a_stop_ends_the_open_streams(live: Live) -> None:
    async def read() -> list[str]:
        return [part async for part in live.stream()]

    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    await live.stop()
    async with asyncio.timeout(5):
        assert await reading == ["retry: 2000\n\n"]
