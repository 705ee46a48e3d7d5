"""A service on the real runtime: relay, log, consumer, parked events, dead letters, workers, HTTP, one trace."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import insert, select

from labohub.bus.connect import connect
from labohub.contracts.codec import derived_id, from_record
from labohub.contracts.envelope import Record
from labohub.contracts.events import EventSetAside, MessageArchived
from labohub.contracts.topics import DEAD, REPORT, dead_letters
from labohub.contracts.values import MessageId, ReportId
from labohub.errors import Refused, Unavailable
from labohub.runtime.consumer import FEW_RECORDS, Consumer
from labohub.runtime.dead_letters import bring_back
from labohub.runtime.run import Hub
from labohub.runtime.service import Platform, Service, Worker
from labohub.runtime.settings import LabohubSettings
from labohub.runtime.telemetry import span, trace_id
from labohub.store.blobs import connect as connect_blobs
from labohub.store.unit import Unit, Units
from labohub.store.work import NewWork
from tests.support.store import FixedClock, Notebook, archived


@pytest.fixture(scope="module", autouse=True)
def spans() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(exporter))  # type: ignore[attr-defined]
    return exporter


async def until(condition: Callable[[], Awaitable[Any]], seconds: float = 10) -> Any:
    """Return what the condition says once it is true."""
    async with asyncio.timeout(seconds):
        while not (value := await condition()):
            await asyncio.sleep(0.01)
        return value


def consequence(message_id: str, now: datetime) -> EventSetAside:
    """Return what an errand causes, on a topic that nobody here listens to."""
    return EventSetAside(
        event_id=derived_id("consequence", message_id),
        occurred_at=now,
        report_id=ReportId("r"),
        message_id=MessageId(message_id),
        topic="t",
        group="g",
        event_type="e",
        code="c",
    )


@dataclass
class Rig:
    """A writer and a reader on one log, in one process."""

    platform: Platform
    clock: FixedClock
    writer: Units[Unit]
    reader_tables: Notebook
    reader: Service
    hub: Hub
    fail: dict[str, list[Exception]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    async def emit(self, *events: MessageArchived) -> None:
        async with self.writer() as unit:
            await unit.publish(*events)

    async def notes(self) -> list[str]:
        async with self.reader.database.reading() as connection:
            table = self.reader_tables.notes
            return [row.text for row in await connection.execute(select(table).order_by(table.c.id))]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    clock = FixedClock()
    settings = LabohubSettings(data_dir=tmp_path, http_port=0, stop_grace_seconds=2)
    platform = Platform(
        settings=settings,
        bus=connect(settings.effective_bus_url(), topics=[REPORT, DEAD]),
        blobs=connect_blobs(settings.effective_blobs_url(), settings.key()),
        clock=clock,
    )
    await platform.blobs.open()
    await platform.bus.open()
    writer_tables, reader_tables = Notebook(), Notebook()
    writer_database = platform.database("writer", writer_tables.metadata)
    reader_database = platform.database("reader", reader_tables.metadata)
    fail: dict[str, list[Exception]] = {}
    done: list[str] = []
    heard: list[str] = []

    async def write_down(event: MessageArchived, unit: Any) -> None:
        note = f"{len(heard):03d}"
        await unit.connection.execute(
            insert(reader_tables.notes).values(id=note + event.event_id, text=event.message_id)
        )
        if errors := fail.get(event.message_id):
            raise errors.pop(0)
        heard.append(event.message_id)
        await unit.errands.add(NewWork(id=event.event_id, lane=event.report_id, payload=event.message_id))

    async def run_errand(units: Units[Any], now: datetime) -> bool:
        async with units() as unit:
            leased = await unit.errands.lease_due(5, 30)
        for work in leased:
            with span("errand", work.traceparent):
                done.append(work.payload)
            async with units() as unit:
                await unit.errands.settle(work, "done")
                await unit.publish(consequence(work.payload, unit.now))
        return bool(leased)

    writer = Service("writer", writer_database, Unit, {})
    reader = Service(
        "reader",
        reader_database,
        reader_tables.unit_type,
        {MessageArchived: write_down},
        workers=[Worker("errands", run_errand, idle_seconds=30)],
    )
    hub = Hub([writer, reader], platform)
    await hub.start()
    yield Rig(platform, clock, writer_database.units(Unit), reader_tables, reader, hub, fail, done)
    await hub.stop()
    await platform.bus.close()


async def test_an_event_becomes_state_and_work_and_the_worker_wakes_at_once(rig: Rig) -> None:
    await rig.emit(archived("r1", 1), archived("r1", 2), archived("r2", 1))
    await until(lambda: _has(rig.done, 3), seconds=5)  # far less than the worker's idle time
    assert sorted(await rig.notes()) == ["r1-1", "r1-2", "r2-1"]
    assert rig.done.index("r1-1") < rig.done.index("r1-2")


async def test_a_repeated_event_does_nothing(rig: Rig) -> None:
    await rig.emit(archived("r1", 1))
    await rig.emit(archived("r1", 1), archived("r1", 1), archived("r1", 2))
    await until(lambda: _has(rig.done, 2))
    assert await rig.notes() == ["r1-1", "r1-2"]


async def test_an_event_that_fails_for_now_holds_back_its_own_key_only_and_order_is_kept(rig: Rig) -> None:
    rig.fail["r1-1"] = [Unavailable("later"), Unavailable("later")]
    await rig.emit(archived("r1", 1), archived("r2", 1), archived("r1", 2))
    await until(lambda: _has(rig.done, 1))
    assert await rig.notes() == ["r2-1"]

    async def retried() -> bool:
        rig.clock.advance(10)
        return len(rig.done) == 3

    await until(retried)
    assert await rig.notes() == ["r2-1", "r1-1", "r1-2"]


async def test_a_refused_event_becomes_a_dead_letter_lets_its_key_go_on_and_can_be_brought_back(rig: Rig) -> None:
    rig.fail["r1-1"] = [Refused("never")] * 2  # the batch is tried whole, then event by event
    await rig.emit(archived("r1", 1), archived("r1", 2))
    await until(lambda: _has(rig.done, 1))
    assert await rig.notes() == ["r1-2"]
    async with asyncio.timeout(5):
        async for batch in rig.platform.bus.read(dead_letters(REPORT, "reader"), "test"):
            (record,) = batch.records
            break
        async for batch in rig.platform.bus.read(DEAD, "test"):
            (said,) = [r for r in batch.records if from_record(r).event_type == "MessageArchived"]
            break
    assert record.headers["error_code"] == "refused"
    assert await bring_back(rig.platform.bus, REPORT, "reader") == 1
    await until(lambda: _has(rig.done, 2))
    assert rig.done == ["r1-2", "r1-1"]
    assert await bring_back(rig.platform.bus, REPORT, "reader") == 0
    assert from_record(record) == archived("r1", 1)
    assert from_record(said).code == "refused"  # type: ignore[attr-defined]


async def test_a_fault_of_ours_is_tried_a_few_times_then_set_aside(rig: Rig) -> None:
    rig.fail["r1-1"] = [ZeroDivisionError() for _ in range(20)]
    await rig.emit(archived("r1", 1), archived("r1", 2))

    async def passed() -> bool:
        rig.clock.advance(400)
        return len(rig.done) == 1

    await until(passed, seconds=20)
    assert rig.done == ["r1-2"]


async def test_one_trace_goes_from_the_writer_to_the_worker(rig: Rig, spans: InMemorySpanExporter) -> None:
    with span("mllp.receive"):
        expected = trace_id()
        await rig.emit(archived("r1", 1))
    await until(lambda: _has(rig.done, 1))

    async def finished() -> set[str]:
        names = {s.name for s in spans.get_finished_spans() if f"{s.context.trace_id:032x}" == expected}
        return names if len(names) == 3 else set()

    assert await until(finished) == {"mllp.receive", "reader MessageArchived", "errand"}
    async with asyncio.timeout(5):
        async for batch in rig.platform.bus.read(DEAD, "test"):
            (record,) = batch.records
            break
    assert record.headers["traceparent"].split("-")[1] == expected


async def test_the_process_says_that_it_is_alive_ready_and_counts(rig: Rig) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.hub.http.port}") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        await rig.emit(archived("r1", 1))
        await until(lambda: _has(rig.done, 1))
        assert (
            'labohub_events_handled_total{event="MessageArchived",service="reader"}'
            in (await client.get("/metrics")).text
        )
        missing = await client.get("/nowhere")
        assert missing.headers["content-type"] == "application/problem+json"
        assert missing.json()["status"] == 404


async def _has(items: list[str], count: int) -> bool:
    return len(items) >= count


async def test_while_a_sender_waits_events_are_taken_in_short_transactions_and_all_are_taken(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    take = Consumer.take

    async def noting(consumer: Consumer, records: Sequence[Record]) -> None:
        sizes.append(len(records))
        await take(consumer, records)

    monkeypatch.setattr(Consumer, "take", noting)
    count = 2 * FEW_RECORDS + 1
    with rig.platform.courtesy.asking():
        await rig.emit(*(archived(f"r{number}", number) for number in range(count)))
        await until(lambda: _has(rig.done, count))

    assert sum(sizes) == count
    assert max(sizes) <= FEW_RECORDS
