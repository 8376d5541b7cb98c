"""The share page, looked at: how large the picture is, what comes first, and that nothing moves."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import FloatRect, Page, Route

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, box_of, overflow_px, screen
from tests.support.images import pictures
from tests.support.server_process import serving
from tests.support.waiting import until

Resource = dict[str, Any]
SHIFTS = """new Promise((tell) => {
    let sum = 0;
    new PerformanceObserver((list) => {
        for (const shift of list.getEntries()) sum += shift.value;
    }).observe({ type: "layout-shift", buffered: true });
    setTimeout(() => tell(sum), 100);
})"""


async def test_a_panorama_is_in_the_middle_of_its_frame(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(3000, 150))
    page = await open_page(f"/i/{image['slug']}", **screen("phone"))
    source = "<source type='image/avif' media='print' srcset='/x'>"  # as each lighter format that is made adds one
    await page.locator("#frame picture").evaluate(
        "(picture, more) => picture.insertAdjacentHTML('afterbegin', more)", source
    )
    frame, shown = await box_of(page, "#frame"), await box_of(page, "#shown")
    assert abs(frame["y"] + frame["height"] / 2 - shown["y"] - shown["height"] / 2) <= 1


@pytest.mark.parametrize("size", ["phone", "desk"])
async def test_the_image_is_as_large_as_the_screen_allows(image: Resource, open_page: OpenPage, size: str) -> None:
    page = await open_page(f"/i/{image['slug']}", **screen(size))
    box = await box_of(page, "#shown")
    screen_size = page.viewport_size
    assert screen_size is not None
    fills_width = box["width"] >= screen_size["width"] - 1
    fills_height = box["height"] >= screen_size["height"] - 11 * 16 - 1
    assert fills_width or fills_height
    assert box["y"] + box["height"] <= screen_size["height"]


def drawn(box: FloatRect, ratio: float) -> tuple[float, float]:
    """The size of a picture that is fitted into its box."""
    width = min(box["width"], box["height"] * ratio)
    return width, width / ratio


@pytest.mark.parametrize("screen_size", [(1920, 1080), (2560, 1440)])
@pytest.mark.parametrize("shape", [(3000, 2000), (3000, 1000)])
async def test_a_wide_screen_is_used_up(
    site: Site, open_page: OpenPage, screen_size: tuple[int, int], shape: tuple[int, int]
) -> None:
    (width, height), (wide, high) = screen_size, shape
    image = await site.upload(pictures.photo(wide, high))
    page = await open_page(f"/i/{image['slug']}", viewport={"width": width, "height": height})
    await page.locator("#shown").evaluate("picture => picture.decode()")
    across, _ = drawn(await box_of(page, "#shown"), wide / high)
    there_is = int(await page.evaluate("document.documentElement.clientWidth"))
    assert across >= min(there_is, (height - 11 * 16) * wide / high) - 2
    assert await page.evaluate(SHIFTS) == 0
    assert await overflow_px(page) <= 0
    loaded = str(await page.evaluate("document.querySelector('#shown').currentSrc"))
    assert loaded.endswith("/large.jpg" if across > 1536 else "/medium-large.jpg")


async def test_nothing_moves_while_the_image_loads(image: Resource, open_page: OpenPage) -> None:
    page, held = await open_page("about:blank"), asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/*.jpg", hold)
    await page.goto(f"/i/{image['slug']}", wait_until="domcontentloaded")
    before = await box_of(page, "#about")
    held.set()
    await page.locator("#shown").evaluate("picture => picture.decode()")
    assert await box_of(page, "#about") == before
    assert await page.evaluate(SHIFTS) == 0


async def test_the_pixel_density_decides_which_size_is_loaded(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", viewport={"width": 400, "height": 800}, device_scale_factor=1)
    assert str(await page.evaluate("document.querySelector('#shown').currentSrc")).endswith("/small.jpg")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prewarming(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("prewarming")
    async with (
        serving(folder / "data", APPLIANCE_RENDITIONS_PREWARM="small,medium") as served,
        aiohttp.ClientSession() as session,
    ):
        yield Site(served.url, session)


async def page_with_placeholder(prewarming: Site, open_page: OpenPage, data: bytes, **options: Any) -> Page:
    image = await prewarming.upload(data)

    async def has_placeholder() -> bool:
        async with prewarming.session.get(f"{prewarming.url}/i/{image['slug']}") as reply:
            text = await reply.text()
        return "data:image/webp;base64," in text and "small.jpg" in text

    await until(has_placeholder, "a placeholder on the share page")
    return await open_page(f"{prewarming.url}/i/{image['slug']}", **options)


@pytest.mark.parametrize(("size", "shape"), [("desk", (1080, 6000)), ("phone", (250, 3000)), ("phone", (3000, 400))])
async def test_the_placeholder_is_no_higher_than_the_image(
    prewarming: Site, open_page: OpenPage, size: str, shape: tuple[int, int]
) -> None:
    """Though its few pixels have another shape, which is rounded."""
    page = await page_with_placeholder(prewarming, open_page, pictures.photo(*shape), **screen(size))
    await page.locator("#shown").evaluate("picture => picture.decode()")
    frame, shown = await box_of(page, "#frame"), await box_of(page, "#shown")
    assert frame["height"] == pytest.approx(max(shown["height"], 8 * 16), abs=1)
    placeholder = await box_of(page, ".layer[aria-hidden]")
    assert (placeholder["x"], placeholder["width"]) == pytest.approx((shown["x"], shown["width"]), abs=1)
    assert placeholder["height"] == pytest.approx(shown["height"], abs=1)
    assert "thumbnail" not in str(await page.evaluate("document.querySelector('#shown').currentSrc"))
    assert await page.evaluate(SHIFTS) == 0


async def test_a_placeholder_is_shown_until_the_image_has_loaded(prewarming: Site, open_page: OpenPage) -> None:
    page = await page_with_placeholder(prewarming, open_page, pictures.photo(1600, 1200))
    boxes = [await each.bounding_box() for each in await page.locator(".layer").all()]
    assert boxes[0] == boxes[1]
    pixels = await page.evaluate("document.querySelector('.layer').naturalWidth")
    assert pixels == 24
    told = re.findall(r"JPEG\s+\d+ (KB|bytes)", await page.locator("table").inner_text())
    assert len(told) == 3  # two sizes, the original


async def test_a_narrow_tall_picture_is_shown_whole(site: Site, open_page: OpenPage) -> None:
    """Its thumbnail, which shows only the top, is as wide as the other sizes."""
    image = await site.upload(pictures.photo(200, 1600))
    page = await open_page(f"/i/{image['slug']}", **screen("phone"))
    await page.wait_for_function("document.querySelector('#shown').complete")
    assert await page.evaluate("document.querySelector('#shown').naturalHeight") == 1600
    assert await page.locator("meta[name='twitter:card']").get_attribute("content") == "summary"


@pytest.mark.parametrize("size", ["phone", "desk"])
async def test_a_tall_picture_is_as_wide_as_it_can_be(site: Site, open_page: OpenPage, size: str) -> None:
    """So that the text of a screenshot can be read; the page scrolls down and not aside."""
    image = await site.upload(pictures.photo(600, 4000))
    page = await open_page(f"/i/{image['slug']}", **screen(size))
    box = await box_of(page, "#shown")
    viewport = page.viewport_size
    assert viewport is not None
    assert box["width"] == pytest.approx(min(600, viewport["width"]), abs=1)
    assert box["height"] == pytest.approx(box["width"] * 4000 / 600, rel=0.01)
    assert (await box_of(page, "#frame"))["height"] == pytest.approx(box["height"], abs=1)
    assert await overflow_px(page) <= 0
