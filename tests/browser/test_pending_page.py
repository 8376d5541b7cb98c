"""The page of a picture that is still being uploaded, in a real browser: it tells progress and becomes the picture."""

import asyncio
from pathlib import Path

import aiohttp
from playwright.async_api import Page, Route, expect

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met
from tests.support.browser.pending import Arriving
from tests.support.images.noise import padded
from tests.support.server_process import serving
from tests.support.tus_client import half_sent
from tests.support.waiting import until

MB = 1_000_000
PATIENCE_MS = 30_000


async def becomes_the_picture(page: Page) -> None:
    await expect(page.locator("figure img")).to_be_visible(timeout=PATIENCE_MS)


async def test_the_page_shows_the_progress_and_becomes_the_image(site: Site, open_page: OpenPage, jpeg: bytes) -> None:
    data = padded(4 * MB, 1)
    upload = await Arriving.begun(site.url, site.session, len(data))
    page = await open_page(f"/i/{upload.slug}#top")
    words = page.locator("#pending-text")
    await expect(words).to_have_text("0 bytes of 4 MB received")
    await upload.send(data[:MB], 0)
    await expect(words).to_contain_text("1 MB of 4 MB received")
    await upload.send(data[MB : 2 * MB], MB)
    await expect(words).to_contain_text("2 MB of 4 MB received")
    await expect(words).to_contain_text("/s")
    await expect(page).to_have_title("50% · The Alps is being uploaded · Image host")
    await upload.send(data[2 * MB :], 2 * MB)
    await becomes_the_picture(page)
    assert page.url.endswith("#top")


async def test_the_page_of_a_cancelled_upload_says_so(site: Site, open_page: OpenPage, jpeg: bytes) -> None:
    upload = await Arriving.begun(site.url, site.session, len(jpeg))
    page = await open_page(f"/i/{upload.slug}", locale="de-DE")
    await expect(page.locator("#pending-text")).to_contain_text("angekommen")
    await upload.give_up()
    await expect(page.locator("h1")).to_have_text("Das Hochladen wurde nie abgeschlossen")
    assert all("410" in said for said in met(page))
    met(page).clear()


async def test_the_page_polls_if_no_events_get_through(site: Site, open_page: OpenPage, jpeg: bytes) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503)

    upload = await Arriving.begun(site.url, site.session, len(jpeg))
    page = await open_page()
    await page.route("**/events", refuse)
    await page.goto(f"/i/{upload.slug}")
    await upload.send(jpeg[:1000], 0)
    await expect(page.locator("#pending-text")).to_contain_text("1 KB of", timeout=PATIENCE_MS)
    await upload.send(jpeg[1000:], 1000)
    await becomes_the_picture(page)
    assert all("503" in said for said in met(page))
    met(page).clear()


async def test_the_page_continues_after_the_server_was_killed_and_restarted(
    open_page: OpenPage, tmp_path: Path, jpeg: bytes
) -> None:
    data = padded(2 * MB, 2)
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        upload = await Arriving.begun(served.url, session, len(data))
        page = await open_page(f"{served.url}/i/{upload.slug}")
        words = page.locator("#pending-text")
        await expect(words).to_have_text("0 bytes of 2 MB received")
        served.kill()
        await served.start()
        path = upload.where.removeprefix(served.url)
        _, writer = await half_sent(served.port, path, 0, len(data), data[:MB])
        await expect(words).to_contain_text("1 MB of 2 MB received", timeout=PATIENCE_MS)
        stopping = asyncio.create_task(served.stop())
        await until(stopping.done, "the server stops while a page is open")
        assert stopping.result() == 0
        writer.close()
        await served.start()
        await upload.send(data[MB:], MB)
        await becomes_the_picture(page)
        assert all("net::" in said for said in met(page))
        met(page).clear()


async def test_without_scripts_the_page_reloads_itself(site: Site, open_page: OpenPage, jpeg: bytes) -> None:
    upload = await Arriving.begun(site.url, site.session, len(jpeg))
    page = await open_page(f"/i/{upload.slug}", java_script_enabled=False)
    assert await page.locator("#pending").count() == 1
    await upload.send(jpeg, 0)
    await becomes_the_picture(page)
