"""The bar of every page: one line, whatever the operator's name, the language and the screen."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import SIZES, Site, overflow_px, screen
from tests.support.server_process import serving

MOST_HIGH_PX = 80
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 40"><path d="M0 0h400v40H0z"/></svg>"""
LINES = """() => {
    const name = document.querySelector(".brand span");
    return name.getClientRects().length && name.clientHeight / parseFloat(getComputedStyle(name).lineHeight);
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def long_named(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder: Path = tmp_path_factory.mktemp("named")
    (folder / "logo.svg").write_text(LOGO)
    settings = {
        "APPLIANCE_SITE_NAME": "Bilderkiste der Kleingartenfreunde Donaudampfschifffahrtsgesellschaft e. V.",
        "APPLIANCE_SITE_LOGO": str(folder / "logo.svg"),
    }
    async with serving(folder / "data", **settings) as served, aiohttp.ClientSession() as session:
        yield Site(served.url, session)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
async def test_the_site_name_stays_on_one_line_next_to_the_links(
    site: Site, long_named: Site, open_page: OpenPage, size: str, language: str
) -> None:
    for host in (site, long_named):
        page = await open_page(f"{host.url}/", locale=language, **screen(size))
        assert float(await page.evaluate(LINES)) <= 1.1
        bar = await page.locator(".bar").bounding_box()
        assert bar is not None and bar["height"] <= MOST_HIGH_PX
        assert await overflow_px(page) <= 0
        for link in await page.locator(".bar nav a").all():
            box = await link.bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= SIZES[size][0]
