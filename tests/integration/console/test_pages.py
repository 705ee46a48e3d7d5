"""The pages as a browser without scripts gets them."""

import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from labohub.contracts import events
from tests.support.console import MATRICULE, Console, Story, console_on

PAGES = ("/", "/reports", "/worklists/identity", "/worklists/dead")


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_on(tmp_path) as running:
        yield running


@pytest.fixture
async def http(console: Console) -> AsyncIterator[httpx.AsyncClient]:
    async with console.client() as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
async def test_an_empty_console_says_what_to_do(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == 200
    assert re.search(r'class="empty', answer.text)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_speak_french_first_and_english_when_asked(http: httpx.AsyncClient, path: str) -> None:
    assert 'lang="fr"' in (await http.get(path)).text
    english = await http.get(path, params={"lang": "en"})
    assert '<html lang="en">' in english.text
    assert '<html lang="en">' in (await http.get(path)).text  # remembered


async def test_nothing_is_loaded_from_elsewhere_and_nothing_inline_runs(
    console: Console, http: httpx.AsyncClient
) -> None:
    story = Story().told()
    await console.hear(story.facts)
    for path in (*PAGES, f"/reports/{story.report_id}", f"/reports/{story.report_id}?view=full"):
        answer = await http.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(r'(?:src|href)="(?:https?:)?//', answer.text)
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", answer.text)


async def test_every_file_that_a_page_names_is_served(http: httpx.AsyncClient) -> None:
    page = (await http.get("/")).text
    for path in set(re.findall(r'"(/static/[^"#]+)', page)):
        assert (await http.get(path)).status_code == 200
    assert (await http.get("/static/../settings.py")).status_code == 404


async def test_no_page_or_file_names_the_patient(console: Console, http: httpx.AsyncClient) -> None:
    story = Story().told()
    await console.hear(story.facts)
    own = f"/reports/{story.report_id}"
    paths = ("/", "/reports", "/reports.csv", own, f"{own}?view=full", f"{own}?view=raw", f"{own}/timeline.csv")
    for path in (*paths, f"{own}/recipients.csv"):
        answer = await http.get(path)
        assert answer.status_code == 200
        for word in (MATRICULE, "DUBOISTEST", "MARCELIN", "19540610"):
            assert word not in answer.text


async def test_what_a_sender_writes_is_text_not_markup(console: Console, http: httpx.AsyncClient) -> None:
    archived = events.MessageArchived(
        event_id="e", occurred_at=Story().start, report_id="r", message_id="m", control_id="<script>alert(1)</script>",
        message_type="OUL^R22", sender_application="=HYPERLINK(1)", sender_facility='"><img>', reason="ltw.not-final",
    )  # fmt: skip
    await console.hear([archived])
    for path in ("/reports", "/reports/r"):
        text = (await http.get(path)).text
        assert "<script>alert" not in text
        assert '"><img>' not in text
    rows = list(csv.reader(io.StringIO((await http.get("/reports.csv")).text.removeprefix("\ufeff"))))
    assert rows[2][rows[1].index("sender_application")] == "'=HYPERLINK(1)"


async def test_a_csv_file_has_the_filter_of_its_page(console: Console, http: httpx.AsyncClient) -> None:
    await console.hear(Story(1).told().facts)
    await console.hear(Story(2).received().facts)
    rows = list(csv.reader(io.StringIO((await http.get("/reports.csv?status=delivered")).text.removeprefix("\ufeff"))))
    assert rows[0] == ["# status=delivered"]
    assert [row[rows[1].index("control_id")] for row in rows[2:]] == ["SGL-000001"]


async def test_an_unknown_report_is_a_page_that_helps(http: httpx.AsyncClient) -> None:
    answer = await http.get("/reports/none")
    assert answer.status_code == 404
    assert "introuvable" in answer.text


async def test_the_cda_in_a_browser_runs_nothing(console: Console, http: httpx.AsyncClient) -> None:
    cda = await console.platform.blobs.put(b"<ClinicalDocument/>", "application/xml")
    story = Story().received().built(cda)
    await console.hear(story.facts)
    answer = await http.get(f"/reports/{story.report_id}/documents/{story.document_id}/cda")
    assert answer.headers["content-security-policy"].startswith("sandbox;")
