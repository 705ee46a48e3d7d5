"""Messages examined beside the road: by our tables and hl7apy, in another process, without holding anybody up."""

import asyncio
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingest_hl7.adapters.conformance import Inspector, conformance
from ingest_hl7.adapters.conformance_task import inspect
from tests.support.ingest import Running, msa, relay_message, results_message, running


def codes(raw: bytes) -> tuple[str, str, list[str]]:
    report = inspect(raw, {}, "iso8859-15")
    return report["verdict"], report["hl7apy"], [each["code"] for each in report["findings"]]


async def asked(hub: Running, number: int = 0) -> httpx.Response:
    rows = await hub.rows("messages")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.hub.http.port}/api/v1", timeout=60) as client:
        return await client.get(f"/messages/{rows[number]['message_id']}/conformance")


async def test_any_message_is_examined_when_asked_and_its_report_is_kept(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await hub.send(results_message("C-1"))
        answer = await asked(hub)
        assert answer.json()["profile"] == "ORU_R01"
        assert answer.json()["verdict"] == "passes"
        assert "KERMADEC" not in answer.text
        assert len(await hub.rows("conformance")) == 1
        assert (await asked(hub)).json() == answer.json()


async def test_refused_messages_are_examined_too(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        [answer] = await hub.send(results_message("C-2").replace(b"PID|", b"ZZZ|"))
        assert msa(answer)[0] == "AE"
        report = (await asked(hub)).json()
        assert report["verdict"] == "fails"
        assert "profile.segment-missing" in {each["code"] for each in report["findings"]}


async def test_all_messages_of_a_sender_on_trial_are_examined_as_they_come(tmp_path: Path) -> None:
    place = tmp_path / "s.toml"
    place.write_text('[[sender]]\napplication = "SGL-REMPARTS"\nstage = "test"\n[[sender]]\napplication = "OTHER"\n')
    async with running(tmp_path / "data", senders=place) as hub:
        other = results_message("T-2", demand="D2").replace(b"SGL-REMPARTS", b"OTHER")
        await hub.send(other, results_message("T-1"))
        async with asyncio.timeout(30):
            while not (rows := await hub.rows("conformance")):
                await asyncio.sleep(0.05)
        ids = {row["control_id"]: row["message_id"] for row in await hub.rows("messages")}
        assert [row["message_id"] for row in rows] == [ids["T-1"]]


async def test_a_full_queue_leaves_messages_out_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(self: Inspector) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Inspector, "follow", stuck)
    async with running(tmp_path, conformance_percent=100, conformance_queue=1) as hub:
        messages = [results_message(f"F-{number}", demand=f"D{number}") for number in range(5)]
        answers = await hub.send(*messages)
        assert [msa(answer)[0] for answer in answers] == ["AA"] * 5
        assert conformance.name == "conformance"
        assert await hub.rows("conformance") == []


async def test_a_message_that_takes_too_long_is_given_up_and_the_next_one_examined(tmp_path: Path) -> None:
    async with running(tmp_path, conformance_timeout_seconds=0.001) as hub:
        await hub.send(results_message("L-1"))
        answer = await asked(hub)
        assert (answer.status_code, answer.json()["code"]) == (503, "conformance.busy")
        assert await hub.rows("conformance") == []


async def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    async with running(tmp_path) as hub:
        await hub.send(results_message("W-1"), results_message("W-2", demand="D2"))
        assert (await asked(hub)).status_code == 200
        owners = (getattr(close, "__self__", None) for close in hub.service.closing)
        inspector = next(owner for owner in owners if isinstance(owner, Inspector))
        assert inspector._executor is not None
        [process] = inspector._executor._processes.values()
        assert process.pid is not None
        os.kill(process.pid, 9)
        assert (await asked(hub, 1)).status_code == 200


def test_prt_segments_and_embedded_data_do_not_mislead() -> None:
    verdict, second, found = codes(relay_message("P-1"))
    assert (verdict, found) == ("passes", [])
    assert second in ("passes", "failed")
    big = relay_message("P-2", document=b"<x>" + b"y" * 300_000 + b"</x>")
    assert codes(big)[0] == "passes"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"|N-1|": "||"}, "profile.field-missing"),
        ({"\rOBX|2|": "\rPD1|1\rOBX|2|"}, "profile.segment-unexpected"),
        ({"\rOBR|": "\rZBR|"}, "profile.segment-missing"),
        ({"R000451^^^": "R" * 129 + "^^^"}, "profile.too-long"),
    ],
)
def test_what_departs_from_the_profile_is_named(changed: dict[str, str], code: str) -> None:
    text = results_message("N-1").decode()
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new, 1)
    verdict, _, found = codes(text.encode())
    assert verdict == "fails"
    assert code in found


@pytest.mark.parametrize(
    "raw", [b"", b"MSH", b"MSH|^~\\&|\xff", b"not hl7", b"MSH|^~\\&|A|B|||||XYZ^Z99|1|P|2.5\rAAA|1\r"]
)
def test_nothing_makes_it_fail(raw: bytes) -> None:
    report: dict[str, Any] = inspect(raw, {}, "")
    assert report["verdict"] in ("fails", "unknown-profile")
