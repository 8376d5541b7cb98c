"""What a viewer does with a share page: zoomable by wheel and full screen, copies each code, downloads, and rests."""

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.albums import album_of
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, met, screen
from tests.support.browser.viewer import region

Resource = dict[str, Any]
COPIES = ["clipboard-read", "clipboard-write"]
MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
    const style = getComputedStyle(each);
    const moves = style.transitionDuration.split(", ").some((time) => parseFloat(time) > 0.01);
    return moves || (style.animationName !== "none" && style.animationName !== "appear");
}).map((each) => each.outerHTML.slice(0, 100))"""


async def zoomed(open_page: OpenPage, image: Resource, **options: Any) -> Page:
    page = await open_page(f"/i/{image['slug']}", **options)
    await page.get_by_role("button", name="Zoom").click()
    await page.locator("[role=application]:focus").wait_for()
    return page


async def test_the_wheel_zooms_in_and_out(image: Resource, open_page: OpenPage) -> None:
    page = await zoomed(open_page, image)
    await page.mouse.move(640, 400)
    await page.mouse.wheel(0, -300)
    await expect(page).to_have_url(re.compile(r"#xywh=\d+,\d+,\d+,(?!1200$)"))  # less than the whole height
    near = page.url
    await page.mouse.wheel(0, 300)
    await expect(page).not_to_have_url(near)
    assert region(page.url)[3] > region(near)[3]


async def test_the_zoom_fills_the_screen_by_button_and_by_key(image: Resource, open_page: OpenPage) -> None:
    page = await zoomed(open_page, image)
    await page.get_by_role("button", name="Full screen").click()
    await page.wait_for_function("document.fullscreenElement?.matches('.viewer-content')")
    await page.locator("[role=application]").focus()
    await page.keyboard.press("f")
    await page.wait_for_function("document.fullscreenElement === null")
    await expect(page.get_by_role("dialog")).to_be_visible()


async def test_each_code_is_copied_with_one_press(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", permissions=COPIES)
    copied: list[str] = []
    for button in await page.locator("#codes button[data-copies]:visible").all():
        await button.click()
        await expect(button).to_have_text("Copied")
        copied.append(str(await page.evaluate("navigator.clipboard.readText()")))
    assert copied == [await each.input_value() for each in await page.locator("#codes input.code:visible").all()]
    forms = ("http", "http", "<a href=", "[![", "[url=")
    assert all(any(code.startswith(form) for code in copied) for form in forms), copied


async def test_the_qr_code_and_the_download_are_there(site: Site, image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.get_by_text("QR code", exact=True).click()
    code = page.get_by_role("img", name="QR code with a link to this page")  # the printed one is hidden
    await expect(code).to_be_visible()
    await page.wait_for_function("code => code.complete && code.naturalWidth > 0", arg=await code.element_handle())
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download").click()
    download = await started.value
    assert download.suggested_filename == "cat.jpg"
    async with site.session.get(image["original"]["url"]) as reply:
        assert (await download.path()).read_bytes() == await reply.read()


@pytest.mark.parametrize("address", ["/", "share", "/images", "/a"])
async def test_nothing_moves_if_reduced_motion_is_preferred(image: Resource, open_page: OpenPage, address: str) -> None:
    page = await open_page(address.replace("share", f"/i/{image['slug']}"), reduced_motion="reduce")
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate(MOVING) == []


async def test_keys_lead_through_an_album_and_zoom_its_images(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(f"/a/{album['slug']}/{album['images'][0]['slug']}")
    await page.locator("#shown").click()
    await page.locator("[role=application]:focus").wait_for()
    await page.keyboard.press("ArrowRight")  # moves the picture, not the album
    await page.keyboard.press("Escape")
    await page.get_by_text("1 of 3").wait_for()
    await page.keyboard.press("ArrowRight")
    await page.get_by_text("2 of 3", exact=True).wait_for()


async def test_a_key_right_after_closing_the_zoom_is_not_undone(site: Site, open_page: OpenPage) -> None:
    """Closing goes back in the browser's history, which would cancel a step that has begun meanwhile."""
    album = await album_of(site, 3)
    page = await open_page(f"/a/{album['slug']}/{album['images'][0]['slug']}")
    await page.locator("#shown").click()
    await page.locator("[role=application]:focus").wait_for()
    await page.get_by_role("button", name="Close").evaluate(
        """button => {
            button.click();
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
        }"""
    )
    await page.get_by_text("2 of 3", exact=True).wait_for()


@pytest.mark.parametrize("theme", THEMES)
async def test_the_page_after_a_deletion_is_accessible(
    image: Resource, open_page: OpenPage, axe: str, theme: str
) -> None:
    page = await open_page(f"/i/{image['slug']}#{image['delete_token']}", **screen("narrow", theme))
    await page.get_by_text("Delete this image").click()
    assert await violations(page, axe) == []
    await page.get_by_role("button", name="Move to the bin").click()
    await expect(page.get_by_role("heading", name="Moved to the bin")).to_be_focused()
    assert await violations(page, axe) == []
    await page.get_by_role("button", name="Delete now").click()
    await expect(page.get_by_role("heading", name="Image deleted")).to_be_focused()
    assert await violations(page, axe) == []


@pytest.mark.parametrize("theme", THEMES)
async def test_a_problem_in_the_form_is_accessible(image: Resource, open_page: OpenPage, axe: str, theme: str) -> None:
    page = await open_page(f"/i/{image['slug']}#{'x' * 22}", **screen("narrow", theme))
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_role("alert")).to_contain_text("The delete token is wrong")
    assert await violations(page, axe) == []
    met(page).clear()  # the refused request
