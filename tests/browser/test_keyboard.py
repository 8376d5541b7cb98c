"""Keys alone: nobody loses their place, whatever is pressed, and nothing needs a pointer."""

import re

from playwright.async_api import Page, expect

from tests.support.browser.cards import card, choose, link_of, payload, reaches, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import NAMES, with_pictures
from tests.support.browser.pages import Site, copied, met
from tests.support.images import pictures

MOST_TABS = 60
FOCUSED = """() => {
    const at = document.activeElement;
    if (at === document.body) return "";
    return at.getAttribute("aria-label") ?? at.labels?.[0]?.innerText ?? at.innerText ?? "";
}"""


async def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name has the focus."""
    for _ in range(MOST_TABS):
        if name in str(await page.evaluate(FOCUSED)):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab")


async def focused(page: Page) -> str:
    return str(await page.evaluate(FOCUSED))


async def test_the_first_tab_skips_the_header(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Skip to content"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Options: expiry, title, private data, protection"
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.id") == "file"


async def test_an_upload_is_paused_resumed_and_dismissed(open_page: OpenPage) -> None:
    page = await open_page("/")
    session = await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    await reaches(page, "slow.jpg", "sending")
    await tab_to(page, "Pause: slow.jpg")
    await page.keyboard.press("Enter")
    await reaches(page, "slow.jpg", "paused")
    await expect(card(page, "slow.jpg").get_by_role("button", name="Resume: slow.jpg")).to_be_focused()
    await slow_down(session, -1)
    await page.keyboard.press("Enter")
    await reaches(page, "slow.jpg", "done")
    await tab_to(page, "Dismiss: slow.jpg")
    await page.keyboard.press("Enter")
    await expect(page.locator("#file")).to_be_focused()


async def test_managing_an_image_keeps_the_focus_after_each_press(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480), "cat.jpg")
    page = await open_page(f"/i/{image['slug']}#{image['delete_token']}")
    await tab_to(page, "Title")
    await page.keyboard.type("By keys")
    await tab_to(page, "Save changes")
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("By keys")
    await expect(page.get_by_role("button", name="Save changes")).to_be_focused()
    await page.keyboard.press("Tab")
    assert await focused(page) == "Delete this image"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await focused(page) == "Move to the bin"
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Moved to the bin")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_role("status").get_by_text("Image restored.").wait_for()
    assert await focused(page) == "Manage this image"


async def test_a_refused_change_leaves_the_focus_on_its_button(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480))
    page = await open_page(f"/i/{image['slug']}")
    await page.locator("#manage > summary").press("Enter")
    await page.get_by_label("Delete token").fill("x" * 22)
    await tab_to(page, "Save changes")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("The delete token is wrong")
    await expect(page.get_by_role("button", name="Save changes")).to_be_focused()
    met(page).clear()  # the refused request


async def test_my_images_are_selected_deleted_and_restored(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await tab_to(page, f"Select {NAMES[2]}")
    await page.keyboard.press("Space")
    await page.locator("#actions [data-action=delete]").focus()
    await page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_focused()
    await page.keyboard.press("Enter")
    await page.get_by_role("status").get_by_text("1 image restored.").wait_for()
    await expect(page.locator("#main")).to_be_focused()
    met(page).clear()  # thumbnails of what was gone for a moment


async def test_the_zoom_gives_the_focus_back(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(1600, 1200))
    page = await open_page(f"/i/{image['slug']}")
    await tab_to(page, "Zoom")
    await page.keyboard.press("Enter")
    await page.locator("[role=application]:focus").wait_for()
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await focused(page) == "Zoom"


async def test_the_link_of_an_upload_is_copied_while_it_is_sent(open_page: OpenPage) -> None:
    page = await open_page("/", permissions=["clipboard-read", "clipboard-write"])
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    await tab_to(page, "Copy: slow.jpg")
    link = await copied(page, page.keyboard.press("Enter"))
    assert link == await link_of(found)
    assert re.fullmatch(r"http://[^/]+/i/[0-9A-Za-z]{17}", link)
    await found.get_by_role("button", name="Cancel").click()


async def test_the_focus_moves_on_when_a_refused_file_is_dismissed(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("a.bmp", b"BM" + bytes(100)), payload("b.bmp", b"BM" + bytes(100)))
    await card(page, "a.bmp").get_by_role("button", name="Dismiss").press("Enter")
    await expect(card(page, "b.bmp").get_by_role("button", name="Dismiss")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#file")).to_be_focused()


async def test_the_focus_is_on_the_image_after_a_view_opened_by_a_link(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(1600, 1200))
    page = await open_page(f"/i/{image['slug']}#xywh=0,0,800,600")
    await page.locator("[role=application]:focus").wait_for()
    await page.keyboard.press("Escape")
    await expect(page.locator("#frame")).to_be_focused()
