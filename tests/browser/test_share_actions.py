"""What people do with a shared image: embed it in some size, hand it on, copy it, print its page."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.albums import album_of
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, box_of, overflow_px, screen
from tests.support.images import pictures

Resource = dict[str, Any]
CLIPBOARD = ["clipboard-read", "clipboard-write"]
COPIED_SIZE = """navigator.clipboard.read()
    .then(([item]) => item.getType("image/png"))
    .then(createImageBitmap)
    .then(({ width, height }) => [width, height])"""


@pytest.mark.parametrize("scripts", [True, False])
async def test_codes_come_in_the_size_that_is_chosen(site: Site, open_page: OpenPage, scripts: bool) -> None:
    image = await site.upload(pictures.photo(1600, 1200), "cat.jpg")
    page = await open_page(f"/i/{image['slug']}", java_script_enabled=scripts)
    html = page.get_by_role("textbox", name="HTML")
    await expect(html).to_have_value(re.compile(r"/medium\.jpg"))
    await page.get_by_text("Small 512 × 384").click()
    await expect(html).to_have_value(re.compile(r"/small\.jpg.*width=.512"))
    await page.get_by_text("Original 1600 × 1200").click()
    await expect(page.get_by_role("textbox", name="BBCode")).to_have_value(re.compile(rf"{image['slug']}\.jpg\[/img\]"))
    await expect(page.get_by_role("textbox", name="Direct image link")).to_have_value(f"{image['url']}.jpg")


async def test_a_phone_has_the_actions_at_hand_and_its_share_sheet(image: Resource, open_page: OpenPage) -> None:
    page = await open_page("about:blank", **screen("phone"))
    await page.add_init_script("navigator.share = async (shared) => { globalThis.shared = shared; }")
    await page.goto(f"/i/{image['slug']}")
    await page.get_by_role("heading", name="Sizes").scroll_into_view_if_needed()
    await expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_in_viewport()
    await page.get_by_role("button", name="Share", exact=True).tap()
    await page.wait_for_function("globalThis.shared")
    assert await page.evaluate("globalThis.shared") == {"title": "Cat", "url": image["url"]}


async def test_without_a_share_sheet_the_link_is_copied(image: Resource, open_page: OpenPage) -> None:
    page = await open_page("about:blank", **screen("phone"), permissions=CLIPBOARD)
    await page.add_init_script("delete Navigator.prototype.share; delete globalThis.ClipboardItem")
    await page.goto(f"/i/{image['slug']}")
    await page.get_by_role("button", name="Share", exact=True).tap()
    await expect(page.get_by_role("status")).to_have_text("Link copied")
    await expect(page.get_by_role("button", name="Copy image")).to_be_hidden()


async def test_the_image_itself_is_copied(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", permissions=CLIPBOARD)
    await page.get_by_role("button", name="Copy image").click()
    await expect(page.get_by_role("status")).to_have_text("Image copied")
    width, height = await page.evaluate(COPIED_SIZE)
    assert width / height == pytest.approx(4 / 3, rel=0.01)


async def test_the_original_is_what_is_dragged_out(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    dragged = """frame => {
        const dataTransfer = new DataTransfer();
        frame.dispatchEvent(new DragEvent("dragstart", { dataTransfer, bubbles: true }));
        return dataTransfer.getData("DownloadURL");
    }"""
    found = await page.locator("#shown").evaluate(dragged)
    assert found == f"image/jpeg:cat.jpg:{image['original']['url']}?download"


async def test_a_time_of_day_is_in_the_viewers_zone(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48), expires_in="5h")
    page = await open_page(f"/i/{image['slug']}", timezone_id="Asia/Kolkata")
    time = page.locator("#about time")
    minutes = int(image["expires_at"][14:16])
    await expect(time).to_have_text(re.compile(rf" at \d\d:{(minutes + 30) % 60:02} \(in 5 hours\)$"))  # UTC+5:30
    album = await album_of(site, 1, expires_in="5h")
    paths = [f"/i/{image['slug']}/manage", *(f"/a/{album['slug']}{page}" for page in ("", "/manage"))]
    for path in paths:
        await page.goto(path)
        await expect(page.locator("time").first).to_have_text(re.compile(r" at \d\d:\d\d \(in 5 hours\)$"))
        if path.endswith("/manage"):
            unchanged = page.locator("#expires option").first
            await expect(unchanged).to_have_text(re.compile(r"^no change \(.*, \d\d:\d\d\)$"))
    without = await open_page(f"/i/{image['slug']}", java_script_enabled=False)
    await expect(without.locator("#about time")).to_have_text(re.compile(rf":{minutes:02} UTC \(in 5 hours\)$"))


async def doubled(page: Page) -> None:
    """Text at 200 %."""
    await page.evaluate("document.documentElement.style.fontSize = '200%'")


async def test_text_of_twice_the_size_fits_a_phone(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", viewport={"width": 390, "height": 844})
    await doubled(page)
    assert await overflow_px(page) <= 0


async def test_a_phone_that_is_held_sideways_shows_the_image_as_high_as_it_can(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(1200, 1600))
    page = await open_page(f"/i/{image['slug']}", viewport={"width": 844, "height": 390})
    box = await box_of(page, "#shown")
    assert box["height"] >= 390 - 3.25 * 16 - 1
    assert box["y"] + box["height"] <= 390


async def test_a_long_name_leaves_the_actions_on_the_screen(site: Site, open_page: OpenPage) -> None:
    name = "a_rather_long_name_of_a_photograph_" * 7
    image = await site.upload(pictures.photo(640, 480), f"{name}.jpg")
    page = await open_page(f"/i/{image['slug']}", viewport={"width": 320, "height": 640})
    await expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_in_viewport()
    assert (await box_of(page, "h1"))["height"] < 5 * 24
    await expect(page.get_by_role("heading", level=1)).to_have_attribute("title", f"{name}.jpg")


async def test_paper_shows_no_controls(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.emulate_media(media="print")
    assert await page.locator("button:visible, input:visible").count() == 0
    await expect(page.locator("#shown")).to_be_visible()
