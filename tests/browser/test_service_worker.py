"""The service worker: it takes what a phone shares, says when there is no connection, and caches nothing."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import link_of, payload, reaches, resource, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import STORE
from tests.support.browser.pages import THEMES, Site, met, overflow_px, screen
from tests.support.browser.sharing import share, upload_shared
from tests.support.images import pictures

NO_ROOM = """() => {
    IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError"); };
}"""

COUNT_UNDECIDED = """() => new Promise((done) => {
    indexedDB.open("appliance").onsuccess = ({ target: { result } }) => {
        result.transaction("begun").objectStore("begun").getAll().onsuccess = ({ target }) => {
            done(target.result.filter(({ undecided }) => undecided).length);
            result.close();
        };
    };
})"""


async def with_worker(open_page: OpenPage, address: str = "/", **options: Any) -> Page:
    """A page whose service worker is active."""
    page = await open_page(address, **options)
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    return page


async def test_shared_images_are_uploaded_by_the_page_with_their_progress(site: Site, open_page: OpenPage) -> None:
    page = await with_worker(open_page, **screen("phone"))
    files = [payload(name, pictures.photo(64, 48, seed=at)) for at, name in enumerate(("one.jpg", "two.jpg"))]
    await share(page, *files, title="From the gallery")
    await upload_shared(page)
    links = [await link_of(await reaches(page, file["name"], "done")) for file in files]
    assert page.url == f"{site.url}/"
    assert {(await resource(site, link))["title"] for link in links} == {"From the gallery"}
    await page.goto("/images")
    await expect(page.get_by_text("From the gallery")).to_have_count(2)


async def test_a_shared_image_is_blurred_before_anything_of_it_is_sent(
    site: Site, open_page: OpenPage, axe: str
) -> None:
    page = await with_worker(open_page, **screen("narrow", "dark"))
    data = pictures.saved(pictures.quarters(), "png")
    await share(page, payload("secret.png", data), title="From the gallery")
    await page.get_by_text("Upload secret.png (").wait_for()
    await page.reload()  # nobody has decided yet
    await page.get_by_role("button", name="Blur parts first").wait_for()
    await expect(page.locator("#uploads > li")).to_have_count(0)
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    await page.get_by_role("button", name="Blur parts first").tap()
    await page.get_by_role("button", name="Add an area").tap()
    await page.get_by_role("button", name="Blur and upload").tap()
    uploaded = await resource(site, await link_of(await reaches(page, "secret.png", "done")))
    assert uploaded["title"] == "From the gallery"
    async with site.session.get(uploaded["original"]["url"]) as reply:
        found = pictures.opened(await reply.read()).convert("RGB")
    assert found.tobytes() != pictures.quarters().convert("RGB").tobytes()
    await page.reload()
    await expect(page.locator("#arrivals")).to_be_hidden()


async def test_a_shared_image_that_nobody_wants_uploaded_is_forgotten(open_page: OpenPage) -> None:
    page = await with_worker(open_page)
    await share(page, *(payload(name, pictures.png()) for name in ("one.png", "two.png")))
    await page.get_by_text("Upload 2 images (").wait_for()
    await page.get_by_role("button", name="Don’t upload").click()
    await expect(page.locator("#spoken")).to_have_text("2 images were not uploaded.")
    await expect(page.locator("#file")).to_be_focused()
    await page.goto("/images")
    await expect(page.locator("#empty")).to_be_visible()


async def test_a_shared_image_continues_when_the_page_is_opened_again(site: Site, open_page: OpenPage) -> None:
    """The page is closed in the middle of the upload, and opened while there is no connection."""
    page = await with_worker(open_page)
    data = pictures.camera_photo()
    await slowed(page)
    await share(page, payload("slow.jpg", data))
    await upload_shared(page)
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    link, context = await link_of(found), page.context
    await page.close()
    await context.set_offline(True)
    page = await context.new_page()
    await page.goto("/")
    await reaches(page, "slow.jpg", "offline")
    await context.set_offline(False)
    again = await reaches(page, "slow.jpg", "done")
    assert await link_of(again) == link
    assert (await resource(site, link))["bytes"] == len(data)


async def test_what_is_shared_without_a_connection_is_uploaded_later(open_page: OpenPage) -> None:
    page = await with_worker(open_page)
    await page.context.set_offline(True)
    await share(page, payload("offline.jpg", pictures.photo(64, 48)))
    await page.get_by_role("heading", name="No connection").wait_for()
    await page.context.set_offline(False)
    await page.get_by_role("link", name="Try again").click()
    await upload_shared(page)
    await reaches(page, "offline.jpg", "done")
    met(page).clear()  # the console tells of each request that failed


@pytest.mark.parametrize("theme", THEMES)
async def test_without_a_connection_a_page_says_so_and_tries_again(open_page: OpenPage, axe: str, theme: str) -> None:
    page = await with_worker(open_page, **screen("narrow", theme))
    await page.context.set_offline(True)
    reply = await page.goto("/images")
    assert reply is not None
    assert (reply.status, reply.from_service_worker) == (503, True)
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    await page.get_by_role("heading", name="No connection").wait_for()
    assert await overflow_px(page) <= 0
    assert await violations(page, axe) == []
    await page.context.set_offline(False)
    await page.get_by_role("link", name="Try again").tap()
    await page.get_by_role("heading", name="My images").wait_for()
    met(page).clear()  # the console tells of each request that failed


@pytest.mark.parametrize("has_file", [True, False])
async def test_what_the_browser_cannot_store_is_sent_to_the_server(open_page: OpenPage, has_file: bool) -> None:
    page = await with_worker(open_page)
    (worker,) = page.context.service_workers
    await worker.evaluate(NO_ROOM)
    await share(page, *([payload("full.jpg", pictures.photo(64, 48))] if has_file else []))
    if has_file:
        await page.get_by_role("heading", name="Your image is online").wait_for()
    else:
        await page.get_by_role("alert").get_by_text("file").wait_for()
    met(page).clear()  # the status


async def test_what_another_site_posts_is_neither_stored_nor_sent(site: Site, open_page: OpenPage) -> None:
    page = await with_worker(open_page)
    foreign = site.url.replace("127.0.0.1", "localhost")
    await page.goto(f"{foreign}/api/v1/limits")
    await share(page, payload("planted.png", pictures.png()), action=f"{site.url}/?share")
    await page.wait_for_url(f"{site.url}/")
    await page.get_by_role("heading", name="Share an image").wait_for()
    assert await page.evaluate(COUNT_UNDECIDED) == 0
    await expect(page.locator("#arrivals")).to_be_hidden()


async def test_only_so_much_waits_for_an_answer_and_enter_does_not_give_it(open_page: OpenPage) -> None:
    page = await with_worker(open_page)
    await page.evaluate(STORE, ["begun", [{"id": f"{at}", "size": 1, "undecided": True} for at in range(200)]])
    await share(page, payload("too-many.png", pictures.png()))
    await page.get_by_role("heading", name="Your image is online").wait_for()  # as without the worker
    assert await page.evaluate(COUNT_UNDECIDED) == 200
    other = await with_worker(open_page)
    await share(other, payload("one.png", pictures.png()))
    await expect(other.get_by_text("Upload one.png (")).to_be_focused()
    await other.keyboard.press("Enter")
    await expect(other.locator("#uploads > li")).to_have_count(0)


async def test_a_deleted_image_is_gone_with_a_service_worker_too(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    page = await with_worker(open_page)
    await page.goto(image["url"])
    headers = {"Authorization": f"Bearer {image['delete_token']}"}
    async with site.session.delete(f"{site.url}/api/v1/images/{image['slug']}", headers=headers) as reply:
        assert reply.status == 204
    gone = await page.goto(image["url"])
    assert gone is not None
    assert (gone.status, gone.from_service_worker) == (410, False)
    assert await page.evaluate("caches.keys()") == []
    met(page).clear()  # the status
