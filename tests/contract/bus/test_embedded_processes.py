"""The embedded log shared by processes, killed, locked, pruned."""

import asyncio
import signal
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labohub.bus import BusUnavailable, connect, logfile
from labohub.bus.embedded import EmbeddedBus, LogFileUnusable
from labohub.contracts.envelope import Record
from tests.support.bus import PATIENCE_SECONDS, numbered, numbers, opened, reading, take

TOPIC = "test.report.v1"

PUBLISHER = """
import asyncio, sys
from labohub.bus import connect
from labohub.contracts.envelope import Record

async def main(path):
    bus = connect(f"sqlite:///{path}", topics=[])
    await bus.open()
    number = 0
    while True:
        await bus.publish("test.report.v1", [Record("report-1", b"%d" % number)])
        print(number, flush=True)
        number += 1

asyncio.run(main(sys.argv[1]))
"""

HOLDER = """
import asyncio, os, sys
from labohub.bus import connect

async def main(path):
    bus = connect(f"sqlite:///{path}", topics=[])
    await bus.open()
    async for batch in bus.read("test.report.v1", "readers", max_records=1):
        child = os.fork()  # as a pool of processes does
        if child == 0:
            os.write(1, b"%d\\n" % os.getpid())
            os.read(0, 1)
            os._exit(0)
        await asyncio.sleep(3600)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "bus.sqlite"


@pytest.fixture
async def bus(path: Path) -> AsyncIterator[EmbeddedBus]:
    bus = EmbeddedBus(path)
    async with opened(bus):
        yield bus


async def started(script: str, path: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(path), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )


async def line(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        return int(await process.stdout.readline())


async def test_what_another_process_publishes_is_read_and_what_it_was_told_is_durable_survives_its_death(
    bus: EmbeddedBus, path: Path
) -> None:
    publisher = await started(PUBLISHER, path)
    while (acknowledged := await line(publisher)) < 200:
        pass
    publisher.send_signal(signal.SIGKILL)
    rest, _ = await publisher.communicate()
    acknowledged = max([acknowledged, *map(int, rest.split(b"\n")[:-1])])
    found = numbers(await take(bus, TOPIC, acknowledged + 1))
    assert found[: acknowledged + 1] == list(range(acknowledged + 1))


async def test_a_reader_that_waits_sees_another_process_within_half_a_second(bus: EmbeddedBus, path: Path) -> None:
    async with reading(bus, TOPIC) as reader, opened(EmbeddedBus(path)) as other:
        waiting = asyncio.create_task(reader.take(1))
        await asyncio.sleep(0)
        await other.publish(TOPIC, numbered(1))
        async with asyncio.timeout(0.5):
            assert numbers(await waiting) == [0]


async def test_two_processes_publish_at_the_same_time_and_nothing_is_lost(bus: EmbeddedBus, path: Path) -> None:
    async with opened(EmbeddedBus(path)) as other:

        async def publish(log: EmbeddedBus, key: str) -> None:
            for start in range(100):
                await log.publish(TOPIC, numbered(1, key=key, start=start))

        await asyncio.gather(publish(bus, "a"), publish(other, "b"))  # type: ignore[arg-type]
        found = await take(bus, TOPIC, 200)
    for key in ("a", "b"):
        assert [int(record.value) for record in found if record.key == key] == list(range(100))


async def test_a_killed_reader_gives_its_group_back_even_when_a_child_of_it_lives_on(
    bus: EmbeddedBus, path: Path
) -> None:
    await bus.publish(TOPIC, numbered(3))
    holder = await started(HOLDER, path)
    child = await line(holder)  # it holds the group, and its child runs
    async with reading(bus, TOPIC) as reader:
        waiting = asyncio.create_task(reader.next())
        await asyncio.wait([waiting], timeout=0.6)
        assert not waiting.done()
        holder.send_signal(signal.SIGKILL)
        assert Path(f"/proc/{child}").exists()
        assert numbers((await waiting).records) == [0, 1, 2]
    await holder.communicate(b"x")  # ends the child


async def test_the_loop_goes_on_while_another_process_holds_the_file(bus: EmbeddedBus, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    publishing = asyncio.create_task(bus.publish(TOPIC, numbered(1)))
    longest, before = 0.0, asyncio.get_running_loop().time()
    for _ in range(100):
        await asyncio.sleep(0.002)
        now = asyncio.get_running_loop().time()
        longest, before = max(longest, now - before), now
    assert not publishing.done()
    other.execute("ROLLBACK")
    other.close()
    await publishing
    assert longest < 0.1


async def test_a_file_held_too_long_is_unavailable_and_nothing_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "BUSY_SECONDS", 0.05)
    async with opened(EmbeddedBus(path)) as bus:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusUnavailable):
            await bus.publish(TOPIC, numbered(1))
        other.execute("ROLLBACK")
        other.close()
        await bus.publish(TOPIC, numbered(1, start=1))
        assert numbers(await take(bus, TOPIC, 1)) == [1]


async def test_a_full_disk_is_unavailable_and_the_log_goes_on_when_there_is_room(bus: EmbeddedBus) -> None:
    await bus.write(lambda file: file._db.execute("PRAGMA max_page_count = 40").fetchone())
    with pytest.raises(BusUnavailable):
        await bus.publish(TOPIC, [Record("report-1", b"x" * 900_000)])
    await bus.write(lambda file: file._db.execute("PRAGMA max_page_count = 100000").fetchone())
    await bus.publish(TOPIC, numbered(1))
    assert numbers(await take(bus, TOPIC, 1)) == [0]


async def test_retention_erases_what_is_old_and_done_by_every_group(path: Path) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    bus = EmbeddedBus(path, retention=timedelta(days=30), clock=lambda: now)
    async with opened(bus):
        await bus.publish(TOPIC, numbered(10))
        await bus.publish("test.unread.v1", numbered(1))
        await take(bus, TOPIC, 10, group="fast")
        async with reading(bus, TOPIC, "slow", max_records=4) as slow:
            await (await slow.next()).done()
        assert await bus.prune() == 0, "nothing is old yet"
        now += timedelta(days=31)
        await bus.publish(TOPIC, numbered(2, start=10))
        assert await bus.prune() == 4, "the slow group has not done the others"
        assert numbers(await take(bus, TOPIC, 8, group="slow")) == list(range(4, 12))
        await take(bus, TOPIC, 2, group="fast")
        assert await bus.prune() == 6
        assert numbers(await take(bus, TOPIC, 2, group="new")) == [10, 11]
        assert numbers(await take(bus, "test.unread.v1", 1)) == [0], "a topic that nobody had read keeps all"


async def test_a_group_that_is_new_after_everything_was_erased_waits_for_the_next_record(path: Path) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    bus = EmbeddedBus(path, retention=timedelta(days=30), clock=lambda: now)
    async with opened(bus):
        await bus.publish(TOPIC, numbered(3))
        await take(bus, TOPIC, 3)
        now += timedelta(days=31)
        assert await bus.prune() == 3
        async with reading(bus, TOPIC, "new") as reader:
            waiting = asyncio.create_task(reader.take(1))
            await bus.publish(TOPIC, numbered(1, start=3))
            assert numbers(await waiting) == [3]


async def test_what_retention_erased_is_no_longer_in_the_file(path: Path) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    bus = EmbeddedBus(path, retention=timedelta(days=30), clock=lambda: now)
    async with opened(bus):
        await bus.publish(TOPIC, [Record("report-1", b"ERASE-ME" * 8)])
        await take(bus, TOPIC, 1)
        now += timedelta(days=31)
        await bus.prune()
    assert b"ERASE-ME" not in path.read_bytes()


async def test_any_sqlite_client_reads_the_records_in_the_order_of_the_log(bus: EmbeddedBus, path: Path) -> None:
    await bus.publish(TOPIC, [Record("report-1", b"value", {"type": "é"}), Record("report-2", b"")])
    with sqlite3.connect(path) as db:
        rows = db.execute("SELECT key, headers, value FROM record ORDER BY sequence").fetchall()
        durable = db.execute("PRAGMA journal_mode").fetchone()[0]
    db.close()
    assert rows == [("report-1", '{"type":"é"}', b"value"), ("report-2", "{}", b"")]
    assert durable == "wal"


async def test_the_file_is_for_its_owner_alone(bus: EmbeddedBus, path: Path) -> None:
    await bus.publish(TOPIC, numbered(1))
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.glob("bus.sqlite*") if each.is_file()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_is_no_log_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "bus.sqlite"
    path.write_bytes(b"not a database, and long enough to be read as one" * 100)
    bus = connect(f"sqlite:///{path}", topics=[])
    with pytest.raises(LogFileUnusable):
        await bus.open()
    await bus.close()
