"""What pages weigh, and that nothing in them moves while they come: figures that depend on no clock."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from playwright.async_api import Page, Response, Route

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import SIZES, Site, screen
from tests.support.images import pictures

MAX_UPLOAD_SCRIPT_BYTES = 40_000
"""Of gzipped script on the upload page, as it was promised."""
MAX_FIRST_SCRIPT_BYTES = 16_400
"""Of the script after which the upload page accepts files, in every language: no other script comes before it."""
SHIFTS = """globalThis.shift = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


async def weighed(page: Page, address: str, is_meant: Callable[[Response], bool]) -> dict[str, int]:
    """The bytes of each answer's body as they travelled."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if is_meant(answer) else None)
    await page.goto(address, wait_until="networkidle")
    sizes = [await answer.request.sizes() for answer in answers]
    return {answer.url: size["responseBodySize"] for answer, size in zip(answers, sizes, strict=True)}


def is_script(answer: Response) -> bool:
    return answer.request.resource_type == "script"


async def test_the_upload_page_needs_little_script(open_page: OpenPage) -> None:
    page = await open_page("about:blank", locale="de-DE")
    found = await weighed(page, "/", is_script)
    assert sum(found.values()) <= MAX_UPLOAD_SCRIPT_BYTES, found
    (first,) = (size for url, size in found.items() if "/upload.js" in url)
    assert first <= MAX_FIRST_SCRIPT_BYTES


async def test_the_share_page_loads_the_viewer_only_on_demand(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480))
    page = await open_page("about:blank")
    found = await weighed(page, f"/i/{image['slug']}", is_script)
    assert 0 < sum(found.values()) <= 12_000, found


async def test_all_text_is_sent_compressed(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480))
    page = await open_page("about:blank")
    plain: list[str] = []

    def look(answer: Response) -> None:
        is_text = answer.request.resource_type in ("document", "script", "stylesheet")
        is_plain = answer.headers.get("content-encoding") != "gzip"
        if is_text and is_plain and int(answer.headers["content-length"]) > 1000:
            plain.append(answer.url)

    page.on("response", look)
    for address in ("/", "/images", "/a", f"/i/{image['slug']}"):
        await page.goto(address, wait_until="networkidle")
    assert plain == []


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_moves_while_a_page_loads(site: Site, open_page: OpenPage, size: str) -> None:
    image = await site.upload(pictures.photo(640, 480))
    for address in ("/", "/images", "/a", f"/i/{image['slug']}"):
        page = await open_page("about:blank", **screen(size))
        await page.add_init_script(SHIFTS)
        held = asyncio.Event()
        await page.route("**/*.js?*", partial(_after, held))
        await page.goto(address, wait_until="commit")
        await page.locator("h1").wait_for()
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
        held.set()
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate("globalThis.shift") < 0.01, address


async def _after(held: asyncio.Event, route: Route) -> None:
    await held.wait()
    await route.continue_()
