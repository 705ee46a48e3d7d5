"""A document as a page, in a real browser: from the console, and as the file that presents itself."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, Route, async_playwright

from labohub.runtime.http import HttpServer
from labohub.standards.cda.presentation import self_presenting
from tests.support.console import Console, Story, console_on
from tests.support.presentation import PIXEL, document

CHROMIUM = "/usr/bin/chromium"
IMAGE = (
    '<entry><observationMedia ID="curve" classCode="OBS" moodCode="EVN">'
    f'<value mediaType="image/png" representation="B64">{PIXEL}</value></observationMedia></entry>'
)
HOSTILE = """<text>
  <paragraph>vu<linkHtml href="javascript:document.title='pris'">lien</linkHtml></paragraph>
  <script xmlns="http://www.w3.org/1999/xhtml">document.title = "pris"</script>
  <img xmlns="http://www.w3.org/1999/xhtml" src="http://127.0.0.1:9/a.png" onerror="document.title='pris'"/>
</text>"""


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_on(tmp_path, lambda: datetime.now(UTC)) as running:
        yield running


@pytest.fixture
async def page(console: Console) -> AsyncIterator[Page]:
    server = HttpServer(console.app, "127.0.0.1", 0)
    await server.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield await browser.new_page(base_url=f"http://127.0.0.1:{server.port}", locale="fr-FR")
        await browser.close()
    await server.stop()


async def shown(console: Console, page: Page, content: bytes) -> list[str]:
    """Open a document as the console shows it; return the addresses the browser asked for."""
    story = Story(1, start=datetime.now(UTC))
    reference = await console.platform.blobs.put(content, "text/xml")
    await console.hear(story.received().qualified().built(reference).facts)
    asked = addresses(page)
    answer = await page.goto(f"/reports/{story.report_id}/documents/{story.document_id}/html")
    assert answer is not None
    assert answer.status == 200
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    return asked


def addresses(page: Page) -> list[str]:
    """Return a list that grows with each address the browser asks for; what is inside the page is none."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith("data:"):
            asked.append(request.url)

    page.on("request", note)
    return asked


async def test_the_console_shows_a_document_as_a_page_and_fetches_nothing_else(console: Console, page: Page) -> None:
    asked = await shown(console, page, document(entries=IMAGE))
    assert len(asked) == 1
    text = await page.locator("body").inner_text()
    for words in ("LEROUX CLAIRE", "151 mmol/L", "136 - 145", "annule et remplace", "12/03/2026 à 10:15"):
        assert words in text
    assert await page.locator("img.figure").evaluate("image => image.naturalWidth") == 1
    await page.set_viewport_size({"width": 360, "height": 800})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_hostile_document_runs_nothing_and_reaches_nobody(console: Console, page: Page) -> None:
    asked = await shown(console, page, document(HOSTILE))
    assert len(asked) == 1
    assert await page.title() == "Compte rendu d'examens biologiques, LEROUX CLAIRE"
    assert "lien" in await page.locator("body").inner_text()
    assert await page.locator("a, script, img").count() == 0


async def test_the_file_that_presents_itself_shows_the_same_words(console: Console, page: Page) -> None:
    """Over HTTP: Chromium runs no stylesheet of a file opened from the disk."""
    await shown(console, page, document(entries=IMAGE))
    expected = await page.locator("main").inner_text()

    async def serve(route: Route) -> None:
        await route.fulfill(body=self_presenting(document(entries=IMAGE)), content_type="application/xml")

    address = "http://laboratory.test/report.xml"
    await page.route(address, serve)
    asked = addresses(page)
    await page.goto(address)
    assert await page.locator("main").inner_text() == expected
    assert await page.locator("img.figure").evaluate("image => image.naturalWidth") == 1
    assert set(asked) == {address}
