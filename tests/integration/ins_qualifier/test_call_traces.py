"""Every call to INSi leaves a trace that can be searched and exported, and exports are written down."""

import asyncio
import csv
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from sqlalchemy import select

from ins_qualifier.adapters import tables
from labohub.contracts.events import IdentityQualified
from labosim.identities import PUBLIC, generated_identity
from labosim.pki import Pki
from tests.support.ins import InsRig, patient_of, received

BOTH = pytest.mark.parametrize("rig", ["sqlite", "postgresql"], indirect=True)
ORDER = {"operator": "x1", "reason": "yearly review"}
TCHITCHI = next(person for person in PUBLIC if person.birth_name == "TCHITCHI")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.create(tmp_path_factory.mktemp("pki"))


@pytest.fixture
async def rig(request: pytest.FixtureRequest, pki: Pki, tmp_path: Path) -> AsyncIterator[InsRig]:
    """The stage on SQLite; on PostgreSQL where a test asks for both."""
    is_postgres = getattr(request, "param", "") == "postgresql"
    url = request.getfixturevalue("postgres_server").fresh_database() if is_postgres else ""
    rig = InsRig(tmp_path, pki, store_url=url)
    await rig.start()
    yield rig
    await rig.stop()


async def post(rig: InsRig, path: str, body: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{rig.hub.http.port}", trust_env=False) as client:
        return await client.post(f"/api/v1/identity/calls{path}", json=body)


async def ask_about(rig: InsRig, *numbers: int) -> None:
    for number in numbers:
        await rig.receive(received(patient_of(generated_identity(number)), report=f"R{number}"))
        await rig.decided(len(rig.answers) + 1)


async def exports(rig: InsRig) -> list[tuple[str, str, str]]:
    async with rig.service.database.reading() as connection:
        query = select(tables.history).where(tables.history.c.item == "insi_calls").order_by(tables.history.c.id)
        return [(row.code, row.actor, row.reason) for row in (await connection.execute(query)).all()]


async def test_a_trace_says_who_asked_what_when_and_what_came_of_it(rig: InsRig) -> None:
    await ask_about(rig, 1)

    (trace,) = (await rig.get("/api/v1/identity/calls")).json()["items"]

    assert trace["operation"] == "search-by-traits"
    assert (trace["outcome"], trace["question"], trace["trigger"]) == ("00", 1, "automatic")
    assert (trace["status"], trace["code"], trace["report_id"]) == ("qualified", "", "R1")
    assert int(trace["certificate"], 16) > 0
    assert trace["software"]
    assert trace["has_answer"]


async def test_a_list_of_traces_holds_no_patient(rig: InsRig) -> None:
    await ask_about(rig, 1)
    person = generated_identity(1)

    listed = (await rig.get("/api/v1/identity/calls")).text + (await post(rig, "/export.csv", ORDER)).text

    for value in (person.birth_name, person.first_given_name, person.matricule, person.matricule[:13]):
        assert value not in listed


@BOTH
async def test_traces_are_found_by_outcome_report_and_time_page_by_page(rig: InsRig) -> None:
    patient = patient_of(TCHITCHI, with_ins=False, given_names="OLA CATARINA BELLA", first_given_name="OLA")
    await rig.receive(received(patient, report="R0"))
    await rig.decided(1)
    await ask_about(rig, 1, 2)

    everything = (await rig.get("/api/v1/identity/calls")).json()["items"]
    first = (await rig.get("/api/v1/identity/calls?limit=2")).json()
    rest = (await rig.get(f"/api/v1/identity/calls?limit=2&after={first['next']}")).json()

    assert [one["outcome"] for one in reversed(everything)] == ["01", "00", "00", "00"]
    assert first["items"] + rest["items"] == everything
    assert rest["next"] == ""
    found = (await rig.get("/api/v1/identity/calls?outcome=01")).json()["items"]
    assert [(one["report_id"], one["question"]) for one in found] == [("R0", 1)]
    assert len((await rig.get("/api/v1/identity/calls?report_id=R0")).json()["items"]) == 2
    latest = everything[0]["called_at"]
    later = await rig.get(f"/api/v1/identity/calls?since={quote(latest)}")
    assert [one["called_at"] for one in later.json()["items"]] == [latest]
    assert len((await rig.get(f"/api/v1/identity/calls?until={quote(latest)}")).json()["items"]) == 3


async def test_an_archive_holds_what_was_sent_and_answered_byte_for_byte(rig: InsRig) -> None:
    await ask_about(rig, 1, 2)

    answer = await post(rig, "/export.zip", ORDER)

    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    lines = list(csv.DictReader(io.StringIO(archive.read("calls.csv").decode())))
    assert [line["report_id"] for line in lines] == ["R1", "R2"]
    for number, line in zip((1, 2), lines, strict=True):
        person = generated_identity(number)
        sent = archive.read(f"{line['message_id']}/sent.json")
        raw = archive.read(f"{line['message_id']}/answer.xml")
        assert orjson.loads(sent)["birth_name"] == person.birth_name
        assert person.matricule[:13].encode() in raw
    for each in archive.read("SHA256SUMS").decode().splitlines():
        digest, name = each.split("  ")
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest
    assert answer.headers["cache-control"] == "no-store"


@BOTH
async def test_each_export_is_written_down_with_its_operator_and_reason(rig: InsRig) -> None:
    await ask_about(rig, 1)
    await post(rig, "/export.csv", ORDER)
    await post(rig, "/export.zip", ORDER | {"operator": "x2"})

    refused = await post(rig, "/export.zip", ORDER | {"reason": " "})

    assert refused.status_code == 422
    assert refused.json()["code"] == "worklist.reason-required"
    assert await exports(rig) == [("csv 1", "x1", "yearly review"), ("zip 1", "x2", "yearly review")]


async def test_too_many_calls_are_refused_and_a_shorter_period_is_asked_for(
    rig: InsRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask_about(rig, 1, 2, 3)
    monkeypatch.setattr("ins_qualifier.adapters.call_desk.MAX_EXPORTED", 2)

    refused = await post(rig, "/export.csv", ORDER)
    shorter = await post(rig, "/export.csv", ORDER | {"filter": {"report_id": "R2"}})

    assert refused.json()["code"] == "insi.too-many-calls"
    assert shorter.status_code == 200
    assert await exports(rig) == [("csv 1", "x1", "yearly review")]


async def test_an_answer_that_was_erased_is_left_out(rig: InsRig) -> None:
    await ask_about(rig, 1)
    (trace,) = await rig.traces()
    await rig.platform.blobs.erase(trace.answer)

    archive = zipfile.ZipFile(io.BytesIO((await post(rig, "/export.zip", ORDER)).content))

    assert set(archive.namelist()) == {"SHA256SUMS", "calls.csv", f"{trace.message_id}/sent.json"}


async def test_a_trace_says_whether_a_person_asked(rig: InsRig) -> None:
    stranger = patient_of(generated_identity(1), with_ins=False, birth_name="NOBODY")
    await rig.receive(received(stranger))
    await rig.decided(1)
    (item,) = (await rig.get("/api/v1/worklists/identity")).json()["items"]
    await rig.post(f"/api/v1/worklists/identity/{item['id']}/resolve", {"decision": "retry", **ORDER})
    await rig.decided(2)

    traces = (await rig.get("/api/v1/identity/calls")).json()["items"]

    assert [one["trigger"] for one in reversed(traces)] == ["automatic"] * 3 + ["person"] * 3


async def test_a_call_without_an_answer_leaves_its_trace_too(rig: InsRig) -> None:
    rig.faults.order("insi", "outage")
    await rig.receive(received(patient_of(generated_identity(1))))
    async with asyncio.timeout(10):
        while not (await rig.get("/api/v1/identity/queue")).json()["waiting"]:
            await asyncio.sleep(0.005)
    rig.faults.clear()
    (answer,) = await rig.decided(1)

    traces = (await rig.get("/api/v1/identity/calls")).json()["items"]

    assert isinstance(answer, IdentityQualified)
    assert traces[0]["outcome"] == "00"
    assert {one["outcome"] for one in traces[1:]} == {"insi.unavailable"}
    assert not any(one["has_answer"] for one in traces[1:])
