"""Files that are uploaded on the manage page of an album, straight into it."""

from playwright.async_api import Locator, Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.albums import album_of, managing, names_now
from tests.support.browser.cards import card, choose, full, payload, reaches, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, overflow_px, screen
from tests.support.images import pictures


def option(page: Page, name: str) -> Locator:
    return page.get_by_role("option", name=name)


DROP = """async (files) => {
  const data = new DataTransfer();
  for (const [name, bytes] of files) data.items.add(new File([Uint8Array.from(bytes)], name));
  const options = { dataTransfer: data, bubbles: true, cancelable: true };
  document.body.dispatchEvent(new DragEvent("drop", options));
}"""


async def test_files_are_dropped_straight_into_an_album(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await page.get_by_text("Upload images into this album").wait_for()
    dropped = ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    files = [(name, list(pictures.photo(64, 48, seed=10 + place))) for place, name in enumerate(dropped)]
    await page.evaluate(DROP, [*files[:2], ("text.txt", list(b"no image")), *files[2:]])
    await reaches(page, "text.txt", "refused")
    await option(page, "d.jpg").wait_for()
    await expect(page.locator("#summary-text")).to_have_text(
        "4 images uploaded. 1 file was not uploaded; its card says why."
    )
    await expect(page.locator("#uploads > li")).to_have_count(1)
    assert await names_now(site, album) == ["one.jpg", *dropped]
    await page.goto("/images")
    await page.get_by_label("Select a.jpg", exact=True).wait_for()


async def test_uploads_into_an_album_show_how_far_they_are_and_are_cancelled(
    site: Site, open_page: OpenPage, axe: str
) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album), **screen("narrow"))
    await page.get_by_text("Upload images into this album").wait_for()
    session = await slowed(page)
    await choose(page, *(payload(f"{number}.jpg", pictures.camera_photo()) for number in range(3)))
    await expect(page.locator("#summary-text")).to_contain_text("0 of 3 uploaded, ")
    await expect(page.get_by_role("progressbar", name="All uploads")).to_be_visible()
    await page.wait_for_function("document.title.includes('%')")
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    await card(page, "1.jpg").get_by_role("button", name="Cancel").click()
    await reaches(page, "1.jpg", "gone")
    await slow_down(session, -1)
    await option(page, "2.jpg").wait_for()
    await page.get_by_text("Added to the album.").wait_for()
    assert await names_now(site, album) == ["one.jpg", "0.jpg", "2.jpg"]


async def test_an_upload_into_an_album_that_fails_is_tried_again(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await page.route("**/api/v1/uploads", full)
    await choose(page, payload("cat.png", pictures.png()))
    found = await reaches(page, "cat.png", "failed")
    met(page).clear()  # the status
    await page.unroute_all()
    await found.get_by_role("button", name="Try again").click()
    await option(page, "cat.png").wait_for()
    await expect(page.locator("#file")).to_be_focused()  # the card has gone
    assert await names_now(site, album) == ["one.jpg", "cat.png"]


async def test_an_uploaded_image_that_cannot_be_added_stays_in_the_field(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await page.route(f"**/a/{album['slug']}/manage", lambda route: route.abort())
    await choose(page, payload("new.jpg", pictures.photo(64, 48, seed=9)))
    await page.get_by_text("1 image was uploaded, but isn’t in the album yet.").wait_for()
    await page.unroute_all()
    await page.get_by_role("button", name="Add", exact=True).click()
    await option(page, "new.jpg").wait_for()
    assert await names_now(site, album) == ["one.jpg", "new.jpg"]
    met(page).clear()  # the statuses
