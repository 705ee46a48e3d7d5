"""Acknowledged means durable: on both stores, and when the process dies at the worst moment."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from ingest_hl7.adapters.mllp import MllpListener
from labohub.contracts import topics
from labohub.contracts.events import MessageSettled, SubmissionAccepted
from tests.support.ingest import msa, relay_message, results_message, running
from tests.support.postgres import PostgresServer


async def test_a_message_durable_before_the_crash_gets_its_first_answer_after_it(tmp_path: Path) -> None:
    written = asyncio.Event()
    async with running(tmp_path) as hub, hub.connect() as peer:
        listener = hub.service.listeners[0]
        assert isinstance(listener, MllpListener)
        write = listener._intake._writer._flush

        async def write_and_die(entries: list) -> list:  # type: ignore[type-arg]
            await write(entries)
            written.set()
            raise ConnectionResetError  # the commit is done, the answer is lost

        listener._intake._writer._flush = write_and_die
        with contextlib.suppress(ConnectionError):
            [lost] = await peer.send(relay_message())
            assert msa(lost)[0] == "AR"
        await written.wait()
        [stored] = await hub.rows("messages")
    async with running(tmp_path) as hub:
        [answer] = await hub.send(relay_message())
        events = await hub.events(topics.REPORT, 1)
        rows = await hub.rows("messages")
    assert msa(answer) == ("AA", "CDA-0001")
    assert stored["answers"] == answer + b"\x1c"
    assert len(events) == len(rows) == 1


@pytest.mark.timeout(120)
async def test_the_road_is_the_same_on_postgresql(postgres_server: PostgresServer, tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text("")
    url = postgres_server.fresh_database()
    flags = {"DESTMSSANTEPS": "N"}
    async with running(tmp_path, store_url=url, senders=tmp_path / "senders.toml") as hub:
        first, again, results, correction = await hub.send(
            relay_message(flags=flags),
            relay_message(flags=flags),
            results_message(),
            results_message("LTW-0002", status="C", value="4.6", reported_at="20260312110000"),
        )
        parallel = await asyncio.gather(
            *(hub.send(results_message(f"P{number}", demand=f"P{number}")) for number in range(12))
        )
        request, _, replaced, *_ = await hub.events(topics.REPORT, 15)
        accepted = SubmissionAccepted(
            event_id="e", occurred_at=request.occurred_at, report_id=request.report_id, message_id=request.message_id,
            submission_id="s", document_id="1.2.3", operation="TD2.1",
        )  # fmt: skip
        await hub.tell(accepted)
        events = await hub.events(topics.MESSAGE, 1)
    assert first == again
    assert [msa(each)[0] for each in (first, results, correction)] == ["AA"] * 3
    assert {msa(answers[0])[0] for answers in parallel} == {"AA"}
    assert replaced.report.request == "replacement"
    assert isinstance(events[0], MessageSettled)
    assert events[0].state == "delivered"
