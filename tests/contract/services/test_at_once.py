"""What two transactions promise that touch one report at once, on a real PostgreSQL: nobody misses the other's word."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, select, text

import dmp_feeder.adapters.tables as dmp
import ins_qualifier.adapters.tables as ins
import mss_sender.adapters.tables as mss
from dmp_feeder.core.filing import FEED, Filing, Rules
from dmp_feeder.core.verdicts import Kind, Verdict
from dmp_feeder.handlers import planner as filing_planner
from dmp_feeder.workers.settling import Outcome, Patience, settle_all
from ins_qualifier.adapters.desk import Desk
from ins_qualifier.adapters.officer import ItemBusy, ItemClosed, Officer
from ins_qualifier.adapters.views import Resolution, Resolved
from ins_qualifier.core.check import Check, check_id
from ins_qualifier.core.decision import Finding, decide
from ins_qualifier.handlers import Follower
from labohub.contracts.codec import from_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import Event, ReportReceived
from labohub.contracts.values import BlobRef
from labohub.runtime.clock import system_clock
from labohub.store.database import Database
from labosim.identities import PUBLIC
from mss_sender.core.effects import bounced
from mss_sender.core.values import PlannedMail
from mss_sender.handlers import planner as mail_planner
from tests.support.dmp import cda as dmp_cda
from tests.support.dmp_service import built
from tests.support.ingest import Running, cda, msa, relay_message, results_message, running
from tests.support.ins import book_of, patient_of, received
from tests.support.mss import LABORATORIES, document_built
from tests.support.postgres import PostgresServer

PATIENCE_SECONDS = 20.0


@asynccontextmanager
async def opened(server: PostgresServer, name: str, metadata: MetaData) -> AsyncIterator[Database]:
    database = Database(server.fresh_database(), name, metadata, system_clock)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def told(database: Database) -> list[Event]:
    """Return the facts in the outbox."""
    outbox = database.tables.outbox
    async with database.reading() as connection:
        rows = (await connection.execute(select(outbox).order_by(outbox.c.id))).mappings().all()
    return [from_record(Record(row["key"], row["value"], json.loads(row["headers"]))) for row in rows]


async def waits_for_a_lock(database: Database) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with database.reading() as connection:
        return bool((await connection.execute(text(query))).scalar_one())


async def meanwhile(
    database: Database, units: Any, first: Callable[[Any], Awaitable[Any]], second: Callable[[], Awaitable[Any]]
) -> None:
    """Run `second` while the unit of `first` has done its work and is not committed yet."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with units() as unit:
            await first(unit)
            other = asyncio.ensure_future(second())
            while not other.done() and not await waits_for_a_lock(database):
                await asyncio.sleep(0)
        await other


@pytest.mark.parametrize("asks_first", [True, False])
async def test_who_asks_for_a_mail_while_it_settles_hears_how_it_ended(
    asks_first: bool, postgres_server: PostgresServer
) -> None:
    plan = mail_planner(LABORATORIES)
    async with opened(postgres_server, "mss-sender", mss.metadata) as database:
        units = database.units(mss.MssUnit)
        async with units() as unit:
            await plan(document_built(message="message-1"), unit)
        async with units() as unit:
            (work,) = await unit.mails.queue.lease_due(1, 60)

        async def ask(unit: mss.MssUnit) -> None:
            await plan(document_built(message="message-2"), unit)

        async def settle(unit: mss.MssUnit) -> None:
            mail = PlannedMail.model_validate_json(work.payload)
            assert await unit.mails.queue.settle(work, "accepted")
            assert await unit.mails.record(work.id, bounced(mail, unit.now, "550"))

        first, second = (ask, settle) if asks_first else (settle, ask)
        await meanwhile(database, units, first, in_a_unit(units, second))
        facts = await told(database)
    assert sorted(fact.message_id for fact in facts) == ["message-1", "message-2"]


@pytest.mark.parametrize("asks_first", [True, False])
async def test_who_asks_for_a_filing_while_it_settles_hears_how_it_ended(
    asks_first: bool, postgres_server: PostgresServer
) -> None:
    plan = filing_planner(Rules(accept_test_identities=True))
    content = dmp_cda()
    blob = BlobRef(id="b", sha256="0" * 64, size_bytes=len(content), media_type="text/xml")
    async with opened(postgres_server, "dmp-feeder", dmp.metadata) as database:
        units = database.units(dmp.DmpUnit)
        async with units() as unit:
            await plan(built(content, blob, "report-1", "message-1"), unit)
        async with units() as unit:
            (work,) = await unit.filings.lease_due(1, 60)

        async def ask(unit: dmp.DmpUnit) -> None:
            await plan(built(content, blob, "report-1", "message-2"), unit)

        outcome = Outcome(work, Filing.model_validate_json(work.payload), Verdict(Kind.DONE), FEED)
        patience = Patience(1, 1, 1, 1)

        async def settle(unit: dmp.DmpUnit) -> None:
            @asynccontextmanager
            async def same() -> AsyncIterator[Any]:
                yield unit

            assert await settle_all(same, [outcome], patience) == [True]

        first, second = (ask, settle) if asks_first else (settle, ask)
        await meanwhile(database, units, first, in_a_unit(units, second))
        facts = await told(database)
    assert sorted(fact.message_id for fact in facts) == ["message-1", "message-2"]


def in_a_unit(units: Any, act: Callable[[Any], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        async with units() as unit:
            await act(unit)

    return run


async def stopped_report(database: Database, *events: ReportReceived) -> str:
    """Let a report stop for its identity; return its item."""
    units, book = database.units(ins.InsUnit), book_of()
    follower = Follower(book.referential, book, "test")
    async with units() as unit:
        for event in events:
            await follower.plan_check(event, unit)
        (work,) = await unit.checks.lease_due(1, 60)
        decision = decide((Finding.NOT_FOUND,), controlled=True)
        await unit.checks.settle(work, "unresolved", error_code=decision.code)
        await unit.worklist.open(work.id, events[0].report, decision, (), unit.now)
    return check_id(events[0])


def officer_of(database: Database) -> Officer:
    """Return the officer's acts on a database; no document is read."""
    book = book_of()
    return Officer(database, book, Desk(database, None, book, system_clock))  # type: ignore[arg-type]


async def test_two_officers_who_decide_at_once_make_one_check(postgres_server: PostgresServer) -> None:
    async with opened(postgres_server, "ins-qualifier", ins.metadata) as database:
        item = await stopped_report(database, received(patient_of(PUBLIC[0])))
        officer, retry = officer_of(database), Resolution(decision="retry")
        answers = await asyncio.gather(*(officer.resolve(item, retry) for _ in range(5)), return_exceptions=True)
        async with database.units(ins.InsUnit)() as unit:
            work = await unit.checks.find(item)
    assert [type(answer) for answer in answers].count(Resolved) == 1
    assert [type(answer) for answer in answers].count(ItemClosed) == 4
    assert work is not None
    assert Check.model_validate_json(work.payload).round == 2


async def test_an_older_message_is_not_checked_again_while_a_later_one_is_under_way(
    postgres_server: PostgresServer,
) -> None:
    patient = patient_of(PUBLIC[0])
    async with opened(postgres_server, "ins-qualifier", ins.metadata) as database:
        item = await stopped_report(database, received(patient), received(patient, number=2))
        async with database.units(ins.InsUnit)() as unit:
            assert len(await unit.checks.lease_due(1, 60)) == 1
        with pytest.raises(ItemBusy):
            await officer_of(database).resolve(item, Resolution(decision="retry"))


async def until_taken(hub: Running, message: bytes) -> str:
    """Return the answer to a message, sent again after AR as its sender would."""
    while True:
        [answer] = await hub.send(message)
        if msa(answer)[0] != "AR":
            return msa(answer)[0]


async def test_two_processes_that_hear_of_one_demand_at_once_keep_every_battery(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url, count = postgres_server.fresh_database(), 6
    async with (
        running(tmp_path / "one", store_url=url) as one,
        running(tmp_path / "two", store_url=url) as two,
    ):
        messages = [results_message(f"LTW-{n}", demand="D1", filler=f"F{n}", value=f"4.{n}") for n in range(count)]
        answers = await asyncio.gather(*(until_taken((one, two)[n % 2], each) for n, each in enumerate(messages)))
        rows = await one.rows("reports")
    assert set(answers) == {"AA"}
    (report,) = rows
    assert sorted(key.split("\x1f")[0] for key in json.loads(report["times"])) == [f"F{n}" for n in range(count)]
    assert report["version"] == count


async def test_two_processes_never_take_two_contents_for_one_document(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    url = postgres_server.fresh_database()
    async with (
        running(tmp_path / "one", store_url=url) as one,
        running(tmp_path / "two", store_url=url) as two,
    ):
        messages = [relay_message(f"C{n}", document=cda() + b"<!-- %d -->" % n) for n in range(6)]
        answers = await asyncio.gather(*((one, two)[n % 2].send(message) for n, message in enumerate(messages)))
    assert sorted(msa(answer[0])[0] for answer in answers) == ["AA", *["AE"] * 5]
