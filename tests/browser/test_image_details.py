"""What an original says of itself, on the share page when somebody asks, and without a script on a page of its own."""

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, met, overflow_px, screen
from tests.support.images.detailed_pictures import detailed, exif, jpeg_with

SUMMARY = "Camera and image details"


async def shared(site: Site, keep: str = "true", data: bytes | None = None) -> str:
    """The path of the share page."""
    image = await site.upload(data or detailed("jpg"), "bridge.jpg", keep_metadata=keep)
    return f"/i/{image['slug']}"


def requested(page: Page) -> list[str]:
    """The addresses of details that the page asks for from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/details") else None)
    return asked


async def test_the_details_are_loaded_when_somebody_asks(site: Site, open_page: OpenPage) -> None:
    page = await open_page()
    asked = requested(page)
    await page.goto(await shared(site))
    section = page.get_by_text(SUMMARY)
    await section.focus()
    assert asked == []
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="Camera Canon EOS R5")).to_be_visible()
    await expect(page.get_by_role("row", name="Exposure time 1/125 s")).to_be_visible()
    await expect(page.get_by_role("row", name="Location 33.85694° S, 151.21528° E")).to_be_visible()
    await expect(section).to_be_focused()
    for _ in range(2):
        await page.keyboard.press("Enter")
    await expect(page.get_by_role("row", name="Lens")).to_be_visible()
    assert len(asked) == 1


async def test_a_failure_leaves_the_link_to_their_page(site: Site, open_page: OpenPage) -> None:
    page = await open_page(await shared(site))
    await page.route("**/details", lambda route: route.abort())
    async with page.expect_console_message():  # the browser's own, of the request that failed
        await page.get_by_text(SUMMARY).click()
    met(page).clear()
    link = page.get_by_role("link", name="Show the details")
    await expect(link).to_be_visible()
    await page.unroute("**/details")
    await link.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(SUMMARY)


async def test_a_cleaned_original_offers_none(site: Site, open_page: OpenPage) -> None:
    page = await open_page(await shared(site, "false"))
    await expect(page.get_by_role("heading", name="Sizes")).to_be_visible()
    await expect(page.get_by_text(SUMMARY)).to_have_count(0)


async def test_without_a_script_they_have_a_page(site: Site, open_page: OpenPage) -> None:
    page = await open_page(await shared(site), java_script_enabled=False, locale="de-DE")
    await page.get_by_text("Angaben zu Kamera und Bild").click()
    await page.get_by_role("link", name="Angaben anzeigen").click()
    await expect(page.get_by_role("row", name="Blende f/1,8")).to_be_visible()
    await page.get_by_role("link", name="bridge.jpg").click()
    await expect(page.locator("#shown")).to_be_visible()


@pytest.mark.parametrize("theme", THEMES)
async def test_they_are_accessible_and_fit_the_narrowest_screen(
    site: Site, open_page: OpenPage, axe: str, theme: str
) -> None:
    address = await shared(site, data=jpeg_with(exif({0x010E: b"W" * 2000, 0x013B: "م" * 40})))
    page = await open_page(address, **screen("narrow", theme))
    await page.get_by_text(SUMMARY).click()
    await expect(page.get_by_role("row", name="Caption")).to_be_visible()
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    await page.goto(f"{address}/details")
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
