"""Pictures of the pages on every screen in both themes: `make screens` puts them into build/screenshots."""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from tests.support.browser.chromium import CHROMIUM_FLAGS
from tests.support.browser.pages import SIZES, THEMES, Site, screen
from tests.support.programs import ROOT, chromium_program
from tests.support.server_process import serving

PHOTO = ROOT / "tests" / "photos" / "coffee.jpg"
HEIGHT = "document.documentElement.scrollHeight"
PREWARMED = {"APPLIANCE_RENDITIONS_PREWARM": "thumbnail,small,medium,large"}


async def _addresses(site: Site) -> dict[str, str]:
    image = await site.upload(PHOTO.read_bytes(), "coffee.jpg", title="Coffee at the window", alt="A cup of coffee")
    slug, token = image["slug"], image["delete_token"]
    await asyncio.sleep(2)  # until its sizes are made
    return {
        "upload": "/",
        "share": f"/i/{slug}",
        "managing": f"/i/{slug}#{token}",
        "manage": f"/i/{slug}/manage",
        "zoom": f"/i/{slug}#xywh=100,80,200,150",
        "nothing": "/nothing-here",
    }


async def _shoot(browser: Browser, address: str, path: Path, **options: Any) -> None:
    context = await browser.new_context(**options)
    page: Page = await context.new_page()
    await page.goto(address, wait_until="networkidle")
    if options["is_mobile"] and "zoom" not in path.name:  # Chromium shows a whole page as a desk does
        await page.set_viewport_size(options["viewport"] | {"height": await page.evaluate(HEIGHT)})
    await page.screenshot(path=path, full_page=not options["is_mobile"] and "zoom" not in path.name)
    await context.close()


async def main(folder: Path, locale: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        async with serving(Path(data, "data"), **PREWARMED) as served, aiohttp.ClientSession() as session:
            site = Site(served.url, session)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
                for name, address in (await _addresses(site)).items():
                    for size in SIZES:
                        for theme in THEMES:
                            path = folder / f"{name}-{size}-{theme}.png"
                            options = screen(size, theme) | {"base_url": site.url, "locale": locale}
                            await _shoot(browser, address, path, **options)
                await browser.close()
    print(f"{len(list(folder.iterdir()))} pictures in {folder}")


if __name__ == "__main__":
    asyncio.run(main(ROOT / "build" / "screenshots", sys.argv[1] if len(sys.argv) > 1 else "en-GB"))
