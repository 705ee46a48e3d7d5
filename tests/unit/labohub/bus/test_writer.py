"""The writing thread of the embedded log."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from labohub.bus.logfile import LogFile
from labohub.bus.port import BusClosed
from labohub.bus.writer import Writer
from labohub.contracts.envelope import Record


class CountingFile(LogFile):
    """Counts its transactions."""

    commits = 0

    def commit(self) -> None:
        super().commit()
        self.commits += 1


@pytest.fixture
async def file(tmp_path: Path) -> CountingFile:
    file = CountingFile(tmp_path / "bus.sqlite")
    file.create()
    return file


@pytest.fixture
async def writer(file: CountingFile) -> AsyncIterator[Writer]:
    writer = Writer(file)
    yield writer
    await writer.close()


async def test_jobs_that_wait_together_share_transactions(writer: Writer, file: CountingFile) -> None:
    record = [Record("k", b"v")]
    sequences = await asyncio.gather(*(writer.submit(lambda f: f.append("t", record, 0)) for _ in range(300)))
    assert sequences == list(range(1, 301))
    assert file.commits < 150


async def test_a_job_that_cannot_be_done_leaves_the_others_alone(writer: Writer) -> None:
    def bad(_: LogFile) -> int:
        raise ValueError("no")

    good = [Record("k", b"v")]
    outcomes = await asyncio.gather(
        writer.submit(lambda f: f.append("t", good, 0)),
        writer.submit(bad),
        writer.submit(lambda f: f.append("t", good, 0)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, int]
    assert len((await writer.submit(lambda f: f.after("t", 0, 10)))[1]) == 2


async def test_a_topic_first_seen_in_a_transaction_that_failed_is_not_remembered(writer: Writer) -> None:
    def half(file: LogFile) -> int:
        file.append("new", [Record("k", b"v")], 0)
        raise sqlite3.OperationalError("disk full")

    with pytest.raises(sqlite3.OperationalError):
        await writer.submit(half)
    await writer.submit(lambda f: f.append("other", [Record("k", b"other")], 0))
    await writer.submit(lambda f: f.append("new", [Record("k", b"new")], 0))
    assert [record.value for record in (await writer.submit(lambda f: f.after("new", 0, 10)))[1]] == [b"new"]


async def test_what_was_submitted_before_the_end_is_written(tmp_path: Path, file: CountingFile) -> None:
    writer = Writer(file)
    jobs = [asyncio.create_task(writer.submit(lambda f: f.append("t", [Record("k", b"v")], 0))) for _ in range(50)]
    await asyncio.sleep(0)
    await writer.close()
    assert await asyncio.gather(*jobs) == list(range(1, 51))
    with pytest.raises(BusClosed):
        await writer.submit(LogFile.heads)


async def test_every_commit_is_synchronised_to_the_disk(writer: Writer) -> None:
    assert await writer.submit(lambda f: f._db.execute("PRAGMA synchronous").fetchone()[0]) == 2, "FULL"
