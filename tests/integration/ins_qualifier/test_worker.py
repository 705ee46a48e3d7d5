"""The worker alone, with an INSi that the test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from ins_qualifier.adapters import tables
from ins_qualifier.adapters.tables import InsUnit
from ins_qualifier.handlers import Follower
from ins_qualifier.ports import Reply
from ins_qualifier.settings import InsQualifierSettings
from ins_qualifier.workers import IdentityChecks
from labohub.standards.ins.insi_answer import Answer
from labohub.standards.ins.insi_card import CardQuery
from labohub.standards.ins.insi_request import SearchQuery
from labohub.store.blobs import FileBlobs
from labohub.store.database import Database
from labosim.identities import generated_identity
from tests.support.ins import book_of, patient_of, received
from tests.support.store import FixedClock, sqlite_url


class HeldInsi:
    """Finds nobody; answers about one name only when let go, and breaks on another."""

    def __init__(self, held: str = "", broken: str = "") -> None:
        self.held, self.broken = held, broken
        self.let_go = asyncio.Event()
        self.asked: list[str] = []

    certificate = ""

    async def turn(self, *, bulk: bool = False) -> None:
        """Wait for nobody."""

    async def search_by_card(self, query: CardQuery, message_id: str, assertions: Sequence[bytes] = ()) -> Reply:
        raise NotImplementedError

    async def search(self, query: SearchQuery, message_id: str) -> Reply:
        self.asked.append(query.birth_name)
        if query.birth_name == self.held:
            await self.let_go.wait()
        if query.birth_name == self.broken:
            raise ValueError("a fault of ours")
        return Reply(Answer("01"), b"<answer/>")


class Bench:
    """A database, a clock and the worker."""

    def __init__(self, folder: Path, insi: HeldInsi) -> None:
        self.insi, self.clock = insi, FixedClock()
        self.database = Database(sqlite_url(folder / "store"), "ins_qualifier", tables.metadata, self.clock)
        self.units = self.database.units(InsUnit)
        blobs = FileBlobs(folder / "blobs", bytes(32))
        book = book_of()
        self.follower = Follower(book.referential, book, "test")
        self.worker = IdentityChecks(
            insi=insi,
            identities=book,
            blobs=blobs,
            settings=InsQualifierSettings(),
            environment="test",
            clock=self.clock,
        )

    async def plan(self, *numbers: int) -> None:
        async with self.units() as unit:
            for number in numbers:
                person = generated_identity(number)
                await self.follower.plan_check(received(patient_of(person), report=f"R{number}"), unit)

    async def states(self) -> dict[str, str]:
        async with self.database.reading() as connection:
            rows = await connection.execute(select(tables.checks.c.lane, tables.checks.c.state))
            return {row.lane: row.state for row in rows}

    async def run(self) -> bool:
        return await self.worker.run(self.units, self.clock())


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    insi = HeldInsi(held=generated_identity(1).birth_name, broken=generated_identity(2).birth_name)
    bench = Bench(tmp_path, insi)
    (tmp_path / "blobs").mkdir()
    await bench.database.open()
    yield bench
    await bench.database.close()


async def test_a_slow_answer_holds_back_only_its_own_report(bench: Bench) -> None:
    await bench.plan(1, 3, 4)

    run = asyncio.create_task(bench.run())
    async with asyncio.timeout(10):
        while list((await bench.states()).values()).count("unresolved") < 2:
            await asyncio.sleep(0.01)
    assert (await bench.states())["R1"] == "due"
    bench.insi.let_go.set()
    assert await run

    assert (await bench.states())["R1"] == "unresolved"


async def test_a_fault_of_ours_makes_one_report_wait_and_no_other(bench: Bench) -> None:
    await bench.plan(2, 3)

    await bench.run()

    assert await bench.states() == {"R2": "waiting", "R3": "unresolved"}
    assert not await bench.run()
    bench.clock.advance(10)
    assert await bench.run()


async def test_a_worker_that_lost_its_lease_decides_nothing(bench: Bench) -> None:
    await bench.plan(1)
    slow = asyncio.create_task(bench.run())
    insi = bench.insi
    async with asyncio.timeout(10):
        while not insi.asked:
            await asyncio.sleep(0.01)
    bench.clock.advance(1000)
    insi.held = ""
    await bench.run()
    first = await events(bench)
    insi.let_go.set()
    await slow

    assert len(first) == 1
    assert await events(bench) == first


async def test_a_stop_leaves_the_work_to_be_taken_again(bench: Bench) -> None:
    await bench.plan(1)
    run = asyncio.create_task(bench.run())
    insi = bench.insi
    async with asyncio.timeout(10):
        while not insi.asked:
            await asyncio.sleep(0.01)
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    insi.held = ""

    assert not await bench.run()
    bench.clock.advance(1000)
    assert await bench.run()
    assert await bench.states() == {"R1": "unresolved"}


async def events(bench: Bench) -> list[str]:
    async with bench.database.reading() as connection:
        outbox = bench.database.tables.outbox
        return [row.key for row in await connection.execute(select(outbox.c.key))]
