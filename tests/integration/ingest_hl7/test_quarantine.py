"""A message of a sender nobody knows is acknowledged, kept, and decided by a person: nothing is lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ingest_hl7.adapters.sender_book import SenderBook
from labohub.contracts import topics
from labohub.contracts.events import MessageSettled, ReportHeld, ReportReceived
from tests.support.ingest import Running, cda, errors, msa, relay_message, results_message, running

OTHER = '[[sender]]\napplication = "SGL-AUTRE"\n'
KNOWN = """
[[sender]]
application = "SGL-REMPARTS"
name = "remparts"
biologist = { identifier = "99700005014", identifier_type = "RPPS", family_name = "LEGUEN" }
"""


@asynccontextmanager
async def quarantining(folder: Path, entries: str = OTHER, **settings: Any) -> AsyncIterator[tuple[Running, Any, Path]]:
    """Run the service with the quarantine on; give its API too."""
    place = folder / "senders.toml"
    place.write_text(entries)
    async with running(folder / "data", senders=place, unknown_sender="quarantine", **settings) as hub:
        base = f"http://127.0.0.1:{hub.hub.http.port}/api/v1"
        async with httpx.AsyncClient(base_url=base, timeout=20) as client:
            yield hub, client, place


async def reread(hub: Running, place: Path, text: str) -> None:
    """Change the senders' file, and have it read."""
    place.write_text(text)
    book = next(each for each in hub.service.listeners if isinstance(each, SenderBook))
    assert await book.refresh(asked=True)


async def test_an_unknown_sender_gets_aa_and_its_message_waits(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, _):
        [answer] = await hub.send(relay_message("Q-1"))
        assert msa(answer) == ("AA", "Q-1")
        [held] = await hub.events(topics.REPORT, 1)
        assert isinstance(held, ReportHeld)
        assert (held.reason, held.sender_application) == ("hl7.sender-unknown", "SGL-REMPARTS")
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        assert (item["control_id"], item["state"], item["reason"]) == ("Q-1", "quarantined", "hl7.sender-unknown")
        assert await hub.rows("requests") == []


async def test_its_entry_written_a_message_goes_the_ordinary_way_and_keeps_its_first_answer(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, place):
        [answer] = await hub.send(relay_message("Q-2"))
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        path = f"/worklists/quarantine/{item['message_id']}/resolve"
        early = await api.post(path, json={"decision": "release"})
        assert (early.status_code, early.json()["code"]) == (409, "quarantine.sender-unknown")
        await reread(hub, place, OTHER + KNOWN)
        assert (await api.post(path, json={"decision": "release"})).json()["state"] == "released"
        _, received = await hub.events(topics.REPORT, 2)
        assert isinstance(received, ReportReceived)
        assert received.message_id == item["message_id"]
        [row] = await hub.rows("messages")
        assert (row["state"], row["reason"]) == ("accepted", "")
        assert len(await hub.rows("requests")) == 1
        assert await hub.send(relay_message("Q-2")) == [answer]
        assert (await api.get("/worklists/quarantine")).json()["items"] == []
        again = await api.post(path, json={"decision": "release"})
        assert (again.status_code, again.json()["code"]) == (404, "quarantine.not-there")
        assert [line["action"] for line in await hub.rows("audit")] == ["quarantine.release"]


async def test_an_operator_may_name_the_entry_a_message_belongs_to(tmp_path: Path) -> None:
    async with quarantining(tmp_path, KNOWN.replace("SGL-REMPARTS", "SGL-NEUF")) as (hub, api, _):
        await hub.send(results_message("Q-3"))
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        path = f"/worklists/quarantine/{item['message_id']}/resolve"
        assert (await api.post(path, json={"decision": "release", "sender": "nobody"})).status_code == 409
        assert (await api.post(path, json={"decision": "release", "sender": "remparts"})).status_code == 200
        _, received = await hub.events(topics.REPORT, 2)
        assert isinstance(received, ReportReceived)
        assert received.report.sender.application == "SGL-REMPARTS"


async def test_two_versions_of_a_demand_released_in_order_become_one_report(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, place):
        await hub.send(
            results_message("Q-4"), results_message("Q-5", value="4.2", reported_at="20260312103000", status="C")
        )
        await reread(hub, place, KNOWN)
        for item in (await api.get("/worklists/quarantine")).json()["items"]:
            answer = await api.post(f"/worklists/quarantine/{item['message_id']}/resolve", json={"decision": "release"})
            assert answer.status_code == 200
        facts = [fact for fact in await hub.events(topics.REPORT, 4) if isinstance(fact, ReportReceived)]
        assert len({fact.report_id for fact in facts}) == 1
        assert [fact.report.request.value for fact in facts] == ["initial", "replacement"]


async def test_a_message_that_would_be_refused_stays_until_a_person_refuses_it(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, place):
        await hub.send(results_message("Q-6", value="quatre"))
        await reread(hub, place, KNOWN)
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        path = f"/worklists/quarantine/{item['message_id']}/resolve"
        answer = await api.post(path, json={"decision": "release"})
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"code": "ltw.not-a-number", "place": "OBX^1^5"}]
        assert len((await api.get("/worklists/quarantine")).json()["items"]) == 1
        assert (await api.post(path, json={"decision": "refuse"})).json()["state"] == "refused"
        [settled] = await hub.events(topics.MESSAGE, 1)
        assert isinstance(settled, MessageSettled)
        assert (settled.state, settled.code) == ("stopped", "hl7.sender-refused")


async def test_a_refused_document_is_told_for_each_destination_and_its_repetition_is_refused(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, _):
        await hub.send(relay_message("Q-7"))
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        await api.post(f"/worklists/quarantine/{item['message_id']}/resolve", json={"decision": "refuse"})
        told = (await api.get(f"/messages/{item['message_id']}/answers")).json()["answers"]
        assert sorted(each["message_type"].split("^")[1] for each in told) == ["Z01", "Z02"]
        assert all("|N^" in each["er7"] for each in told)
        events = await hub.events(topics.MESSAGE, 1)
        assert "stopped" in {event.state for event in events if isinstance(event, MessageSettled)}
        [answer] = await hub.send(relay_message("Q-7"))
        assert errors(answer) == [("207", "MSH^1^3", "E")]
        assert await hub.rows("documents") == []  # nothing of it stands in the way of another


async def test_a_refused_replacement_does_not_end_the_document_it_names(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, place):
        first, second = "1.2.250.1.99999.9.1.1", "1.2.250.1.99999.9.1.2"
        await hub.send(relay_message("Q-8", document=cda(second, replaces=first), request="replacement"))
        [item] = (await api.get("/worklists/quarantine")).json()["items"]
        await api.post(f"/worklists/quarantine/{item['message_id']}/resolve", json={"decision": "refuse"})
        await reread(hub, place, KNOWN)
        [answer] = await hub.send(relay_message("Q-9", document=cda(first)))
        assert msa(answer) == ("AA", "Q-9")


async def test_an_acknowledgement_from_nowhere_is_neither_kept_nor_answered(tmp_path: Path) -> None:
    async with quarantining(tmp_path) as (hub, api, _):
        ack = b"MSH|^~\\&|X|Y|LABOHUB|PFI|20260312||ACK^R01^ACK|A1|P|2.5\rMSA|AA|1\r"
        response = await api.post("/hl7", content=ack, headers={"content-type": "application/hl7-v2"})
        assert response.status_code == 202
        assert await hub.rows("messages") == []
