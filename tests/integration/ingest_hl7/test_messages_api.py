"""What an operator finds of a message: by number, sender, state, code and time; its bytes leave a trace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.support.ingest import Running, relay_message, results_message, running


@asynccontextmanager
async def served(folder: Path, **settings: Any) -> AsyncIterator[tuple[Running, httpx.AsyncClient]]:
    async with running(folder, **settings) as hub:
        base = f"http://127.0.0.1:{hub.hub.http.port}/api/v1"
        async with httpx.AsyncClient(base_url=base, timeout=20) as client:
            yield hub, client


async def found(api: httpx.AsyncClient, **wanted: Any) -> list[str]:
    answer = await api.get("/messages", params=wanted)
    assert answer.status_code == 200
    return [item["control_id"] for item in answer.json()["items"]]


async def test_messages_are_found_by_number_sender_state_code_and_time(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, api):
        strange = results_message("M-3", demand="D3").replace(b"SGL-REMPARTS", b"SGL_100%")
        await hub.send(results_message("M-1"), results_message("M-2", value="x", demand="D2"), strange)
        assert await found(api) == ["M-3", "M-2", "M-1"]
        assert await found(api, control_id="M-2") == ["M-2"]
        assert await found(api, sender="SGL-REMPARTS") == ["M-2", "M-1"]
        assert await found(api, sender="REMPARTS") == ["M-3", "M-2", "M-1"]
        assert await found(api, sender="SGL_100%") == ["M-3"]
        assert await found(api, sender="SGL%") == []
        assert await found(api, state="refused") == ["M-2"]
        assert await found(api, reason="ltw.not-a-number") == ["M-2"]
        assert await found(api, reason="ltw.not-a") == []
        times = [item["received_at"] for item in (await api.get("/messages")).json()["items"]]
        assert await found(api, since=times[1]) == ["M-3", "M-2"]
        assert await found(api, until=times[1]) == ["M-1"]


async def test_pages_follow_one_another_without_gap_or_repetition(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, api):
        sent = [f"P-{number}" for number in range(7)]
        await hub.send(*(results_message(each, demand=f"D{each}") for each in sent))
        seen: list[str] = []
        cursor = ""
        for _ in range(3):
            page = (await api.get("/messages", params={"limit": 3, "cursor": cursor})).json()
            seen += [item["control_id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == sent[::-1]
        assert cursor == ""
        wrong = await api.get("/messages", params={"cursor": "%%%"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "message.cursor-malformed")


async def test_a_message_is_shown_without_its_patient_and_read_with_a_trace(tmp_path: Path) -> None:
    async with served(tmp_path) as (hub, api):
        message = relay_message("R-1")
        [answer] = await hub.send(message)
        [item] = (await api.get("/messages")).json()["items"]
        shown = await api.get(f"/messages/{item['message_id']}")
        assert shown.json()["answers"] == [answer.decode()]
        assert shown.json()["size_bytes"] == len(message)
        assert "KERMADEC" not in shown.text
        assert await hub.rows("audit") == []
        raw = await api.get(f"/messages/{item['message_id']}/raw")
        assert raw.content == message
        assert raw.headers["cache-control"] == "no-store"
        [line] = await hub.rows("audit")
        assert (line["action"], line["message_id"]) == ("message.read", item["message_id"])


async def test_an_unknown_message_is_a_problem_with_a_code(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, api):
        for path in ("/messages/none", "/messages/none/raw"):
            answer = await api.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "message.unknown")


async def test_the_senders_in_force_are_served_and_their_fault_is_told_with_readiness(tmp_path: Path) -> None:
    place = tmp_path / "s.toml"
    place.write_text(
        '[[sender]]\napplication = "A"\ntimezone = "Indian/Reunion"\nmailboxes = { "99700001029" = "a@b.fr" }\n'
    )
    async with served(tmp_path / "data", senders=place, unknown_sender="refuse", senders_check_seconds=0.05) as (
        _,
        api,
    ):
        answer = (await api.get("/senders")).json()
        assert answer["items"] == [
            {"name": "A|*", "application": "A", "facility": "*", "timezone": "Indian/Reunion", "mailboxes": 1}
        ]
        place.write_text("[[sender]]\napplication = 3\n")
        ready = httpx.URL(str(api.base_url)).copy_with(path="/readyz")
        for _ in range(400):
            facts = (await api.get(ready)).json()["facts"]["ingest-hl7"]
            if "fault" in facts:
                break
        assert "s.toml, sender 1: application: string_type" in facts["fault"]
        assert (await api.get("/senders")).json()["count"] == 1
