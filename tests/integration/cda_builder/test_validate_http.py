"""`POST /api/v1/validate`: what the gate says, explained, and nothing kept."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from cda_builder.adapters import validate_http
from cda_builder.adapters.gate import Gate
from cda_builder.adapters.validate_http import routes
from cda_builder.adapters.workshop import ProcessWorkshop
from cda_builder.core.explain import Lang
from labohub.standards.cda.builder import build_cr_bio
from tests.support.cda import PDF, model_of, results_of

XML = {"content-type": "application/xml"}


@pytest.fixture
async def workshop() -> AsyncIterator[ProcessWorkshop]:
    workshop = ProcessWorkshop(0, Gate(), 30)
    yield workshop
    await workshop.close()


@pytest.fixture
async def client(workshop: ProcessWorkshop) -> AsyncIterator[AsyncClient]:
    app = FastAPI()
    app.include_router(routes(workshop))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://hub") as client:
        yield client


@pytest.fixture(scope="module")
def document() -> bytes:
    return build_cr_bio(model_of(results_of()), PDF)


async def test_a_document_is_answered_with_its_findings_in_words(client: AsyncClient, document: bytes) -> None:
    wrong = document.replace(b"285076938314206", b"285076938314207")

    right = (await client.post("/api/v1/validate", content=document, headers=XML)).json()
    french = (await client.post("/api/v1/validate", content=wrong, headers=XML)).json()
    english = (await client.post("/api/v1/validate?lang=en", content=wrong, headers=XML)).json()

    assert right["conforms"] is True
    assert right["documents"][0]["conformance"] == "not-configured"
    assert right["documents"][0]["note"]
    assert french["conforms"] is False
    assert french["documents"][0]["findings"][0]["what"].startswith("La clé du matricule")
    assert english["documents"][0]["findings"][0]["remedy"].startswith("Take the matricule")


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"MSH|", {"content-type": "application/hl7-v2"}, 415, "http.media-type"),
        (b"", XML, 400, "http.empty"),
        (b"x" * 11, XML, 413, "http.too-large"),
    ],
)
async def test_what_is_not_taken_is_a_problem_with_a_code(
    client: AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    monkeypatch.setattr(validate_http, "MAX_BYTES", 10)

    answer = await client.post("/api/v1/validate", content=content, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_reports_come_before_validations(
    client: AsyncClient, workshop: ProcessWorkshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def slow(data: bytes, lang: Lang) -> list[object]:
        begun.release()
        await go_on.wait()
        return []

    monkeypatch.setattr(workshop, "validate", slow)
    asked = [asyncio.create_task(client.post("/api/v1/validate", content=b"<a/>", headers=XML)) for _ in range(4)]
    for _ in asked:
        await begun.acquire()

    refused = await client.post("/api/v1/validate", content=b"<a/>", headers=XML)
    go_on.set()

    assert refused.json()["code"] == "http.busy"
    assert [each.status_code for each in await asyncio.gather(*asked)] == [200] * 4
