"""A host where only holders of a key upload: typed into the page, kept on the device, and given up again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import met, overflow_px, screen
from tests.support.images import pictures
from tests.support.server_process import ServerProcess, serving

FILE = payload("cat.jpg", pictures.photo(64, 48))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServerProcess]:
    """A server where only keys upload."""
    folder: Path = tmp_path_factory.mktemp("closed")
    async with serving(folder / "data", APPLIANCE_ACCESS_UPLOADS="key") as served:
        yield served


def minted(served: ServerProcess, name: str) -> str:
    return served.command("key", "add", name).stdout.strip()


async def kept(page: Page) -> str | None:
    """The key that the browser keeps."""
    found: str | None = await page.evaluate("localStorage.getItem('access-key')")
    return found


async def test_a_key_is_asked_for_kept_and_given_up(closed: ServerProcess, open_page: OpenPage, axe: str) -> None:
    key = minted(closed, "scanner")
    page = await open_page(closed.url, **screen("narrow"))
    field, said = page.get_by_label("Access key"), page.locator("#key-help")
    assert await violations(page, axe) == []
    await choose(page, FILE)
    refused = await reaches(page, "cat.jpg", "failed")
    await expect(refused.locator(".state")).to_contain_text("You need an access key")
    await field.fill(key[:-1])
    await page.get_by_role("button", name="Remember").click()
    await expect(said).to_contain_text("has a typo")
    assert await kept(page) is None
    met(page).clear()  # the statuses of both
    await field.fill(key)
    await reaches(page, "cat.jpg", "done")  # as soon as there is a key
    await field.press("Enter")
    await expect(said).to_have_text("Uploads use the key “scanner”.")
    assert await overflow_px(page) <= 0
    await page.reload()
    await expect(said).to_contain_text("scanner")
    await expect(field).to_have_attribute("type", "password")
    await choose(page, FILE)
    await reaches(page, "cat.jpg", "done")
    await page.get_by_role("button", name="Forget").click()
    await expect(field).to_have_value("")
    assert await kept(page) is None
    await expect(page.get_by_role("button", name="Remember")).to_be_focused()


async def test_a_key_that_was_revoked_is_given_up_and_said(closed: ServerProcess, open_page: OpenPage) -> None:
    key = minted(closed, "lost")
    page = await open_page(closed.url)
    await page.get_by_label("Access key").fill(key)
    await page.get_by_role("button", name="Remember").click()
    await expect(page.locator("#key-help")).to_contain_text("“lost”")
    assert closed.command("key", "revoke", "lost").returncode == 0
    await page.reload()
    await expect(page.locator("#key-help")).to_contain_text("The access key")
    await expect(page.get_by_label("Access key")).to_have_value("")
    assert await kept(page) is None
    met(page).clear()


async def test_without_javascript_the_key_is_a_field(closed: ServerProcess, open_page: OpenPage) -> None:
    page = await open_page(closed.url, java_script_enabled=False)
    await choose(page, FILE)
    await page.get_by_label("Access key").fill("imgk_wrong")
    await page.get_by_role("button", name="Upload").click()
    await expect(page.get_by_role("alert")).to_contain_text("typo")
    met(page).clear()
    await choose(page, FILE)
    await page.get_by_label("Access key").fill(minted(closed, "plain"))
    await page.get_by_role("button", name="Upload").click()
    await page.get_by_role("heading", name="Your image is online").wait_for()


async def test_a_revoked_key_is_told_from_a_wrong_one_in_another_language(
    closed: ServerProcess, open_page: OpenPage
) -> None:
    key = minted(closed, "former")
    closed.command("key", "revoke", "former")
    page = await open_page(closed.url, locale="de-DE")
    await page.get_by_label("Zugangsschlüssel").fill(key)
    await page.keyboard.press("Enter")
    await expect(page.locator("#key-help")).to_contain_text("wurde gesperrt")
    met(page).clear()  # the status
