"""The doors beside MLLP under hostile names, files and bodies: nothing stops, nothing leaks, nobody waits for it."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest_hl7.adapters.sender_book import SenderBook
from tests.integration.ingest_hl7.test_drop_folder import dropping, put
from tests.integration.ingest_hl7.test_quarantine import KNOWN, quarantining
from tests.support.ingest import Running, cda, msa, relay_message, results_message, running
from tests.support.sgl import event, http

HL7 = {"content-type": "application/hl7-v2"}
NAME = "KERMADEC"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as hub:
        yield hub


ODD_NAMES = {
    "as long as a name may be": "x" * 251 + ".hl7",
    "nearly as long": "y" * 240 + ".hl7",
    "a line end": "a\nb.hl7",
    "no text": os.fsdecode(b"\xff\xfe.hl7"),
    "dots": "...hl7",
    "markup": "<script>alert(1)<.hl7",
    "an option": "-rf *.hl7",
}


@pytest.mark.parametrize("name", ODD_NAMES)
async def test_a_file_of_any_name_is_taken_once_and_keeps_nobody_waiting(name: str, tmp_path: Path) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        (drop / ODD_NAMES[name]).write_bytes(results_message("ODD"))
        os.utime(drop / ODD_NAMES[name], (1_600_000_000,) * 2)
        put(drop, "next.hl7", results_message("NEXT", demand="D-2"))
        await listener.look()
        await listener.look()
        assert sorted(row["control_id"] for row in await hub.rows("messages")) in (["NEXT"], ["NEXT", "ODD"])
        assert (drop / "done/next.hl7").exists()
        taken = [row["control_id"] for row in await hub.rows("messages")]
        waits = (drop / ODD_NAMES[name]).exists()
        assert waits is ("ODD" not in taken)
        if not waits:
            assert len(list((drop / "acks").iterdir())) == 2


async def test_things_that_are_no_files_are_left_alone(tmp_path: Path) -> None:
    async with dropping(tmp_path) as (hub, listener, drop):
        os.mkfifo(drop / "a.hl7")
        (drop / "b.hl7").mkdir()
        (drop / "c.hl7").symlink_to("/dev/zero")
        (drop / "d.hl7").symlink_to("d.hl7")
        put(drop, "z.hl7", results_message("Z"))
        async with asyncio.timeout(10):
            await listener.look()
        assert [row["control_id"] for row in await hub.rows("messages")] == ["Z"]


WRONG_FILES = {
    "empty": b"",
    "not text": b"\xff\xfe\x00",
    "cut": b'[[sender]]\napplication = "SGL',
    "deep": b"x = " + b"[" * 200_000,
    "a number without end": b"[[sender]]\nmax = " + b"9" * 10_000,
    "another world": b"[[sender]]\nunknown_field = 1\n",
    "somebody twice": (KNOWN + KNOWN).encode(),
}


@pytest.mark.parametrize("name", WRONG_FILES)
async def test_a_wrong_senders_file_changes_nothing_while_messages_come(name: str, tmp_path: Path) -> None:
    place = tmp_path / "senders.toml"
    place.write_text(KNOWN)
    async with running(
        tmp_path / "data", senders=place, unknown_sender="refuse", senders_check_seconds=0.02
    ) as hub, hub.connect() as peer:  # fmt: skip
        book = next(each for each in hub.service.listeners if isinstance(each, SenderBook))
        place.write_bytes(WRONG_FILES[name])
        os.kill(os.getpid(), signal.SIGHUP)
        for number in range(30):
            [answer] = await peer.send(results_message(f"R-{number}", demand=f"D-{number}"))
            assert msa(answer)[0] == "AA"
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while not book.fault:
                await asyncio.sleep(0.01)
        assert NAME not in book.fault
        place.write_text(KNOWN + '[[sender]]\napplication = "SGL-B"\n')
        async with asyncio.timeout(10):
            while book.fault or len(book.registry.senders) < 2:
                await asyncio.sleep(0.01)


async def test_a_senders_file_that_is_gone_changes_nothing(tmp_path: Path) -> None:
    place = tmp_path / "senders.toml"
    place.write_text(KNOWN)
    async with running(tmp_path / "data", senders=place, unknown_sender="refuse") as hub:
        book = next(each for each in hub.service.listeners if isinstance(each, SenderBook))
        place.unlink()
        assert not await book.refresh(asked=True)
        assert book.fault
        [answer] = await hub.send(results_message("R"))
        assert msa(answer)[0] == "AA"


GOOD = event("report.hold", "D26030001", id_="E-1")
BAD_BODIES: dict[str, bytes] = {
    "no JSON": b"{",
    "not text": b"\xff\xfe{}",
    "a lone surrogate": b'{"id":"\\ud800"}',
    "a name where none is": json.dumps({**GOOD, NAME: NAME}).encode(),
    "deep": b"[" * 60_000,
    "deep objects": b'{"data":' * 6_000 + b"1" + b"}" * 6_000,
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"x"',
    "no number": json.dumps({**GOOD, "occurred_at": 1e308}).encode(),
    "a time of another world": json.dumps({**GOOD, "occurred_at": "9999-12-31T23:59:59-23:59"}).encode(),
    "the first year": json.dumps({**GOOD, "occurred_at": "0001-01-01T00:00:00+23:59"}).encode(),
    "a control character in the id": json.dumps({**GOOD, "id": "a\nb"}).encode(),
    "a zero in the id": json.dumps({**GOOD, "id": "a\x00b"}).encode(),
    "a zero in the number": json.dumps({**GOOD, "subject": {"kind": "order", "value": "a\x00b"}}).encode(),
    "a long id": json.dumps({**GOOD, "id": "x" * 10_000}).encode(),
    "an address with a line end": json.dumps(
        event("recipients.changed", "D1", id_="E-2",
              add=[{"kind": "professional", "address": "a@b.mssante.fr\r\nBcc: x@y.fr"}])).encode(),
    "a patient as an address": json.dumps(
        event("recipients.changed", "D1", id_="E-3", add=[{"kind": "professional", "address": NAME}])).encode(),
}  # fmt: skip


async def test_no_body_of_an_event_breaks_the_door_or_comes_back(hub: Running) -> None:
    got: dict[str, int] = {}
    async with http(hub) as client:
        for name, body in BAD_BODIES.items():
            answer = await client.post("/events", content=body, headers={"content-type": "application/json"})
            got[name] = answer.status_code
            assert NAME not in answer.text, name
            assert "Bcc" not in answer.text, name
    assert {name: status for name, status in got.items() if status not in (400, 422)} == {}
    assert await hub.rows("sgl_events") == []


async def test_one_event_sent_twenty_times_at_once_has_one_answer_and_one_effect(hub: Running) -> None:
    body = event("report.hold", "D26030001", id_="E-1")
    async with http(hub) as client:
        answers = await asyncio.gather(*(client.post("/events", json=body) for _ in range(20)))
        others = await asyncio.gather(
            *(client.post("/events", json={**body, "subject": {"kind": "order", "value": f"D{at}"}}) for at in range(5))
        )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["event_id"] for answer in answers}) == 1
    assert {answer.status_code for answer in others} == {409}
    assert len(await hub.rows("sgl_events")) == 1


async def test_holds_and_releases_at_once_never_leave_a_report_behind(hub: Running) -> None:
    """Whatever comes first, after a last release every report left, each once."""
    demands = [f"D-{at}" for at in range(6)]
    async with http(hub) as client:

        async def tell(kind: str, demand: str) -> None:
            assert (await client.post("/events", json=event(kind, demand))).status_code in (202, 409)

        await asyncio.gather(
            *(tell(kind, demand) for demand in demands for kind in ("report.hold", "report.release") * 3),
            *(hub.send(results_message(f"M-{demand}", demand=demand)) for demand in demands),
        )
        for demand in demands:
            await tell("report.release", demand)
    rows = await hub.rows("departures")
    assert sorted(row["held_for"] for row in rows) == [""] * len(demands)
    outbox = await hub.events("labohub.report.v1", len(demands))
    left = [each.message_id for each in outbox if type(each).__name__ == "ReportReceived"]
    async with asyncio.timeout(10):
        while len(left) < len(demands):
            outbox = await hub.events("labohub.report.v1", len(outbox) + 1)
            left = [each.message_id for each in outbox if type(each).__name__ == "ReportReceived"]
    assert len(left) == len(set(left)) == len(demands)


async def test_bodies_of_hl7_that_are_no_message_are_told_so(hub: Running) -> None:
    frame = b"\x0b" + results_message("F-1") + b"\x1c\r"
    second = b"\x0b" + results_message("F-2", demand="D-2") + b"\x1c\r"
    async with http(hub) as client:
        one = await client.post("/hl7", content=frame, headers=HL7)
        assert msa(one.content) == ("AA", "F-1")
        two = await client.post("/hl7", content=frame + second, headers=HL7)
        assert two.status_code == 400
        cut = await client.post("/hl7", content=frame[:-40], headers=HL7)
        assert cut.status_code == 400
        strange = await client.post("/hl7", content=b"\x00" * 1000, headers=HL7)
        assert strange.status_code in (200, 400)
    assert [row["control_id"] for row in await hub.rows("messages") if row["state"] == "accepted"] == ["F-1"]


async def test_headers_of_hl7_full_of_markup_reach_no_log_and_no_page_as_such(
    hub: Running, caplog: pytest.LogCaptureFixture
) -> None:
    evil = "<img src=x onerror=alert(1)>"
    message = results_message(f"{evil}\x1b[31m").replace(b"SGL-REMPARTS|", f"{evil}{NAME}|".encode())
    [answer] = await hub.send(message)
    async with http(hub) as client:
        seen = (await client.get("/connections")).text + (await client.get("/senders")).text
        listed = await client.get("/messages")
    assert NAME not in seen
    assert evil not in seen
    assert listed.headers["content-type"].startswith("application/json")
    assert answer
    assert all("\n" not in record.getMessage() and "\x1b" not in record.getMessage() for record in caplog.records)


async def test_two_operators_decide_one_message_once(tmp_path: Path) -> None:
    async with quarantining(tmp_path, KNOWN.replace("SGL-REMPARTS", "SGL-NEUF")) as (hub, api, _):
        await hub.send(relay_message("Q-1", document=cda("1.2.250.1.99998.8.1")))
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        path = f"/worklists/quarantine/{item['message_id']}/resolve"
        decisions: list[dict[str, Any]] = [
            {"decision": "release", "sender": "remparts"}, {"decision": "refuse"}
        ] * 3  # fmt: skip
        answers = await asyncio.gather(*(api.post(path, json=each) for each in decisions))
        assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404, 404]
        assert len(await hub.rows("audit")) == 1
        assert len(await hub.rows("requests")) == 1


HOSTILE_KEYS = [
    "Bearer", "Bearer " + "x" * 7000, "Basic eDp5", "Bearer \u00e9\u00e8", "bearer lbh_'; DROP TABLE messages;--",
]  # fmt: skip


async def test_no_key_of_any_form_opens_a_production_door(tmp_path: Path) -> None:
    keys = tmp_path / "keys.toml"
    keys.write_text('[[key]]\nid = "sgl"\nsha256 = "' + "0" * 64 + '"\nscopes = ["events"]\n'
                    'senders = [{ application = "SGL-REMPARTS", facility = "REMPARTS" }]\n')  # fmt: skip
    async with running(tmp_path / "data", api_keys=keys) as hub:
        base = f"http://127.0.0.1:{hub.hub.http.port}/api/v1"
        async with httpx.AsyncClient(base_url=base) as client:
            for key in HOSTILE_KEYS:
                for path, body in (("/events", event("report.hold", "D1")), ("/hl7", None)):
                    answer = await client.post(path, json=body, headers={b"authorization": key.encode("latin-1")})
                    assert answer.status_code == 401, key
                    assert key not in answer.text


async def test_signs_that_a_store_cannot_hold_harm_neither_their_message_nor_others(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """PostgreSQL refuses a NUL in a text: one such message must not fail the commit it shares."""
    url = request.getfixturevalue("postgres_server").fresh_database()
    odd = ["A\x00B", "A\\X00\\B", "A\ufffeB", "A\uffffB", "A\u0085B", "A\u2028B", "\ud7ff"]
    async with running(tmp_path, store_url=url) as hub:
        messages = [results_message(f"{sign}-{at}", demand=f"D{sign}{at}") for at, sign in enumerate(odd)]
        messages += [results_message(f"GOOD-{at}", demand=f"G{at}") for at in range(10)]
        answers = await asyncio.gather(*(hub.send(message) for message in messages))
        assert [msa(answer)[0] for [answer] in answers] == ["AA"] * len(messages)
