"""A phone's ways: camera, gallery, fingers; and what is too large or not well told is told before it is sent."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.support.browser.cards import choose, link_of, payload, reaches, resource
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, copied, overflow_px, screen
from tests.support.browser.sharing import share
from tests.support.images import pictures
from tests.support.server_process import serving


async def test_a_phone_offers_its_camera_and_a_desktop_does_not(open_page: OpenPage) -> None:
    page = await open_page("/", **screen("phone"))
    await expect(page.get_by_text("Take a photo")).to_be_visible()
    assert await page.locator("#camera").get_attribute("capture") == "environment"
    await choose(page, payload("photo.jpg", pictures.photo(64, 48)), by="#camera")
    await reaches(page, "photo.jpg", "done")
    desk = await open_page("/")
    await expect(desk.get_by_text("Take a photo")).to_be_hidden()


async def test_uploading_by_touch_fits_the_narrowest_screen(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", **screen("narrow"), permissions=["clipboard-read", "clipboard-write"])
    await choose(page, payload("finger.jpg", pictures.photo(640, 480)))
    found = await reaches(page, "finger.jpg", "done")
    link = await copied(page, found.get_by_role("button", name="Copy: finger.jpg").tap())
    await found.get_by_role("link", name="Open").tap()
    await page.wait_for_url(link)
    await page.locator("#shown").tap()
    await page.locator("[role=application]:focus").wait_for()
    assert await overflow_px(page) <= 0
    await page.get_by_role("button", name="Close").tap()
    await page.get_by_role("button", name="Copy link", exact=True).tap()
    await page.get_by_role("status").get_by_text("copied").wait_for()
    await page.get_by_role("link", name="My images").tap()
    await page.get_by_text("finger.jpg").wait_for()
    assert await overflow_px(page) <= 0


async def test_what_a_phones_share_menu_sends_is_uploaded_and_remembered(site: Site, open_page: OpenPage) -> None:
    """Without a service worker, the server gets what the manifest says."""
    page = await open_page("/", service_workers="block", **screen("phone"))
    address = str(await page.locator("link[rel=manifest]").get_attribute("href"))
    async with site.session.get(site.url + address) as reply:
        target = json.loads(await reply.text())["share_target"]
    assert (target["method"], target["enctype"]) == ("POST", "multipart/form-data")
    assert (target["params"]["title"], target["params"]["files"][0]["name"]) == ("title", "file")
    file = payload("shared.jpg", pictures.photo(64, 48))
    await share(page, file, title="From the gallery", action=target["action"])
    await page.get_by_role("heading", name="Your image is online").wait_for()
    link = await page.get_by_role("textbox", name="Page link").input_value()
    assert (await resource(site, link))["title"] == "From the gallery"
    await page.get_by_role("link", name="My images").tap()
    await page.get_by_text("From the gallery").wait_for()


async def test_several_shared_images_are_all_remembered(open_page: OpenPage) -> None:
    page = await open_page("/", service_workers="block", **screen("phone"))
    data = pictures.photo(64, 48)
    await share(page, payload("one.jpg", data), payload("two.jpg", data))
    await page.get_by_role("heading", name="2 images are online").wait_for()
    await expect(page.get_by_role("textbox", name="Manage link")).to_have_count(2)
    assert await overflow_px(page) <= 0
    await page.get_by_role("link", name="My images").tap()
    await page.get_by_text("one.jpg").wait_for()
    await page.get_by_text("two.jpg").wait_for()


async def test_an_album_is_created_from_new_uploads(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", **screen("phone"))
    names = ("one.jpg", "two.jpg", "three.jpg")
    await choose(page, *(payload(name, pictures.photo(64, 48, seed=at)) for at, name in enumerate(names)))
    links = [await link_of(await reaches(page, name, "done")) for name in names]
    await expect(page.locator("#summary-text")).to_have_text("3 images uploaded.")
    await page.get_by_role("button", name="Create an album").tap()
    await page.get_by_role("heading", name="Your album is online").wait_for()
    slug = page.url.partition("/a/")[2].partition("/")[0]
    async with site.session.get(f"{site.url}/api/v1/albums/{slug}") as reply:
        assert [image["url"] for image in (await reply.json())["images"]] == links


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def small_host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A host that takes little, and has a name and links of its operator's."""
    settings: dict[str, Any] = {
        "APPLIANCE_UPLOADS_MAX_BYTES": "100000",
        "APPLIANCE_SITE_NAME": "Bilderkiste",
        "APPLIANCE_SITE_ACCENT": "#8a1f5c",
        "APPLIANCE_SITE_IMPRINT_URL": "https://example.org/imprint",
        "APPLIANCE_SITE_PRIVACY_URL": "https://example.org/privacy",
        "APPLIANCE_SITE_REPORT": "https://example.org/report?{url}",
    }
    folder = tmp_path_factory.mktemp("small")
    async with serving(folder / "data", **settings) as served, aiohttp.ClientSession() as session:
        yield Site(served.url, session)


async def test_a_file_that_is_too_large_is_refused_before_a_byte_is_sent(small_host: Site, open_page: OpenPage) -> None:
    page = await open_page(f"{small_host.url}/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method))
    await choose(page, payload("large.jpg", pictures.photo(64, 48) + bytes(200_000)))
    said = await (await reaches(page, "large.jpg", "refused")).locator(".state").inner_text()
    assert said.startswith("large.jpg is too large (20")
    assert said.endswith(". Files can have up to 100 KB.")
    assert "POST" not in asked


async def test_the_pages_are_the_operators(small_host: Site, open_page: OpenPage) -> None:
    image = await small_host.upload(pictures.photo(64, 48))
    page = await open_page(f"{small_host.url}/i/{image['slug']}")
    assert (await page.title()).endswith("Bilderkiste")
    assert await page.get_by_role("link", name="Imprint").get_attribute("href") == "https://example.org/imprint"
    assert await page.get_by_role("link", name="Privacy").get_attribute("href") == "https://example.org/privacy"
    report = await page.get_by_role("link", name="Report this image").get_attribute("href")
    assert image["slug"] in (report or "")
    accent = await page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    assert "8a1f5c" in accent
