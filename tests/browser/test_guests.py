"""Guest links in a browser: the owner of an album makes one, and a guest adds images by it, with the script."""

from tests.support.browser.accessibility import violations
from tests.support.browser.albums import album_of, managing, names_now
from tests.support.browser.cards import choose, payload
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, overflow_px, screen
from tests.support.images import pictures


async def test_a_guest_adds_images_by_a_link_that_the_owner_has_made(site: Site, open_page: OpenPage, axe: str) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album), **screen("narrow"))
    await page.wait_for_url(f"**/a/{album['slug']}/manage")
    await page.get_by_role("button", name="Links for guests").click()
    await page.get_by_label("also what they have added themselves").check()
    await page.get_by_role("button", name="Create a guest link").click()
    link = await page.get_by_label("Guest link", exact=True).input_value()
    assert await page.get_by_alt_text("QR code of the guest link").is_visible()
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0

    guest = await open_page(link.removeprefix(site.url), **screen("phone"))
    referrers: list[str] = []
    guest.on("request", lambda request: referrers.append(request.headers.get("referer", "")))
    assert await violations(guest, axe) == []
    files = [payload(f"{name}.jpg", pictures.photo(320, 240, seed=seed)) for seed, name in enumerate(("cake", "pie"))]
    await choose(guest, *files)
    await guest.get_by_text("198 images can still be added").wait_for()
    assert (await names_now(site, album))[0] == "one.jpg"
    assert sorted(await names_now(site, album)) == ["cake.jpg", "one.jpg", "pie.jpg"]
    await guest.get_by_role("button", name="Copy all links").wait_for()
    assert await guest.get_by_role("button", name="Create an album").count() == 0  # they are in one
    await guest.reload()
    await guest.get_by_role("link", name="cake.jpg").wait_for()
    assert not [each for each in referrers if "/c/" in each]
