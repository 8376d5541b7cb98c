"""My images in other tabs, browsers and devices, and when the browser forgets it."""

import re

from playwright.async_api import expect

from tests.support.browser.cards import choose, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import STORE, tick, with_invented, with_pictures, with_uploads
from tests.support.browser.pages import Site, copied, met
from tests.support.images import pictures

CLIPBOARD = ["clipboard-read", "clipboard-write"]


async def test_another_tab_learns_of_uploads_and_deletions(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    other = await page.context.new_page()
    await other.goto("/")
    await choose(other, payload("four.jpg", pictures.photo(64, 48)))
    await reaches(other, "four.jpg", "done")
    await page.locator(".image", has_text="four.jpg").wait_for()
    await other.goto("/images")
    await tick(other, "four.jpg")
    await other.get_by_role("button", name="Delete", exact=True).click()
    await page.locator(".image", has_text="four.jpg").wait_for(state="detached")
    await page.get_by_role("link", name="Bin 1").wait_for()


async def test_the_list_says_when_something_ends_today_and_that_it_was_viewed_once(
    site: Site, open_page: OpenPage
) -> None:
    once = await site.upload(pictures.photo(64, 48), "once.jpg", one_view="true")
    soon = await site.upload(pictures.photo(64, 48), "soon.jpg", expires_in="1h")
    async with site.session.post(f"{site.url}/i/{once['slug']}/view") as reply:
        await reply.read()
    page = await with_uploads(open_page, [once, soon])
    state = page.locator(".image", has_text="once.jpg").locator(".state")
    await expect(state).to_have_text(re.compile(r"^Viewed .+, \d\d:\d\d\. That was its one view\.$"))
    await page.get_by_role("link", name="Images 2").wait_for()
    await page.get_by_role("link", name="Bin 0").wait_for()
    await expect(page.locator(".image", has_text="soon.jpg").locator(".state")).to_have_text(
        re.compile(r", \d\d:\d\d$")
    )
    await page.goto(f"{soon['url']}/manage")
    unchanged = page.get_by_label("Expiry").locator("option").first
    await expect(unchanged).to_have_text(re.compile(r"^no change \(.+, \d\d:\d\d\)$"))
    met(page).clear()  # the statuses of what is gone


async def test_a_list_that_the_browser_deletes_can_be_stored_again(site: Site, open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 3)
    session = await page.context.new_cdp_session(page)
    await session.send("Storage.clearDataForOrigin", {"origin": site.url, "storageTypes": "all"})
    await page.get_by_text("The browser’s data was cleared.").wait_for()
    assert await page.locator(".image").count() == 3
    await page.get_by_role("button", name="Store it again").click()
    await page.get_by_text("The list is stored in this browser again.").wait_for()
    await page.reload()
    await page.locator(".image").nth(2).wait_for()
    met(page)[:] = [words for words in met(page) if "Force close delete origin" not in words]  # Chromium's own


async def test_a_browser_that_stores_nothing_says_so(open_page: OpenPage) -> None:
    page = await open_page()
    await page.add_init_script("indexedDB.open = () => { throw new DOMException('refused', 'SecurityError'); };")
    await page.goto("/images")
    await page.get_by_text("This browser doesn’t let the page store anything").wait_for()


async def test_a_manage_link_offers_its_image_to_my_images(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48), "cat.jpg")
    page = await open_page(f"/i/{image['slug']}#{image['delete_token']}")
    await page.get_by_role("button", name="Add to My images").press("Enter")
    await page.get_by_text("Added to My images on this device.").wait_for()
    await expect(page.locator(".offer a")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.locator(".image", has_text="cat.jpg").wait_for()
    await page.goto(f"/i/{image['slug']}#{image['delete_token']}")
    await page.get_by_role("button", name="Save changes").wait_for()
    await page.wait_for_load_state("networkidle")
    assert await page.get_by_role("button", name="Add to My images").count() == 0


async def created_at(site: Site, link: str) -> str:
    """When its file came in, to the second; files of the same second are in the order of their names."""
    async with site.session.get(link.replace("/i/", "/api/v1/images/")) as reply:
        return str((await reply.json())["created_at"])


async def test_images_are_sent_to_another_device_by_code(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page, permissions=CLIPBOARD)
    await tick(page, "one.jpg", "three.jpg")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Send to another device").click()
    dialog = page.get_by_role("dialog", name="Send to another device")
    await dialog.get_by_text("Code 1 of 1").wait_for()
    assert await dialog.get_by_role("img", name="QR code").evaluate("code => code.width") > 40
    link = await copied(page, dialog.get_by_role("button", name="Copy link").click())
    assert re.fullmatch(r"http://[^/]+/images#add=[\w-]{78}", link)
    other = await open_page(link)
    await other.get_by_role("dialog", name="Add 2 images to this list?").get_by_role("button", name="Add").click()
    await other.get_by_text("2 images added.").wait_for()
    assert other.url.endswith("/images")
    await expect(other.locator("#main")).to_be_focused()
    came = {name: await created_at(site, links[name]) for name in ("one.jpg", "three.jpg")}
    newest_first = sorted(came, key=lambda name: (came[name], name), reverse=True)
    await expect(other.locator(".image .name")).to_have_text(newest_first)
    await tick(other, "one.jpg")
    await other.get_by_role("button", name="Delete", exact=True).click()
    await other.get_by_text("1 image moved to the bin.").wait_for()


async def test_many_images_take_several_codes(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 45)
    await page.get_by_label("All", exact=True).check()
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Send to another device").click()
    more = page.get_by_role("button", name="Next")
    for number in (1, 2):
        await page.get_by_text(f"Code {number} of 3").wait_for()
        await more.click()
    await page.get_by_text("Code 3 of 3").wait_for()
    await expect(more).to_be_disabled()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Send to another device")).to_be_focused()


async def test_a_code_that_was_cut_off_adds_nothing(open_page: OpenPage) -> None:
    page = await open_page("/images#add=1yNqEvM1Xh6dnaz5kabc")
    await page.get_by_text("This link is incomplete.").wait_for()
    assert page.url.endswith("/images")


async def test_an_unfinished_upload_is_mentioned_alone(open_page: OpenPage) -> None:
    page = await open_page("/images")
    await page.get_by_text("Nothing has been uploaded").wait_for()
    begun = {"id": "x", "name": "large.tiff", "size": 300_000_000, "modified": 0, "wishes": {}}
    await page.evaluate(STORE, ["begun", [begun]])
    await page.reload()
    await page.get_by_text("1 upload isn’t finished. Unfinished uploads are kept for 24 hours.").wait_for()
    assert await page.get_by_text("Nothing has been uploaded").is_hidden()
    met(page).clear()
