"""The REST API of the console."""

import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from console.adapters.documents import wanted_form
from console.adapters.tables import audit
from labohub.contracts import events
from labohub.contracts.values import ReportId
from tests.support.console import DOCTOR, MATRICULE, START, Console, Story, console_on


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_on(tmp_path) as running:
        yield running


@pytest.fixture
async def http(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with console.client() as client:
        yield client


async def ids(http: httpx.AsyncClient, **query: str | int) -> list[str]:
    answer = await http.get("/api/v1/reports", params=query)
    assert answer.status_code == 200, answer.text
    return [item["control_id"] for item in answer.json()["items"]]


async def test_reports_are_found_by_what_people_have_in_hand(console: Console, http: httpx.AsyncClient) -> None:
    for number in range(1, 4):
        await console.hear(Story(number, start=START + timedelta(minutes=number)).told().facts)
    await console.hear(Story(9, start=START).received().facts)

    assert await ids(http) == ["SGL-000003", "SGL-000002", "SGL-000001", "SGL-000009"]
    assert await ids(http, control_id="SGL-000002") == ["SGL-000002"]
    assert await ids(http, order_number="DEM-3") == ["SGL-000003"]
    assert await ids(http, q="LAB-1") == ["SGL-000001"]
    assert await ids(http, q="SGL-00000") == ["SGL-000003", "SGL-000002", "SGL-000001", "SGL-000009"]
    assert await ids(http, q="%") == []
    assert await ids(http, status="in-progress") == ["SGL-000009"]
    assert await ids(http, status="delivered", since=(START + timedelta(minutes=2)).isoformat()) == [
        "SGL-000003", "SGL-000002"
    ]  # fmt: skip
    assert await ids(http, sender="LBM-A", until=START.isoformat()) == ["SGL-000009"]
    assert await ids(http, sender="LBM-B") == []


async def test_pages_follow_each_other_without_gap_or_repetition(console: Console, http: httpx.AsyncClient) -> None:
    for number in range(1, 8):
        await console.hear(Story(number).received().facts)  # all received at the same instant
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await http.get("/api/v1/reports", params={"limit": 3, "cursor": cursor})).json()
        seen += [item["control_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert sorted(seen) == [f"SGL-{number:06d}" for number in range(1, 8)]


async def test_a_document_is_given_in_the_form_asked_for_and_the_reading_is_audited(
    console: Console, http: httpx.AsyncClient
) -> None:
    cda = await console.platform.blobs.put(b"<ClinicalDocument/>", "application/xml")
    pdf = await console.platform.blobs.put(b"%PDF-1.7", "application/pdf")
    story = Story().received().qualified().built(cda, pdf)
    await console.hear(story.facts)
    path = f"/api/v1/reports/{story.report_id}/documents/{story.document_id}"

    as_xml = await http.get(path, headers={"Accept": "application/xml"})
    as_pdf = await http.get(path, headers={"Accept": "application/pdf, application/xml;q=0.5"})
    assert (as_xml.content, as_xml.headers["content-type"]) == (b"<ClinicalDocument/>", "application/xml")
    assert (as_pdf.content, as_pdf.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    async with console.service.database.reading() as connection:
        acts = [row.act for row in await connection.execute(select(audit).order_by(audit.c.id))]
    assert acts == ["read.blob", "read.pdf"]


async def test_an_erased_document_is_gone(console: Console, http: httpx.AsyncClient) -> None:
    cda = await console.platform.blobs.put(b"<ClinicalDocument/>", "application/xml")
    story = Story().received().built(cda)
    await console.hear(story.facts)
    await console.platform.blobs.erase(cda)

    answer = await http.get(f"/api/v1/reports/{story.report_id}/documents/{story.document_id}")
    assert (answer.status_code, answer.json()["code"]) == (410, "blob.missing")


async def test_traits_are_revealed_only_with_a_reason_that_is_kept(console: Console, http: httpx.AsyncClient) -> None:
    story = Story().told()
    await console.hear(story.facts)
    path = f"/api/v1/reports/{story.report_id}/patient"

    assert (await http.post(path, json={})).status_code == 422
    revealed = await http.post(path, json={"reason": "identity officer, call of the ward"})
    assert revealed.json()["birth_name"] == "DUBOISTEST"
    async with console.service.database.reading() as connection:
        [row] = (await connection.execute(select(audit))).all()
    assert (row.act, row.report_id, row.reason) == (
        "reveal.patient", story.report_id, "identity officer, call of the ward"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/reports/none", 404, "console.report-unknown"),
        ("/api/v1/reports/none/timeline", 404, "console.report-unknown"),
        ("/api/v1/reports/none/documents/none", 404, "console.document-unknown"),
        ("/api/v1/reports/last", 404, "console.report-unknown"),
        ("/api/v1/reports?cursor=x", 422, "console.cursor-malformed"),
        ("/api/v1/reports?status=lost", 422, "console.status-unknown"),
        ("/api/v1/reports?limit=0", 422, "request.invalid"),
        ("/api/v1/reports?since=2026-03-12", 422, "request.invalid"),
        ("/api/v1/worklists/unknown", 422, "request.invalid"),
    ],
)
async def test_a_refusal_is_a_problem_with_its_code(http: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code
    assert answer.json()["status"] == status


async def test_a_problem_never_repeats_what_was_sent(http: httpx.AsyncClient) -> None:
    answer = await http.get("/api/v1/reports", params={"limit": "DUBOISTEST", "since": MATRICULE})
    assert answer.status_code == 422
    assert "DUBOISTEST" not in answer.text
    assert MATRICULE not in answer.text


async def test_worklists_and_reconciliation_count_what_waits(console: Console, http: httpx.AsyncClient) -> None:
    await console.hear(Story(1).received().unresolved().facts)
    await console.hear(Story(2).received().mail(events.MailBounced, DOCTOR, smtp_code="550", status="5.1.1").facts)

    assert (await http.get("/api/v1/worklists")).json() == {"identity": 1, "recipients": 1}
    [item] = (await http.get("/api/v1/worklists/recipients")).json()["items"]
    assert (item["code"], item["target"], item["control_id"]) == ("mss.bounced", DOCTOR.address, "SGL-000002")
    assert (await http.get("/api/v1/reconciliation")).json()["open"] == 2


@pytest.mark.parametrize("is_released_first", [False, True])
async def test_a_message_released_from_quarantine_is_one_report(
    console: Console, http: httpx.AsyncClient, is_released_first: bool
) -> None:
    story = Story(1).received()
    [received] = story.facts
    names = {"message_type": "ORU^R01", "sender_application": "S", "sender_facility": "L"}
    held = events.ReportHeld(
        event_id="held", occurred_at=received.occurred_at, report_id=ReportId("quarantined"),
        message_id=story.message_id, control_id=story.control_id, reason="hl7.sender-unknown", **names,
    )  # fmt: skip
    if not is_released_first:
        await console.hear([held])
        [shown] = (await http.get("/api/v1/reports")).json()["items"]
        assert (shown["report_id"], shown["is_settled"]) == ("quarantined", False)
    await console.hear([received, held] if is_released_first else [received])
    [shown] = (await http.get("/api/v1/reports")).json()["items"]
    assert shown["report_id"] == story.report_id
    assert (await http.get("/api/v1/reconciliation")).json()["open"] == 1


async def test_no_answer_of_the_api_names_the_patient(console: Console, http: httpx.AsyncClient) -> None:
    story = Story().told()
    await console.hear(story.facts)
    for path in ("", "/last", f"/{story.report_id}", f"/{story.report_id}/timeline"):
        text = (await http.get(f"/api/v1/reports{path}")).text
        for word in (MATRICULE, "DUBOISTEST", "MARCELIN", "19540610"):
            assert word not in text


async def test_the_contract_is_served(http: httpx.AsyncClient) -> None:
    paths = (await http.get("/api/v1/openapi.json")).json()["paths"]
    assert {"/api/v1/reports", "/api/v1/reports/{report_id}/timeline", "/api/v1/reconciliation"} <= set(paths)
    assert not [path for path in paths if not path.startswith("/api/v1/")]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/xml", "blob"), ("application/pdf", "pdf"), ("*/*", "blob"), ("", "blob"),
        ("application/xml;q=0.2, application/pdf;q=0.9", "pdf"), ("application/pdf;q=x", "blob"),
        ("text/html,application/xml;q=0.9", "html"), ("application/xml;q=0.9,text/html;q=0.2", "blob"),
    ],
)  # fmt: skip
def test_the_form_follows_the_accept_header(accept: str, form: str) -> None:
    assert wanted_form(accept) == form


async def test_the_evidence_holds_what_was_sent_with_a_true_manifest(console: Console, http: httpx.AsyncClient) -> None:
    blobs = console.platform.blobs
    cda = await blobs.put(b"<ClinicalDocument/>", "application/xml")
    mail = await blobs.put(b"Subject: x\r\n\r\n", "message/rfc822")
    soap = await blobs.put(b"<Envelope/>", "application/soap+xml")
    story = Story().received().qualified().built(cda).mail(events.MailAccepted, evidence=mail)
    story.tell(
        events.SubmissionAccepted,
        submission_id="2.25.1",
        document_id=story.document_id,
        operation="TD2.1",
        evidence=soap,
    )
    await console.hear(story.facts)
    await blobs.erase(soap)

    answer = await http.get(f"/api/v1/reports/{story.report_id}/evidence.zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        files = {name: bundle.read(name) for name in bundle.namelist()}
    manifest = json.loads(files.pop("manifest.json"))["files"]
    missing = [line["name"] for line in manifest if "missing" in line]

    assert {line["name"]: line["sha256"] for line in manifest if "missing" not in line} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert files[f"documents/v1-{cda.sha256[:12]}.xml"] == b"<ClinicalDocument/>"
    assert files["evidence/001-mail.accepted.eml"] == b"Subject: x\r\n\r\n"
    assert missing == ["evidence/002-dmp.accepted.xml"]
    async with console.service.database.reading() as connection:
        assert [row.act for row in await connection.execute(select(audit))] == ["read.evidence"]
