"""The deep zoom: the whole picture or the view of a link, by mouse, finger and keys, and the way back out of it."""

import asyncio
import functools
import io
import itertools
import math
import re
from typing import Any

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, copied, met, screen
from tests.support.browser.viewer import UNEVEN, region, shows_both_halves
from tests.support.images import pictures
from tests.support.waiting import until

Resource = dict[str, Any]
CLIPBOARD = ["clipboard-read", "clipboard-write"]
TALL, WIDE = (1200, 2400), (2400, 600)


async def test_a_click_on_the_image_zooms_it_and_escape_closes_the_zoom(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.locator("#shown").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await page.get_by_role("button", name="Zoom in").click()
    await expect(page).to_have_url(re.compile(r"#xywh=\d+,\d+,\d+,\d+$"))
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(page).not_to_have_url(re.compile("#"))


async def lower_than(page: Page, height: int) -> None:
    """Waits until the address tells of a view that is lower than this, in pixels of the picture."""
    await page.wait_for_function("most => Number(location.hash.split(',')[3] ?? Infinity) < most", arg=height)


async def test_keys_alone_zoom_and_move(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", **screen("desk"))
    await page.get_by_role("button", name="Zoom").focus()
    await page.keyboard.press("Enter")
    await page.locator("[role=application]:focus").wait_for()
    for height in (1200, 1080, 980, 900):
        await page.keyboard.press("+")
        await lower_than(page, height)
    x, _, width, _ = region(page.url)
    await page.keyboard.press("ArrowRight")
    await page.wait_for_function("before => !location.hash.startsWith(`#xywh=${before},`)", arg=x)
    assert width < 1600


async def test_a_link_to_a_view_shows_that_view(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}#xywh=400,300,640,400", **screen("desk"), reduced_motion="reduce")
    await page.locator("[role=application]:focus").wait_for()
    await page.keyboard.press("+")  # any move writes the view down
    await lower_than(page, 390)
    x, y, width, height = region(page.url)
    assert x >= 400 and x + width <= 1040 and y >= 300 and y + height <= 700


async def test_the_link_to_the_view_is_copied(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}#xywh=0,0,800,600", permissions=["clipboard-read", "clipboard-write"])
    link = await copied(page, page.get_by_role("button", name="Copy the link to this view").click())
    await page.get_by_role("status").get_by_text("copied").wait_for()
    assert re.fullmatch(rf"{image['url']}#xywh=\d+,\d+,\d+,\d+", link)


async def view_of(page: Page) -> list[int]:
    """The part of the picture that the viewer shows, by the link that it copies."""
    await page.locator("[role=application]:focus").wait_for()
    return region(await copied(page, page.get_by_role("button", name="Copy the link to this view").click()))


@pytest.mark.parametrize("shape", [TALL, WIDE])
async def test_the_zoom_shows_the_whole_image_first(site: Site, open_page: OpenPage, shape: tuple[int, int]) -> None:
    image = await site.upload(pictures.photo(*shape))
    page = await open_page(f"/i/{image['slug']}", permissions=CLIPBOARD)
    await page.locator("#shown").click()
    assert await view_of(page) == [0, 0, *shape]


async def test_the_zoom_shows_the_top_of_a_tall_screenshot_first(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(900, 6000), "chat.jpg")
    page = await open_page(f"/i/{image['slug']}", permissions=CLIPBOARD, **screen("phone"))
    await page.get_by_role("button", name="Zoom").click()
    left, top, width, height = await view_of(page)
    assert (left, top, width) == (0, 0, 900) and height < 2000


@pytest.mark.parametrize(
    ("shape", "view"), [(TALL, [0, 629, 1200, 1142]), (TALL, [100, 200, 800, 500]), (WIDE, [600, 0, 1000, 600])]
)
async def test_a_link_gives_the_same_view_back(
    site: Site, open_page: OpenPage, shape: tuple[int, int], view: list[int]
) -> None:
    image = await site.upload(pictures.photo(*shape))
    address = f"/i/{image['slug']}#xywh={','.join(map(str, view))}"
    page = await open_page(address, permissions=CLIPBOARD, **screen("desk"))
    shown = await view_of(page)
    assert all(abs(one - other) <= 2 for one, other in zip(shown, view, strict=True)), shown


@pytest.mark.parametrize("by", ["button", "key"])
async def test_the_viewer_enters_and_leaves_full_screen(image: Resource, open_page: OpenPage, by: str) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.locator("#shown").click()
    await page.locator("[role=application]:focus").wait_for()

    async def press() -> None:
        button = page.get_by_role("button", name="Full screen")
        await (button.click() if by == "button" else page.keyboard.press("f"))

    await press()
    await page.wait_for_function("document.fullscreenElement?.querySelector('.viewer-bar')")
    await press()
    await page.wait_for_function("!document.fullscreenElement")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_f_toggles_full_screen_wherever_the_focus_is(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.locator("#shown").click()
    await page.locator("[role=application]:focus").wait_for()
    await page.get_by_role("button", name="Zoom in").focus()
    await page.keyboard.press("f")
    await page.wait_for_function("document.fullscreenElement?.querySelector('.viewer-bar')")


@pytest.mark.parametrize(
    ("asked", "seen"), [("1200,900,4000,4000", (1200, 900, 400, 300)), ("90000,90000,50,50", (1599, 1199, 1, 1))]
)
async def test_a_view_beyond_the_edge_is_clipped(
    image: Resource, open_page: OpenPage, asked: str, seen: tuple[int, int, int, int]
) -> None:
    page = await open_page(f"/i/{image['slug']}#xywh={asked}", permissions=CLIPBOARD, **screen("desk"))
    x, y, width, height = await view_of(page)
    left, top, _, _ = seen
    assert x <= left < x + width <= 1600 and y <= top < y + height <= 1200
    assert width < 1600


async def test_a_refused_full_screen_is_announced(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.evaluate("() => { Element.prototype.requestFullscreen = () => Promise.reject(new TypeError()); }")
    await page.locator("#shown").click()
    await page.get_by_role("button", name="Full screen").click()
    await page.get_by_role("status").get_by_text("doesn’t allow full screen").wait_for()


@pytest.mark.parametrize("view", ["", "#xywh=400,300,320,200"])
async def test_back_closes_the_zoom_and_stays_on_the_page(image: Resource, open_page: OpenPage, view: str) -> None:
    page = await open_page("/", **screen("phone"))
    await page.goto(f"/i/{image['slug']}{view}")
    if not view:
        await page.locator("#shown").tap()
    await page.locator("[role=application]:focus").wait_for()
    await page.evaluate("history.back()")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url.endswith(f"/i/{image['slug']}")
    await page.go_back()
    assert page.url.endswith("/")


async def test_a_closed_zoom_leaves_nothing_in_the_history(image: Resource, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.goto(f"/i/{image['slug']}")
    await page.locator("#shown").click()
    await page.get_by_role("button", name="Zoom in").click()
    await expect(page).to_have_url(re.compile("#xywh="))
    await page.get_by_role("button", name="Close").click()
    await expect(page).not_to_have_url(re.compile("#"))
    await page.go_back()
    assert page.url.endswith("/")


@pytest.mark.parametrize("theme", THEMES)
async def test_the_viewer_and_the_open_forms_are_accessible(
    image: Resource, open_page: OpenPage, axe: str, theme: str
) -> None:
    page = await open_page(f"/i/{image['slug']}#{image['delete_token']}", **screen("phone", theme))
    for summary in await page.locator("summary").all():
        if not await summary.evaluate("summary => summary.parentElement.open"):
            await summary.click()
    await page.locator("[name=expires_in]").wait_for()
    assert await violations(page, axe) == []
    await page.locator("#shown").click()
    await page.locator("[role=application]:focus").wait_for()
    assert await violations(page, axe) == []


async def test_without_a_script_the_image_links_to_the_original(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", java_script_enabled=False)
    assert await page.locator("#frame").get_attribute("href") == f"/i/{image['slug']}/original"
    assert await page.locator("#zoom").is_hidden()


async def test_the_zoom_shows_tiles_as_sharp_as_the_original(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(3000, 2000))
    page, tiles = await open_page("about:blank"), []
    page.on("response", lambda reply: tiles.append((reply.url, reply.status)) if "/iiif/" in reply.url else None)
    await page.goto(f"/i/{image['slug']}#xywh=1400,900,512,300")
    await page.locator("[role=application]:focus").wait_for()
    await until(lambda: any("/1024,512,512,512/512,512/" in url for url, _ in tiles), "a tile at full size")
    assert {status for _, status in tiles} == {200}


async def test_an_image_whose_tiles_cannot_be_loaded_is_zoomed_all_the_same(
    image: Resource, open_page: OpenPage
) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.route("**/info.json", lambda route: route.abort())
    await page.get_by_role("button", name="Zoom").click()
    await page.locator("[role=application]:focus").wait_for()
    met(page).clear()  # the request that failed


@pytest.mark.parametrize("shape", UNEVEN)
async def test_no_edge_of_a_picture_is_cut_off(site: Site, open_page: OpenPage, shape: tuple[int, int]) -> None:
    """Both halves are as large, whatever levels the viewer works out."""
    image = await site.upload(pictures.saved(pictures.quarters(*shape), "jpeg", quality=90))
    page = await open_page(f"/i/{image['slug']}#xywh=0,0,{shape[0]},{shape[1]}", **screen("desk"))
    await page.locator("[role=application]:focus").wait_for()

    for across in (True, False):
        await until(functools.partial(shows_both_halves, page, across), "both halves are as large")


async def test_another_view_that_is_entered_moves_the_open_viewer(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}#xywh=0,0,400,300", permissions=CLIPBOARD, **screen("desk"))
    await page.locator("[role=application]:focus").wait_for()
    for view in ([800, 600, 400, 300], [1200, 900, 200, 150], [100, 600, 400, 300]):
        await page.locator("[role=application]").focus()
        await page.evaluate("view => { location.hash = `#xywh=${view}`; }", view)
        left, top, width, height = view
        x, y, shown_width, shown_height = await view_of(page)
        assert x <= left and y <= top and x + shown_width >= left + width and y + shown_height >= top + height
        assert shown_width < 800
    await page.go_back()
    await page.locator("[role=application]").focus()
    x, y, width, height = await view_of(page)
    assert x <= 1200 and y <= 900 and x + width >= 1400 and y + height >= 1050 and width < 800
    await page.keyboard.press("Escape")
    await expect(page).not_to_have_url(re.compile("#"))
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_a_view_that_is_entered_while_the_viewer_loads_is_shown(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", permissions=CLIPBOARD, **screen("desk"))
    entered = asyncio.Event()

    async def load(route: Route) -> None:
        await entered.wait()
        await route.continue_()

    await page.route("**/chunk-*.js", load)
    for view in ("0,0,400,300", "800,600,400,300"):
        await page.evaluate("view => { location.hash = `#xywh=${view}`; }", view)
    entered.set()
    assert (await view_of(page))[0] >= 600
    await expect(page.get_by_role("dialog")).to_have_count(1)


async def test_an_image_that_was_deleted_meanwhile_is_said_to_be_gone(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(900, 600))
    page = await open_page(f"/i/{image['slug']}")
    headers = {"Authorization": f"Bearer {image['delete_token']}"}
    async with site.session.delete(f"{site.url}/api/v1/images/{image['slug']}", headers=headers) as reply:
        assert reply.status in (200, 204)
    await page.locator("#shown").click()
    await page.get_by_role("status").get_by_text("no longer available").wait_for()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("#frame")).to_be_focused()
    met(page).clear()  # the request that failed


def waves() -> Image.Image:
    """Waves of grey, 32 pixels long: across on the left half, down on the right half."""
    across, down = Image.new("L", (1536, 1)), Image.new("L", (1, 2048))
    for row, length in ((across, 1536), (down, 2048)):
        row.putdata([128 + round(120 * math.sin(at * math.tau / 32)) for at in range(length)])
    picture = Image.new("L", (3072, 2048))
    picture.paste(across.resize((1536, 2048)), (0, 0))
    picture.paste(down.resize((1536, 2048)), (1536, 0))
    return picture


def half_waves(line: Image.Image) -> list[float]:
    """The length of each half of a wave along a line of the screen, to parts of a pixel, but for those at its ends."""
    pairs = enumerate(itertools.pairwise(line.tobytes()))
    zeros = [at + (128 - one) / (other - one) for at, (one, other) in pairs if (one < 128) != (other < 128)]
    return [other - one for one, other in itertools.pairwise(zeros[1:-1])]


@pytest.mark.parametrize("pixel_ratio", [1, 1.5, 2, 2.625])
async def test_no_seam_shows_where_tiles_meet(site: Site, open_page: OpenPage, pixel_ratio: float) -> None:
    image = await site.upload(pictures.saved(waves(), "png"))
    options = {"viewport": {"width": 903, "height": 611}, "device_scale_factor": pixel_ratio}
    page = await open_page(f"/i/{image['slug']}#xywh=401,300,1501,1015", **options)
    await page.locator("[role=application]:focus").wait_for()

    async def is_even() -> bool:
        shot = Image.open(io.BytesIO(await page.screenshot())).convert("L")
        row, column = shot.height // 2, round(shot.width * 0.87)
        lines = (
            shot.crop((0, row, round(shot.width * 0.7), row + 1)),
            shot.crop((column, 0, column + 1, shot.height * 4 // 5)),  # above the buttons
        )
        lengths = [half_waves(line) for line in lines]
        return all(len(found) > 40 and max(found) - min(found) < 0.7 for found in lengths)

    await until(is_even, "waves of one length")
