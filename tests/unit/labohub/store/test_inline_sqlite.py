"""Write transactions run on the event loop, and never wait there."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, func, insert, select

from labohub.store.database import Database
from labohub.store.unit import Unit

metadata = MetaData()
things = Table("things", metadata, Column("id", Integer, primary_key=True))


async def test_somebody_else_who_writes_does_not_stop_the_event_loop(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}", "x", metadata, lambda: datetime.now(UTC))
    await database.open()
    foreign = sqlite3.connect(tmp_path / "x.sqlite", isolation_level=None)
    foreign.execute("BEGIN IMMEDIATE")

    async def write() -> None:
        async with database.units(Unit)() as unit:
            await unit.connection.execute(insert(things).values(id=1))

    writing = asyncio.create_task(write())
    other = asyncio.Event()
    asyncio.get_running_loop().call_later(0.05, other.set)  # comes only when the loop runs
    await asyncio.wait_for(other.wait(), 5)
    assert not writing.done()
    foreign.execute("COMMIT")
    await asyncio.wait_for(writing, 5)
    assert foreign.execute("SELECT id FROM things").fetchall() == [(1,)]
    foreign.close()
    await database.close()


async def test_a_brief_read_sees_what_was_committed_and_takes_no_lock(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}", "x", metadata, lambda: datetime.now(UTC))
    await database.open()
    async with database.units(Unit)() as unit:
        await unit.connection.execute(insert(things).values(id=1))
        async with database.reading(briefly=True) as reading:
            assert (await reading.execute(select(func.count()).select_from(things))).scalar_one() == 0
    async with database.reading(briefly=True) as reading:
        assert (await reading.execute(select(func.count()).select_from(things))).scalar_one() == 1
    await database.close()
