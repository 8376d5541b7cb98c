"""The deep zoom: the whole picture or the view of a link, by mouse, finger and keys, and the way back out of it."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, met, screen
from tests.support.browser.viewer import region
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
    await page.get_by_role("button", name="Copy the link to this view").click()
    await page.get_by_role("status").get_by_text("copied").wait_for()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{image['url']}#xywh=\d+,\d+,\d+,\d+", copied)


async def view_of(page: Page) -> list[int]:
    """The part of the picture that the viewer shows, by the link that it copies."""
    await page.locator("[role=application]:focus").wait_for()
    await page.get_by_role("button", name="Copy the link to this view").click()
    await page.get_by_role("status").get_by_text("copied").wait_for()
    return region(str(await page.evaluate("navigator.clipboard.readText()")))


@pytest.mark.parametrize("shape", [TALL, WIDE])
async def test_the_zoom_shows_the_whole_image_first(site: Site, open_page: OpenPage, shape: tuple[int, int]) -> None:
    image = await site.upload(pictures.photo(*shape))
    page = await open_page(f"/i/{image['slug']}", permissions=CLIPBOARD)
    await page.locator("#shown").click()
    assert await view_of(page) == [0, 0, *shape]


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
