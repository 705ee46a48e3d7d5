"""The console in a real browser."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from labohub.runtime.http import HttpServer
from tests.support.console import Console, Story, console_on

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with console_on(tmp_path, lambda: datetime.now(UTC)) as running:
        yield running


@pytest.fixture
async def page(console: Console) -> AsyncIterator[Page]:
    server = HttpServer(console.app, "127.0.0.1", 0)
    [live] = console.service.listeners
    await live.start()
    await server.start()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        view = await browser.new_page(
            viewport={"width": 1280, "height": 800}, base_url=f"http://127.0.0.1:{server.port}", locale="fr-FR"
        )
        problems: list[str] = []
        view.on("pageerror", lambda error: problems.append(str(error)))
        view.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        yield view
        await browser.close()
        assert problems == []
    await live.stop()
    await server.stop()


async def test_a_report_is_found_by_its_number_and_shows_its_way(console: Console, page: Page) -> None:
    for number in (1, 2):
        await console.hear(Story(number, start=datetime.now(UTC)).told().facts)
    await page.goto("/")
    await page.keyboard.press("/")
    await page.keyboard.type("SGL-000002")
    await page.keyboard.press("Enter")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.keyboard.press("Escape")
    await page.locator("h1").click()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")

    await expect(page.locator("h1")).to_have_text("SGL-000002")
    await expect(page.locator(".lanes .node").first).to_be_visible()
    await expect(page.locator(".lanes .node")).to_have_count(8)  # eleven steps; mails to two recipients are one dot
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_new_report_shows_up_by_itself(console: Console, page: Page) -> None:
    await page.goto("/reports")
    await expect(page.locator("#live")).to_have_class("live on")
    await expect(page.locator(".empty")).to_be_visible()
    await console.hear(Story(1, start=datetime.now(UTC)).received().facts)
    await expect(page.locator("tbody tr")).to_have_count(1)
    await console.hear(Story(1, start=datetime.now(UTC)).told().facts)
    await expect(page.locator("tbody .chip")).to_have_text("Délivré")


async def test_a_selected_row_pauses_updates_until_it_is_released(console: Console, page: Page) -> None:
    await console.hear(Story(1, start=datetime.now(UTC)).told().facts)
    await page.goto("/reports")
    await expect(page.locator("#live")).to_have_class("live on")
    await page.keyboard.press("j")
    await expect(page.locator("#live")).to_have_class("live paused")
    await console.hear(Story(2, start=datetime.now(UTC)).told().facts)
    await expect(page.locator("#live")).to_have_attribute("data-pending", "yes")  # it heard, and holds it back
    await expect(page.locator("tbody tr")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.locator("tbody tr")).to_have_count(2)


async def test_traits_are_revealed_after_a_reason(console: Console, page: Page) -> None:
    story = Story(1, start=datetime.now(UTC)).told()
    await console.hear(story.facts)
    await page.goto(f"/reports/{story.report_id}")
    await expect(page.locator("#patient")).to_have_text("D••• M. 1954")
    await page.get_by_role("button", name="révéler").click()
    await page.locator("#reveal input[name=reason]").fill("appel du service")
    await page.locator("#reveal .primary").click()
    await expect(page.locator("#patient")).to_contain_text("DUBOISTEST")


async def test_help_lists_the_shortcuts_and_the_language_changes(page: Page) -> None:
    await page.goto("/")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_role("link", name="EN", exact=True).click()
    await expect(page.locator("h1")).to_have_text("Overview")
