"""The pictures of the pages in README and docs: `make screenshots` takes them anew, into docs/screenshots."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pyvips
from playwright.async_api import Browser, Page, async_playwright

from tests.support.browser.cards import card, choose, payload, reaches, slowed
from tests.support.browser.chromium import CHROMIUM_FLAGS
from tests.support.browser.pages import Site, screen
from tests.support.browser.pending import Arriving
from tests.support.images import pictures
from tests.support.programs import ROOT, chromium_program
from tests.support.server_process import serving

FOLDER = ROOT / "docs" / "screenshots"
PHOTOS = ROOT / "tests" / "photos"
MAX_BYTES = 60_000
QUALITIES = (82, 74, 66, 58, 50, 42, 34)
PREWARMED = {"APPLIANCE_RENDITIONS_PREWARM": "thumbnail,small,medium,large"}
DESK, PHONE = screen("desk"), screen("phone")
DARK = {"color_scheme": "dark"}


def photo(name: str, factor: float = 1.0) -> bytes:
    """A real photograph, enlarged."""
    found = pyvips.Image.new_from_file(str(PHOTOS / f"{name}.jpg")).resize(factor, kernel="lanczos3")
    return bytes(found.jpegsave_buffer(Q=90, keep="none"))


class Camera:
    """A browser before the host, and what it took."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser, self._site = browser, site

    @asynccontextmanager
    async def page(self, address: str, **options: Any) -> AsyncIterator[Page]:
        defaults = {"base_url": self._site.url, "locale": "en-GB", "reduced_motion": "reduce"}
        context = await self._browser.new_context(**defaults | options)
        page = await context.new_page()
        await page.goto(address, wait_until="load")
        yield page
        await context.close()

    async def take(self, page: Page, name: str) -> None:
        """As WebP, at the best quality that stays small."""
        await page.wait_for_function("[...document.images].every((each) => each.complete || each.loading === 'lazy')")
        await page.wait_for_timeout(400)
        picture = pyvips.Image.new_from_buffer(await page.screenshot(), "")
        shots = (bytes(picture.webpsave_buffer(Q=quality, effort=6, keep="none")) for quality in QUALITIES)
        shot = next(each for each in shots if len(each) <= MAX_BYTES)
        (FOLDER / f"{name}.webp").write_bytes(shot)
        print(f"{name}: {picture.width} x {picture.height}, {len(shot) / 1000:.0f} KB")


async def uploading(camera: Camera) -> None:
    async with camera.page("/", **DESK) as page:
        await camera.take(page, "upload")
    for name, options in {"uploading": DESK, "uploading-phone-dark": PHONE | DARK}.items():
        async with camera.page("/", **options) as page:
            await _at_work(page)
            await page.locator("#summary").evaluate(
                "box => scrollTo(0, scrollY + box.getBoundingClientRect().top - 24)"
            )
            await camera.take(page, name)
            for each in ("window.jpg", "rocket.jpg"):
                await card(page, each).get_by_role("button", name="Cancel:").click()


async def _at_work(page: Page) -> None:
    """One of each: done, sent, paused, refused."""
    await choose(page, payload("chelsea.jpg", photo("chelsea", 2)))
    await reaches(page, "chelsea.jpg", "done")
    await slowed(page, 300_000)
    large = [payload(name, pictures.camera_photo() + bytes(8_000_000)) for name in ("window.jpg",)]
    await choose(page, *large, payload("rocket.jpg", photo("rocket", 6) + bytes(6_000_000)))
    paused = await reaches(page, "rocket.jpg", "sending")
    await paused.locator(".link:not([hidden])").wait_for()
    await page.wait_for_timeout(2500)
    await paused.get_by_role("button", name="Pause:").click()
    await choose(page, payload("drawing.bmp", b"BM" + bytes(500)))
    await card(page, "window.jpg").locator(".state", has_text="left").wait_for()


async def sharing(camera: Camera, site: Site) -> None:
    image = await site.upload(photo("coffee", 4), "coffee.jpg", title="Coffee at the window", alt="A cup of coffee")
    address = f"/i/{image['slug']}"
    await asyncio.sleep(4)  # until its sizes are made
    for name, options in {"share": DESK, "share-dark": DESK | DARK, "share-phone": PHONE}.items():
        async with camera.page(address, **options) as page:
            await camera.take(page, name)
    async with camera.page(f"{address}#xywh=500,150,1500,1000", **DESK) as page:
        await page.locator("[role=application]:focus").wait_for()
        await page.wait_for_timeout(1500)
        await camera.take(page, "zoom")
    async with camera.page(f"{address}#{image['delete_token']}", **PHONE, locale="de-DE") as page:
        await page.locator("#manage").evaluate("form => form.scrollIntoView()")
        await camera.take(page, "manage-phone-german")


async def arriving(camera: Camera, site: Site) -> None:
    data = pictures.camera_photo() + bytes(20_000_000)
    upload = await Arriving.begun(site.url, site.session, len(data))
    async with camera.page(f"/i/{upload.slug}", **DESK) as page:
        for start in range(0, 9_000_000, 3_000_000):
            await upload.send(data[start : start + 3_000_000], start)
            await asyncio.sleep(1)
        await camera.take(page, "arriving")
    await upload.give_up()


async def keeping(camera: Camera) -> None:
    """My images, and an album of some of them."""
    names = ("astronaut", "chelsea", "coffee", "rocket")
    async with camera.page("/", **DESK) as page:
        await page.get_by_text("Options: expiry").click()
        await page.get_by_label("Keep for").select_option("30d")
        await choose(page, *(payload(f"{name}.jpg", photo(name, 2)) for name in names))
        for name in names:
            await reaches(page, f"{name}.jpg", "done")
        await page.goto("/images")
        await page.locator(".image").nth(3).wait_for()
        for name in names:
            await page.get_by_label(f"Select {name}.jpg").check()
        await camera.take(page, "my-images")
        await page.get_by_role("button", name="Create an album").click()
        await page.wait_for_url("**/a/*/created*")
        await page.get_by_role("link", name="Manage this album").click()
        await page.wait_for_load_state("networkidle")
        await page.set_viewport_size({"width": 900, "height": 900})
        await camera.take(page, "album-manage")
        await page.goto(page.url.partition("#")[0].removesuffix("/manage"))
        await page.set_viewport_size({"width": 1280, "height": 800})
        await camera.take(page, "album")


async def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        async with serving(Path(data, "data"), **PREWARMED) as served, aiohttp.ClientSession() as session:
            site = Site(served.url, session)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
                camera = Camera(browser, site)
                await uploading(camera)
                await sharing(camera, site)
                await arriving(camera, site)
                await keeping(camera)
                await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
