"""The bin of My images: what is deleted there can be restored there, and nothing is lost on the way."""

import re

from playwright.async_api import Page, expect

from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import NAMES, STORE, invented, tick, with_pictures
from tests.support.browser.pages import Site, met

STORE_NO_FILES = """() => {
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (entry) {
        if (Object.values(entry).some((value) => value instanceof Blob)) throw new DOMException("No", "DataCloneError");
        return put.call(this, entry);
    };
}"""
"""As in a private window of Safari."""


async def statuses(site: Site, links: dict[str, str]) -> list[int]:
    found = []
    for name in NAMES:
        async with site.session.get(links[name]) as reply:
            found.append(reply.status)
    return found


async def delete(page: Page, *names: str) -> None:
    await tick(page, *names)
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    if len(names) > 1:
        await page.get_by_role("button", name="Move to the bin").click()


async def test_several_images_are_deleted_after_a_question_and_restored(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    question = page.get_by_role("dialog", name="Move 2 images to the bin?")
    await expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    await page.keyboard.press("Enter")
    again = page.get_by_role("button", name="Delete", exact=True)
    await expect(again).to_be_focused()
    await expect(again).not_to_have_attribute("aria-busy", "true")  # the answer to the question has arrived
    assert await statuses(site, links) == [200, 200, 200]
    await page.keyboard.press("Enter")
    await question.get_by_role("button", name="Move to the bin").click()
    await page.get_by_text("2 images moved to the bin.").wait_for()
    assert await statuses(site, links) == [410, 410, 200]
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_text("2 images restored.").wait_for()
    assert await statuses(site, links) == [200, 200, 200]


async def test_without_a_bin_the_list_says_that_it_is_over_in_seconds(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await page.locator("#live").evaluate("place => { place.dataset.binDays = 0; }")  # as such a host sends it
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Delete", exact=True).press("Enter")
    question = page.get_by_role("dialog", name="Delete 2 images?")
    await question.get_by_text("You can undo this for 10 seconds.").wait_for()
    await question.get_by_role("button", name="Delete", exact=True).click()
    await page.get_by_text("2 images deleted.").wait_for()


async def test_what_could_not_be_deleted_says_why(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await page.route("**/api/v1/images/*", lambda route: route.abort())
    await delete(page, "one.jpg")
    await page.get_by_text("1 image could not be changed. The server can’t be reached.").wait_for()
    met(page).clear()  # the requests


async def test_the_bin_shows_what_was_deleted_and_restores_it(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await delete(page, "one.jpg", "two.jpg")
    await page.get_by_text("2 images moved to the bin.").wait_for()
    await page.get_by_role("link", name="Bin 2").click()
    row = page.locator(".image", has_text="two.jpg")
    await expect(row.locator(".state")).to_have_text(re.compile("days? left$"))
    assert await row.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    await row.get_by_role("button", name="Restore: two.jpg").press("Enter")
    await page.get_by_text("1 image restored.").wait_for()
    await row.wait_for(state="detached")
    await expect(page.get_by_label("Select one.jpg")).to_be_focused()
    assert await statuses(site, links) == [410, 200, 200]
    await page.get_by_label("All", exact=True).check()
    await page.get_by_role("button", name="Restore", exact=True).press("Enter")
    await page.get_by_text("The bin is empty.").wait_for()
    await expect(page.locator("#images")).to_be_focused()
    await page.get_by_role("link", name="Images 3").click()
    await page.locator(".image", has_text="two.jpg").wait_for()


async def test_the_bin_works_where_the_browser_stores_no_files(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await page.evaluate(STORE_NO_FILES)
    await delete(page, "one.jpg")
    await page.get_by_text("1 image moved to the bin.").wait_for()
    await page.get_by_role("link", name="Bin 1").click()
    await page.get_by_role("button", name="Restore: one.jpg").press("Enter")
    await page.get_by_text("1 image restored.").wait_for()


async def test_an_image_is_deleted_for_good_before_its_time(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await delete(page, "one.jpg")
    await page.get_by_text("1 image moved to the bin.").wait_for()
    await page.get_by_role("link", name="Bin 1").click()
    await page.get_by_role("button", name="Delete now: one.jpg").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete now").click()
    await page.get_by_text("1 image deleted.").wait_for()
    await page.get_by_text("The bin is empty.").wait_for()


async def test_the_bin_counts_the_days_and_drops_what_is_erased(open_page: OpenPage) -> None:
    page = await open_page("/images#/bin")
    await page.get_by_text("The bin is empty.").wait_for()
    until = await page.evaluate("[6.5, -1].map((days) => new Date(Date.now() + days * 86400000).toISOString())")
    entries = [each | {"gone": True, "restorable_until": at} for each, at in zip(invented(2), until, strict=True)]
    await page.evaluate(STORE, ["pictures", entries])
    await page.reload()
    await page.get_by_text("6 days left").wait_for()
    await page.get_by_role("link", name="Bin 1").wait_for()
    await page.get_by_role("link", name="Images 0").click()
    assert await page.locator(".image").count() == 0


async def test_deleting_what_was_deleted_elsewhere_is_no_failure(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/images")
    await page.get_by_text("Nothing has been uploaded").wait_for()
    await page.evaluate(STORE, ["pictures", [invented(1)[0] | {"gone": True}]])
    await page.reload()
    await delete(page, "image-1.jpg")
    await page.get_by_text("1 image was deleted or had expired before.").wait_for()
    met(page).clear()  # the host knows no such image


async def test_an_image_deleted_by_its_manage_link_is_in_the_bin_too(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    slug = links["one.jpg"].rpartition("/")[2]
    token = str(await page.locator(f'a.manage-link[href*="{slug}"]').get_attribute("href")).rpartition("#")[2]
    url = f"{site.url}/api/v1/images/{slug}?bin=true"
    async with site.session.delete(url, headers={"Authorization": f"Bearer {token}"}) as reply:
        assert reply.status == 200
    await page.reload()
    await page.get_by_role("link", name="Bin 1").click()
    row = page.locator(".image", has_text="one.jpg")
    await expect(row.locator(".state")).to_have_text(re.compile("days left$"))
    await row.get_by_role("button", name="Restore: one.jpg").click()
    await page.get_by_role("link", name="Images 3").wait_for()
    assert await statuses(site, links) == [200, 200, 200]
    met(page).clear()  # the status of what is gone


async def test_an_album_deleted_by_its_manage_link_is_in_the_bin_and_restored(site: Site, open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Create an album").click()
    await page.get_by_role("link", name="Manage this album").click()
    await page.get_by_text("Delete this album").click()
    await page.get_by_role("button", name="Move to the bin").click()
    await page.get_by_role("heading", name="Moved to the bin").wait_for()
    await page.goto("/images#/albums")
    await page.get_by_text("No albums yet.").wait_for()
    await page.get_by_role("link", name="Bin 1").click()
    row = page.locator("#albums li")
    await expect(row.locator(".state")).to_have_text("7 days left")
    await row.get_by_role("link", name="Manage").click()
    await page.get_by_role("button", name="Restore").click()
    await page.get_by_text("Album restored.").wait_for()
    await page.goto("/images#/albums")
    await expect(page.locator("#albums li .state")).to_have_count(0)
    await expect(page.locator("#albums li a").first).to_have_attribute("href", re.compile("^/a/"))
    met(page).clear()  # the statuses of what is gone
