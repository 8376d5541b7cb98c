"""What is locked, in a browser: protected at the upload, asked for, opened, changed by its owner, and viewed once."""

import asyncio
import itertools
from pathlib import Path

import aiohttp
from playwright.async_api import expect

from appliance.locks.guesses import BY_LOCK
from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, link_of, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, leave, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.server_process import serving
from tests.support.waiting import until


async def test_a_passphrase_protects_an_upload_until_its_owner_removes_it(
    site: Site, open_page: OpenPage, axe: str
) -> None:
    page = await open_page("/")
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Protect with a passphrase").fill("Käse und Brot")
    await choose(page, payload("secret.jpg", pictures.photo(640, 480)))
    card = await reaches(page, "secret.jpg", "done")
    link = await link_of(card)
    manage = await card.get_by_role("link", name="Manage").get_attribute("href") or ""
    await expect(page.get_by_label("Protect with a passphrase")).to_have_value("")
    await page.goto(link)
    await page.locator("#shown").wait_for()  # whoever uploaded it has a pass

    viewer = await open_page(link, **screen("phone"))
    await viewer.get_by_role("heading", name="This image is locked").wait_for()
    assert await overflow_px(viewer) <= 0
    assert await violations(viewer, axe) == []
    await viewer.get_by_label("Passphrase").fill("guess")
    await viewer.keyboard.press("Enter")
    await expect(viewer.get_by_role("alert").filter(has_text="wrong")).to_be_visible()
    await expect(viewer.get_by_label("Passphrase")).to_be_focused()
    await viewer.get_by_label("Passphrase").fill("Käse und Brot")
    await viewer.get_by_role("button", name="Open").click()
    await viewer.locator("#shown").wait_for()
    await viewer.wait_for_function("document.querySelector('#shown').naturalWidth > 0")
    met(viewer).clear()  # the statuses of what is locked

    owner = await open_page(manage)
    await owner.get_by_role("heading", name="Manage").wait_for()  # the link alone leads past the lock
    await expect(owner.get_by_role("status").filter(has_text="Saved")).to_have_count(0)
    await owner.get_by_label("Remove the passphrase").check()
    await owner.get_by_role("button", name="Save changes").click()
    await expect(owner.get_by_label("Protect with a passphrase")).to_be_visible()
    met(owner).clear()
    async with site.session.get(link) as reply:
        assert reply.status == 200


async def test_one_view_is_a_button_without_a_script(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", java_script_enabled=False)
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("One view").check()
    await choose(page, payload("once.jpg", pictures.photo(640, 480)))
    await page.get_by_role("button", name="Upload").click()
    link = await page.get_by_role("textbox", name="Page link").input_value()
    viewer = await open_page(link, java_script_enabled=False, **screen("narrow"))
    assert await overflow_px(viewer) <= 0
    async with viewer.expect_response("**/view") as shown:
        await viewer.get_by_role("button", name="View the image").click()
    assert (await (await shown.value).all_headers())["content-type"] == "image/jpeg"

    async def is_spent() -> bool:
        async with site.session.get(link) as reply:
            return reply.status == 410

    await until(is_spent, "the view is spent, once its last byte was sent")
    await leave(viewer)  # Chromium's own page for an image has styles that the content policy forbids


async def test_a_lock_that_is_guessed_opens_to_a_browser_that_has_solved_a_puzzle(
    tmp_path: Path, open_page: OpenPage, axe: str
) -> None:
    environment = {"APPLIANCE_LIMITS_PROOF_OF_WORK_COST": "1", "APPLIANCE_SERVER_TRUSTED_PROXIES": "127.0.0.1"}
    async with serving(tmp_path / "data", **environment) as served, aiohttp.ClientSession(served.url) as session:
        form = aiohttp.FormData({"passphrase": "Käse und Brot"})
        form.add_field("file", pictures.photo(64, 48), filename="secret.jpg")
        async with session.post("/api/v1/images", data=form) as reply:
            image = await reply.json()
        await guess_until_asked_for_work(session, f"/i/{image['slug']}/original")
        page = await open_page(f"{served.url}/i/{image['slug']}", **screen("narrow"))
        await expect(page.get_by_text("your browser solves a puzzle")).to_be_visible()
        assert await violations(page, axe) == []
        assert await overflow_px(page) <= 0
        await page.get_by_label("Passphrase").fill("Käse und Brot")
        await page.keyboard.press("Enter")
        await page.locator("#shown").wait_for()
        met(page).clear()  # the status of what is locked


async def guess_until_asked_for_work(session: aiohttp.ClientSession, path: str) -> None:
    """Guess from many networks, and from the browser's, until that has to work for each try."""

    async def guess(address: str) -> int:
        headers = {"X-Forwarded-For": address, "X-Passphrase": "guess"}
        async with session.get(path, headers=headers) as reply:
            return reply.status

    strangers = (f"198.{number >> 8}.{number & 255}.1" for number in itertools.count(1))
    for _ in range(BY_LOCK):
        await guess(next(strangers))
    while await guess("127.0.0.1") == 403:  # counts go down with time
        await asyncio.gather(*(guess(next(strangers)) for _ in range(8)))
