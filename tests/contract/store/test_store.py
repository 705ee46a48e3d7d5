"""What the store promises, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, text

from labohub.errors import Misconfigured
from labohub.store.blobs import BlobDamaged, BlobMissing, Blobs
from labohub.store.blobs import connect as connect_blobs
from labohub.store.database import Database, StoreInUse
from labohub.store.sql import insert_ignore, insert_new, upsert
from labohub.store.work import NewWork, Work
from tests.support.servers import PostgresServer
from tests.support.store import FixedClock, Notebook, archived, sqlite_url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.fresh_database()


@pytest.fixture
async def book(store_url: str) -> AsyncIterator[SimpleNamespace]:
    clock, tables = FixedClock(), Notebook()
    database = tables.database(store_url, clock)
    await database.open()
    yield SimpleNamespace(
        database=database, clock=clock, tables=tables, units=database.units(tables.unit_type), url=store_url
    )
    await database.close()


async def notes(database: Database, tables: Notebook) -> dict[str, str]:
    async with database.reading() as connection:
        return {row.id: row.text for row in await connection.execute(select(tables.notes))}


async def outbox(database: Database) -> list[str]:
    async with database.reading() as connection:
        table = database.tables.outbox
        return [row.key for row in await connection.execute(select(table).order_by(table.c.id))]


async def test_a_unit_commits_the_change_and_its_events_together(book: SimpleNamespace) -> None:
    async with book.units() as unit:
        await unit.connection.execute(insert(book.tables.notes).values(id="a", text="x"))
        await unit.publish(archived("r1"), archived("r2"))
    assert await notes(book.database, book.tables) == {"a": "x"}
    assert await outbox(book.database) == ["r1", "r2"]


async def test_a_unit_that_fails_leaves_nothing(book: SimpleNamespace) -> None:
    async def fail() -> None:
        async with book.units() as unit:
            await unit.connection.execute(insert(book.tables.notes).values(id="a", text="x"))
            await unit.publish(archived("r1"))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert await notes(book.database, book.tables) == {}
    assert await outbox(book.database) == []


async def test_units_from_many_tasks_all_commit(book: SimpleNamespace) -> None:
    async def write(number: int) -> None:
        async with book.units() as unit:
            await unit.connection.execute(insert(book.tables.notes).values(id=str(number), text="x"))

    await asyncio.gather(*(write(number) for number in range(30)))
    assert len(await notes(book.database, book.tables)) == 30


async def test_what_was_written_is_there_after_a_restart(book: SimpleNamespace) -> None:
    async with book.units() as unit:
        await unit.connection.execute(insert(book.tables.notes).values(id="a", text="x"))
    await book.database.close()
    tables = Notebook()
    again = tables.database(book.url, book.clock)
    await again.open()
    try:
        assert await notes(again, tables) == {"a": "x"}
    finally:
        await again.close()


async def test_a_schema_of_another_version_stops_the_start(book: SimpleNamespace) -> None:
    async with book.units() as unit:
        await unit.connection.execute(book.database.tables.schema_version.update().values(version=99))
    await book.database.close()
    again = Notebook().database(book.url, book.clock)
    with pytest.raises(Misconfigured):
        await again.open()
    await again.close()


async def test_insert_new_says_which_rows_were_not_there(book: SimpleNamespace) -> None:
    rows = [{"id": "a", "text": "1"}, {"id": "b", "text": "1"}]
    async with book.units() as unit:
        assert await insert_new(unit.connection, book.tables.notes, "id", rows[:1]) == ["a"]
        assert await insert_new(unit.connection, book.tables.notes, "id", rows) == ["b"]
        await insert_ignore(unit.connection, book.tables.notes, [{"id": "a", "text": "2"}])
        await upsert(unit.connection, book.tables.notes, [{"id": "b", "text": "3"}, {"id": "c", "text": "3"}])
    assert await notes(book.database, book.tables) == {"a": "1", "b": "3", "c": "3"}


async def lease(book: SimpleNamespace, limit: int = 10, seconds: float = 30) -> list[Work]:
    async with book.units() as unit:
        return await unit.errands.lease_due(limit, seconds)


async def settle(book: SimpleNamespace, work: Work, state: str = "done", **values: object) -> bool:
    async with book.units() as unit:
        return await unit.errands.settle(work, state, **values)


async def add(book: SimpleNamespace, *rows: NewWork) -> None:
    async with book.units() as unit:
        await unit.errands.add(*rows)


async def test_work_of_one_lane_is_handed_out_one_at_a_time_in_order(book: SimpleNamespace) -> None:
    await add(
        book,
        *(NewWork(id=f"{lane}{n}", lane=lane, payload="{}", extra={"place": "p"}) for n in (1, 2) for lane in "ab"),
    )
    first = await lease(book)
    assert [work.id for work in first] == ["a1", "b1"]
    assert first[0].extra == {"place": "p"}
    assert await lease(book) == []
    assert await settle(book, first[0])
    assert [work.id for work in await lease(book)] == ["a2"]


async def test_the_same_work_added_again_is_ignored(book: SimpleNamespace) -> None:
    await add(book, NewWork(id="a", lane="a", payload="1"))
    (work,) = await lease(book)
    await settle(book, work)
    await add(book, NewWork(id="a", lane="a", payload="2"))
    assert await lease(book) == []


async def test_a_lease_that_ran_out_is_given_again_and_its_former_holder_cannot_settle(book: SimpleNamespace) -> None:
    await add(book, NewWork(id="a", lane="a", payload="{}"))
    (slow,) = await lease(book, seconds=30)
    assert not slow.retaken
    book.clock.advance(31)
    (quick,) = await lease(book)
    assert quick.retaken
    assert quick.attempts == 2
    assert not await settle(book, slow, "late")
    async with book.units() as unit:
        assert not await unit.errands.mark(slow, "late")
    assert await settle(book, quick, "done")
    async with book.units() as unit:
        found = await unit.errands.find("a")
    assert (found.state, found.is_open) == ("done", False)


async def test_postponed_work_waits_and_holds_back_its_lane(book: SimpleNamespace) -> None:
    await add(book, NewWork(id="a1", lane="a", payload="{}"), NewWork(id="a2", lane="a", payload="{}"))
    (work,) = await lease(book)
    later = book.clock.now.replace(minute=31)
    await settle(book, work, "due", is_open=True, due_at=later, error_code="busy")
    assert await lease(book) == []
    book.clock.advance(61)
    (again,) = await lease(book)
    assert (again.id, again.attempts, again.error_code, again.retaken) == ("a1", 2, "busy", False)


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)  # a SQLite database belongs to one process
async def test_workers_of_several_processes_never_hold_the_same_row(book: SimpleNamespace) -> None:
    await add(book, *(NewWork(id=str(n), lane=str(n), payload="{}") for n in range(40)))
    other_tables = Notebook()
    other = other_tables.database(book.url, book.clock)
    await other.open()
    try:
        units = other.units(other_tables.unit_type)

        async def take(factory: object) -> list[str]:
            async with factory() as unit:  # type: ignore[operator]
                return [work.id for work in await unit.errands.lease_due(10, 30)]

        taken = [id for ids in await asyncio.gather(*(take(f) for f in (book.units, units) * 3)) for id in ids]
        assert len(taken) == len(set(taken)) == 40
    finally:
        await other.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)  # a SQLite database belongs to one process
async def test_only_one_process_is_alone_at_a_time(book: SimpleNamespace) -> None:
    other = Notebook().database(book.url, book.clock)
    order: list[str] = []

    running = asyncio.Event()

    async def second() -> None:
        async with other.alone("relay", running) as place:
            assert await place.held()
            order.append("second")

    async with book.database.alone("relay", running):
        task = asyncio.create_task(second())
        await asyncio.wait({task}, timeout=0.2)
        order.append("first")
    await asyncio.wait_for(task, 10)  # the first database is still open: leaving the place is enough
    await other.close()
    assert order == ["first", "second"]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_who_waits_for_its_turn_stops_when_told_to(book: SimpleNamespace) -> None:
    other = Notebook().database(book.url, book.clock)
    stopping = asyncio.Event()

    async def second() -> bool:
        async with other.alone("relay", stopping) as place:
            return await place.held()

    async with book.database.alone("relay", asyncio.Event()):
        task = asyncio.create_task(second())
        await asyncio.wait({task}, timeout=0.2)
        stopping.set()
        assert await asyncio.wait_for(task, 5) is False
    await other.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_place_whose_session_broke_is_no_longer_held(
    book: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("labohub.store.place.LOOK_SECONDS", 0.0)
    other = Notebook().database(book.url, book.clock)
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    kill = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    async with book.database.alone("relay", asyncio.Event()) as place:
        assert await place.held()
        async with other.reading() as connection:
            await connection.execute(text(kill))
        assert not await place.held()
        async with other.alone("relay", asyncio.Event()) as taken:
            assert await taken.held()
    await other.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_a_sqlite_database_in_use_is_refused(book: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labohub.store.database.OWNERSHIP_SECONDS", 0.2)
    second = Notebook().database(book.url, book.clock)
    with pytest.raises(StoreInUse):
        await second.open()
    await second.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_what_a_dead_process_had_leased_is_given_again_at_once_and_says_so(book: SimpleNamespace) -> None:
    await add(book, NewWork(id="a", lane="a", payload="{}"))
    await lease(book, seconds=300)
    await book.database.close()
    tables = Notebook()
    again = tables.database(book.url, book.clock)
    await again.open()
    try:
        async with again.units(tables.unit_type)() as unit:
            (work,) = await unit.errands.lease_due(1, 30)
        assert work.retaken
    finally:
        await again.close()


@pytest.fixture
async def blobs(store_url: str, tmp_path: Path) -> AsyncIterator[Blobs]:
    url = store_url if store_url.startswith("postgresql") else f"file://{tmp_path / 'blobs'}"
    storage = connect_blobs(url, bytes(32))
    await storage.open()
    yield storage
    await storage.close()


async def test_a_document_comes_back_whole_until_it_is_erased(blobs: Blobs) -> None:
    data = bytes(range(256)) * 4000
    ref = await blobs.put(data, "application/pdf")
    assert ref.size_bytes == len(data)
    assert await blobs.read(ref) == data
    await blobs.erase(ref)
    await blobs.erase(ref)
    with pytest.raises(BlobMissing):
        await blobs.read(ref)


async def test_a_document_whose_reference_names_another_content_is_refused(blobs: Blobs) -> None:
    ref = await blobs.put(b"one", "text/plain")
    with pytest.raises(BlobDamaged):
        await blobs.read(ref.model_copy(update={"sha256": "0" * 64}))
