"""A host where only holders of a key upload: typed into the page, kept on the device, and given up again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, Route, expect

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


async def with_kept_key(served: ServerProcess, open_page: OpenPage, name: str) -> Page:
    page = await open_page(served.url)
    await page.get_by_label("Access key").fill(minted(served, name))
    await page.get_by_role("button", name="Remember").click()
    await expect(page.locator("#key-help")).to_contain_text(f"“{name}”")
    return page


REFUSALS: dict[int, tuple[dict[str, object], str]] = {
    429: ({"code": "rate-limited", "detail": "More than 60 requests a minute.", "limit": 60}, "60"),
    500: ({"code": "internal-error", "detail": "Something went wrong."}, "wrong"),
    503: ({"code": "busy", "detail": "The server is busy."}, "busy"),
    403: ({"code": "banned", "until": "2026-12-01T02:35:00Z"}, "banned until"),
}


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refusal_for_another_reason_leaves_the_kept_key(
    closed: ServerProcess, open_page: OpenPage, status: int
) -> None:
    page = await with_kept_key(closed, open_page, f"kept at {status}")
    key = await kept(page)
    problem, words = REFUSALS[status]

    async def refuse(route: Route) -> None:
        await route.fulfill(status=status, content_type="application/problem+json", json={"status": status, **problem})

    await page.route("**/api/v1/me", refuse)
    await page.reload()
    await expect(page.locator("#key-help")).to_contain_text(words)
    assert await kept(page) == key
    await expect(page.get_by_role("button", name="Forget")).to_be_visible()
    await page.unroute_all()
    await page.reload()
    await expect(page.locator("#key-help")).to_contain_text(f"“kept at {status}”")
    met(page).clear()  # the status


async def test_a_ban_of_the_address_leaves_the_kept_key(closed: ServerProcess, open_page: OpenPage) -> None:
    page = await with_kept_key(closed, open_page, "banned")
    key = await kept(page)
    assert closed.command("ban", "add", "127.0.0.1", "--force").returncode == 0
    try:
        await page.reload()
        assert await kept(page) == key
    finally:
        assert closed.command("ban", "remove", "127.0.0.1").returncode == 0
    await page.reload()
    await expect(page.locator("#key-help")).to_contain_text("“banned”")
    met(page).clear()  # the status


async def test_a_page_opened_before_a_ban_says_that_the_key_is_valid(
    closed: ServerProcess, open_page: OpenPage
) -> None:
    page = await open_page(closed.url)
    await page.get_by_label("Access key").fill(minted(closed, "early"))
    assert closed.command("ban", "add", "127.0.0.1", "--force").returncode == 0
    try:
        await page.get_by_role("button", name="Remember").click()
        await expect(page.locator("#key-help")).to_contain_text("The key is valid, but you can’t upload here")
    finally:
        assert closed.command("ban", "remove", "127.0.0.1").returncode == 0


async def test_a_key_that_was_replaced_is_given_up_and_said(closed: ServerProcess, open_page: OpenPage) -> None:
    page = await with_kept_key(closed, open_page, "renewed")
    assert closed.command("key", "rotate", "renewed").returncode == 0
    await page.reload()
    await expect(page.locator("#key-help")).to_contain_text("was replaced")
    assert await kept(page) is None
    met(page).clear()  # the status


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
    await expect(page.locator("#key-button")).to_be_enabled()
    await page.get_by_label("Zugangsschlüssel").fill(key)
    await page.keyboard.press("Enter")
    await expect(page.locator("#key-help")).to_contain_text("wurde widerrufen")
    met(page).clear()  # the status
