"""A source's own listener, and all the ways it may misbehave: every ZAM gets its own answer, or is sent again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest_hl7.adapters.source import MllpSource
from ingest_hl7.core.senders import Endpoint
from ingest_hl7.ports import SourceUnreachable
from labohub.contracts import topics
from labohub.contracts.codec import derived_id
from labohub.contracts.events import AnswerSettled, ReportReceived, SubmissionAccepted, SubmissionRefused
from tests.support.ingest import fields, msa, relay_message, running

ZAM = b"MSH|^~\\&|H|H|S|S|2026||ZAM^Z01^ZAM_Z01|LH1|P|2.6\r"
Manner = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def frame(code: str, number: str) -> bytes:
    return f"\x0bMSH|^~\\&|SGL|L|H|H|2026||ACK^Z01^ACK|1|P|2.6\rMSA|{code}|{number}\r\x1c\r".encode()


async def silent(number: str, writer: asyncio.StreamWriter) -> None:
    await writer.drain()


def says(*answers: bytes) -> Manner:
    async def manner(number: str, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            writer.write(answer.replace(b"<number>", number.encode()))
        writer.write_eof()

    return manner


YES = says(frame("AA", "<number>"))
BAD = {
    "cuts": says(),
    "talks nonsense": says(b"\x0bHTTP/1.1 400 Bad Request\r\n\x1c\r"),
    "talks without frames": says(b"220 smtp.labo.fr ESMTP\r\n"),
    "answers the message before": says(frame("AA", "LH0")),
    "answers without a number": says(frame("AA", "")),
    "answers without a letter": says(frame("", "<number>")),
    "sends a flood": says(b"\x0b" + b"X" * 200_000),
    "is silent": silent,
}


@asynccontextmanager
async def listener(*manners: Manner) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Run a source that treats its first messages so, and the others well."""
    heard: list[bytes] = []
    waiting = list(manners)
    hold = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\x1c\r"))[1:-2])
        manner = waiting.pop(0) if waiting else YES
        await manner(fields(heard[-1])["MSH"][0][10], writer)
        if manner is silent:
            await hold.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        hold.set()
        server.close()


@pytest.mark.parametrize("name", BAD)
async def test_an_answer_that_is_not_to_this_message_is_none(name: str) -> None:
    async with listener(BAD[name]) as (port, _):
        with pytest.raises(SourceUnreachable):
            await MllpSource(0.3).deliver(Endpoint(host="127.0.0.1", port=port), ZAM, "LH1")


@pytest.mark.parametrize("code", ["AA", "AE", "AR", "CA", "CE", "CR"])
async def test_the_answer_is_the_one_that_names_the_message(code: str) -> None:
    late = says(frame("AA", "LH0"), frame(code, "LH1"))
    async with listener(late) as (port, _):
        answer = await MllpSource(5).deliver(Endpoint(host="127.0.0.1", port=port), ZAM, "LH1")
    assert answer.code == code


@pytest.mark.parametrize("name", BAD)
async def test_a_source_that_misbehaves_hears_the_same_bytes_again_until_it_takes_them(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "senders.toml").write_text("")
    async with listener(BAD[name], says(frame("AR", "<number>"))) as (port, heard):
        settings: dict[str, Any] = {
            "senders": tmp_path / "senders.toml", "answers_host": "127.0.0.1", "answers_port": port,
            "answers_retry_first_seconds": 0.05, "answers_timeout_seconds": 0.5,
        }  # fmt: skip
        async with running(tmp_path, **settings) as hub:
            await hub.send(relay_message(flags={"DESTMSSANTEPS": "N"}))
            [event] = await hub.events(topics.REPORT, 1)
            await hub.tell(filed(event.message_id, event.report_id))
            events = await hub.events(topics.MESSAGE, 2)
    assert [each.outcome for each in events if isinstance(each, AnswerSettled)] == ["AA"]
    assert len(heard) == 3
    assert len(set(heard)) == 1


async def test_what_was_told_is_listed_by_report_message_by_message(tmp_path: Path) -> None:
    (tmp_path / "senders.toml").write_text("")
    async with listener() as (port, heard):
        settings: dict[str, Any] = {
            "senders": tmp_path / "senders.toml",
            "answers_host": "127.0.0.1",
            "answers_port": port,
        }
        async with running(tmp_path, **settings) as hub:
            [first] = await hub.send(relay_message("A", flags={"DESTMSSANTEPS": "N"}))
            [second] = await hub.send(relay_message("B", request="deletion", flags={"DESTMSSANTEPS": "N"}))
            asked = [each for each in await hub.events(topics.REPORT, 2) if isinstance(each, ReportReceived)]
            await hub.tell(filed(asked[0].message_id, asked[0].report_id), refused(asked[1]))
            await hub.events(topics.MESSAGE, 4)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.hub.http.port}/api/v1") as client:
                listed = (await client.get(f"/reports/{asked[0].report_id}/answers")).json()
                unknown = await client.get("/reports/none/answers")
    assert [msa(answer)[0] for answer in (first, second)] == ["AA", "AA"]
    assert [each["control_id"] for each in listed["messages"]] == ["A", "B"]
    told = [[(each["message_type"], each["state"]) for each in one["answers"]] for one in listed["messages"]]
    assert told == [[("ZAM^Z01^ZAM_Z01", "settled")], [("ZAM^Z01^ZAM_Z01", "settled")]]
    zams = [fields(one["answers"][0]["er7"].encode()) for one in listed["messages"]]
    assert [zam["OBX"][0][5][:1] for zam in zams] == ["Y", "N"]
    assert [zam["OBX"][0][4] for zam in zams] == ["A", "B"]
    assert zams[1]["ERR"][0][5] == "DMPClosed^DMP fermé^DMP_ERROR_CODE"
    assert len(heard) == 2
    assert (unknown.status_code, unknown.json()["code"]) == (404, "report.unknown")


def filed(message_id: str, report_id: str) -> SubmissionAccepted:
    """Return the fact that the DMP took it."""
    return SubmissionAccepted(
        event_id=derived_id("filed", message_id), occurred_at=datetime(2026, 3, 12, 9, 0, tzinfo=UTC),
        report_id=report_id, message_id=message_id, submission_id="s", document_id="1.2.3", operation="TD2.1",
    )  # fmt: skip


def refused(asked: ReportReceived) -> SubmissionRefused:
    """Return the fact that the DMP would not."""
    return SubmissionRefused(
        event_id=derived_id("refused", asked.message_id), occurred_at=datetime(2026, 3, 12, 9, 1, tzinfo=UTC),
        report_id=asked.report_id, message_id=asked.message_id, submission_id="s", document_id="1.2.3",
        operation="TD3.3c", dmp_code="DMPClosed", dmp_label="DMP fermé",
    )  # fmt: skip
