"""My images: what a browser remembers of its uploads, and what can be done with many of them."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, payload
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import STORE, invented, tick, with_invented, with_pictures, with_uploads
from tests.support.browser.pages import THEMES, Site, copied, met, overflow_px, screen
from tests.support.images import pictures

MISNAMED = """() => [...document.querySelectorAll("main [aria-label]")]
    .filter((each) => each.matches("a, button"))
    .map((each) => [each.innerText.trim(), each.getAttribute("aria-label")])
    .filter(([seen, name]) => !name.toLowerCase().includes(seen.toLowerCase()))"""

COUNT_PERSIST = """() => {
    const { dataset } = document.documentElement;
    navigator.storage.persist = async () => Boolean(dataset.asked = Number(dataset.asked ?? 0) + 1);
}"""


async def status(site: Site, link: str) -> int:
    async with site.session.get(link) as reply:
        return reply.status


async def shown(page: Page) -> list[str]:
    """The names of the images in the list, from top to bottom."""
    return await page.locator(".image .name").all_inner_texts()


async def test_each_upload_is_remembered_by_the_browser_alone(open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    hrefs = [await each.get_attribute("href") for each in await page.locator(".image a.open").all()]
    assert {f"/i/{link.rpartition('/')[2]}" for link in links.values()} == set(hrefs)
    other = await open_page("/images")
    await other.get_by_text("Nothing has been uploaded from this browser yet.").wait_for()


async def test_the_browser_is_asked_to_keep_the_list(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(COUNT_PERSIST)
    await choose(page, *(payload(name, pictures.png()) for name in ("one.png", "two.png")))
    await expect(page.locator("#uploads > [data-phase=done]")).to_have_count(2)
    await expect(page.locator("html")).to_have_attribute("data-asked", "1")


async def test_the_newest_image_is_first_and_others_are_found_by_name(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 0)
    now, before = await page.evaluate("[0, 40].map((days) => new Date(Date.now() - days * 86400000).toISOString())")
    details = {"b2.jpg": now, "b10.jpg": now, "Ólafur.jpg": before}
    entries = [
        each | {"filename": name, "uploaded_at": details[name]} for each, name in zip(invented(3), details, strict=True)
    ]
    await page.evaluate(STORE, ["pictures", entries])
    await page.reload()
    await page.get_by_role("heading", name="Today").wait_for()
    names = page.locator(".image .name")
    await expect(names).to_have_text(["b10.jpg", "b2.jpg", "Ólafur.jpg"])  # chosen in the same moment: by name
    assert await page.get_by_role("heading", level=2).count() == 2
    await page.get_by_label("Order").select_option("oldest")
    await expect(names).to_have_text(["Ólafur.jpg", "b2.jpg", "b10.jpg"])
    await page.get_by_label("Order").select_option("name")
    await expect(names).to_have_text(["b2.jpg", "b10.jpg", "Ólafur.jpg"])
    await page.get_by_label("Search by title or file name").fill("JPG  olaf")
    await expect(names).to_have_text(["Ólafur.jpg"])
    await page.get_by_label("All", exact=True).check()
    await page.get_by_text("1 selected").wait_for()
    await page.get_by_label("Search by title or file name").fill("four")
    await page.get_by_text("No image matches your search.").wait_for()
    await expect(page.locator("#actions")).to_be_hidden()


async def test_pressing_an_image_opens_it(open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await page.locator(".image", has_text="two.jpg").locator(".frame").click()
    await page.wait_for_url(links["two.jpg"])


async def test_many_images_are_kept_longer(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await page.get_by_label("All", exact=True).check()
    await page.get_by_text("More", exact=True).click()
    await page.get_by_label("New expiry").select_option("7d")
    await page.get_by_role("button", name="Set expiry").press("Enter")
    await page.get_by_text("Expiry changed for 3 images.").wait_for()
    await expect(page.get_by_role("button", name="Set expiry")).to_be_focused()
    async with site.session.get(links["one.jpg"].replace("/i/", "/api/v1/images/")) as reply:
        found = await reply.json()
    assert found["expires_at"] > found["created_at"]
    assert int(found["expires_at"][8:10]) != int(found["created_at"][8:10])


async def test_an_image_removed_from_the_list_still_works(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await tick(page, "one.jpg")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Remove from list").click()
    await page.locator(".image").nth(2).wait_for(state="detached")
    assert await status(site, links["one.jpg"]) == 200
    await page.get_by_role("button", name="Undo").click()
    await page.locator(".image").nth(2).wait_for()


async def test_the_list_moves_to_another_browser_as_a_file(open_page: OpenPage, tmp_path: Path) -> None:
    page, links = await with_pictures(open_page)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export list").click()
    file = tmp_path / "pictures.json"
    await (await download.value).save_as(file)
    assert {each["url"] for each in json.loads(file.read_text())["pictures"]} == set(links.values())
    other = await open_page("/images")
    await other.locator("#import").set_input_files(file)
    await other.locator(".image").nth(2).wait_for()
    await other.locator("#import").set_input_files([payload("list.json", b'{"format": "else"}')])
    await other.get_by_text("list.json isn’t an exported list.").wait_for()
    assert await other.locator(".image").count() == 3
    album = {"slug": "1yNqEvM1Xh6dnaz5k", "delete_token": "t" * 22, "made_at": "2026-11-24T00:00:00Z", "title": "Trip"}
    albums = json.dumps({"format": "appliance-pictures-1", "pictures": [], "albums": [album]}).encode()
    await other.locator("#import").set_input_files([payload("albums.json", albums)])
    await other.get_by_text("1 album added.").wait_for()


async def test_an_imported_list_links_only_to_this_host(open_page: OpenPage) -> None:
    foreign = {
        "slug": "1yNqEvM1Xh6dnaz5k",
        "url": "https://evil.example/x",
        "filename": "<img src=x>.jpg",
        "thumbnail": "https://evil.example/y",
        "delete_token": "t" * 22,
        "uploaded_at": "2026-11-24T00:00:00Z",
    }
    data = json.dumps({"format": "appliance-pictures-1", "pictures": [foreign]}).encode()
    page = await open_page("/images")
    await page.locator("#import").set_input_files([payload("list.json", data)])
    await page.locator(".image").wait_for()
    assert "evil" not in await page.content()
    assert await page.locator(".image .name").inner_text() == "<img src=x>.jpg"
    await page.get_by_text("Deleted", exact=True).wait_for()
    await page.wait_for_timeout(1000)  # each request that failed is told by the console, some later
    met(page).clear()  # the thumbnail that this host does not have


async def test_an_imported_list_keeps_its_bin_and_believes_no_impossible_times(open_page: OpenPage) -> None:
    never = "+275760-09-13T00:00:00.000Z"
    ended = {"delete_token": "t" * 22, "gone": True, "restorable_until": never}
    image = ended | {"slug": "1yNqEvM1Xh6dnaz5k", "filename": "x.jpg", "uploaded_at": never, "sha256": "a" * 64}
    album = ended | {"slug": "2yNqEvM1Xh6dnaz5k", "made_at": "2026-11-24T00:00:00Z"}
    data = json.dumps({"format": "appliance-pictures-1", "pictures": [image], "albums": [album]}).encode()
    page = await open_page("/images#/bin")
    await page.route("**/api/v1/albums/**", lambda route: route.abort())  # which would have it dropped
    await page.locator("#import").set_input_files([payload("list.json", data)])
    await expect(page.locator(".image .state, #albums .state")).to_have_text(["90 days left"] * 2)
    await page.get_by_role("heading", name="Today").wait_for()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export list").click()
    exported = json.loads((await (await download.value).path()).read_text())
    assert exported["pictures"][0]["sha256"] == "a" * 64
    met(page).clear()  # what the album's address didn't answer


async def test_damaged_entries_of_a_list_are_skipped(open_page: OpenPage) -> None:
    good = {"slug": "1yNqEvM1Xh6dnaz5k", "filename": "good.jpg", "delete_token": "t" * 22, "uploaded_at": "2026-11-24"}
    bad = [good | {"uploaded_at": "zzzz"}, good | {"delete_token": ""}, good | {"slug": "../x"}, 7, None]
    data = json.dumps({"format": "appliance-pictures-1", "pictures": [*bad, good | {"expires_at": "tomorrow"}]})
    page = await open_page("/images")
    await page.locator("#import").set_input_files([payload("list.json", data.encode())])
    await page.locator(".image .name", has_text="good.jpg").wait_for()
    await page.reload()
    await expect(page.locator(".image")).to_have_count(1)
    await page.get_by_text("Deleted", exact=True).wait_for()
    await page.wait_for_timeout(1000)  # each request that failed is told by the console, some later
    met(page).clear()  # the picture that this host does not have


async def test_changes_made_elsewhere_are_shown(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    slug = links["one.jpg"].rpartition("/")[2]
    row = page.locator(".image", has=page.locator(f'a.open[href="/i/{slug}"]'))
    token = str(await row.locator("a.manage-link").get_attribute("href")).rpartition("#")[2]
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{site.url}/api/v1/images/{slug}"
    async with site.session.patch(url, json={"title": "Renamed"}, headers=headers) as reply:
        assert reply.status == 200
    await page.reload()
    await row.get_by_text("Renamed").wait_for()


async def test_an_album_is_created_from_the_selection(site: Site, open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await tick(page, "one.jpg", "three.jpg")
    await page.get_by_role("button", name="Create an album").click()
    await page.wait_for_url("**/a/**")
    slug = page.url.partition("/a/")[2].partition("/")[0]
    async with site.session.get(f"{site.url}/api/v1/albums/{slug}") as reply:
        assert len((await reply.json())["images"]) == 2
    met(page).clear()
    await page.goto("/images#/albums")
    await page.locator("#albums a").first.wait_for()


@pytest.mark.parametrize("theme", THEMES)
async def test_the_list_is_accessible(open_page: OpenPage, axe: str, theme: str) -> None:
    page, _ = await with_pictures(open_page, **screen("narrow", theme))
    await tick(page, "one.jpg")
    await page.get_by_text("More", exact=True).click()
    for view in ("#/", "#/albums", "#/bin"):
        await page.locator(f".views a[href='{view}']").click()
        assert await violations(page, axe) == [], view
        assert await overflow_px(page) <= 0, view


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
async def test_what_is_read_aloud_contains_what_is_seen(open_page: OpenPage, locale: str) -> None:
    """Else who speaks to the page can't press what they see."""
    page, _ = await with_invented(open_page, 2, locale=locale)
    assert await page.evaluate(MISNAMED) == []


async def test_links_are_copied_one_and_many(open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page, permissions=["clipboard-read", "clipboard-write"])
    assert await copied(page, page.get_by_role("button", name="Copy: two.jpg").click()) == links["two.jpg"]
    await tick(page, "one.jpg", "three.jpg")
    both = await copied(page, page.get_by_role("button", name="Copy links").click())
    assert set(both.split("\n")) == {links["one.jpg"], links["three.jpg"]}


async def test_an_image_that_has_ended_says_how_and_can_be_removed(site: Site, open_page: OpenPage) -> None:
    page = await with_uploads(open_page, [await site.upload(pictures.photo(64, 48), "living.jpg")])
    expired, deleted = invented(2)
    ended = [expired | {"expires_at": "2026-02-01T00:00:00Z"}, deleted | {"gone": True}]
    await page.evaluate(STORE, ["pictures", ended])
    await page.reload()
    gone = page.locator(".image.gone")
    await gone.nth(1).wait_for()
    await expect(gone.locator(".state")).to_have_text(["Deleted", "Expired"])
    assert await gone.get_by_role("link").all_inner_texts() == ["Manage"] * 2  # it can be restored there
    assert await gone.first.get_by_role("button").count() == 0
    await page.get_by_role("button", name="Remove deleted and expired").click()
    await gone.first.wait_for(state="detached")
    assert await shown(page) == ["living.jpg"]
    await page.get_by_role("button", name="Undo").click()
    await gone.nth(1).wait_for()
    met(page).clear()  # what the host does not have


async def test_an_album_has_the_order_of_the_uploads_and_nothing_that_has_ended(
    site: Site, open_page: OpenPage
) -> None:
    names = ["one.jpg", "two.jpg", "three.jpg"]
    page = await with_uploads(open_page, [await site.upload(pictures.photo(64, 48), name) for name in names])
    await page.evaluate(STORE, ["pictures", [invented(1)[0] | {"gone": True}]])
    await page.reload()
    await page.locator(".image.gone").wait_for()
    await tick(page, "image-1.jpg")
    await page.get_by_role("button", name="Create an album").click()
    await page.get_by_text("there is nothing to put in an album").wait_for()
    await page.get_by_label("All", exact=True).check()
    await page.get_by_role("button", name="Create an album").click()
    await page.wait_for_url("**/a/**")
    slug = page.url.partition("/a/")[2].partition("#")[0].partition("/")[0]
    async with site.session.get(f"{site.url}/api/v1/albums/{slug}") as reply:
        assert [image["filename"] for image in (await reply.json())["images"]] == names
    met(page).clear()  # what the host does not have


async def test_albums_move_with_the_list_and_their_removal_can_be_undone(open_page: OpenPage, tmp_path: Path) -> None:
    page, _ = await with_pictures(open_page)
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Create an album").click()
    await page.wait_for_url("**/a/**")
    await page.goto("/images#/albums")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export list").click()
    file = tmp_path / "list.json"
    await (await download.value).save_as(file)
    other = await open_page("/images#/albums")
    await other.locator("#import").set_input_files(file)
    album = other.locator("#albums li")
    await album.get_by_role("link", name="Manage").wait_for()
    await album.get_by_role("button", name="Remove from list").press("Enter")
    await album.wait_for(state="detached")
    await other.keyboard.press("Enter")  # the focus is on Undo
    await album.wait_for()
    met(page).clear()


async def test_a_batch_is_in_the_order_in_which_it_was_chosen(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    assert await shown(page) == ["three.jpg", "two.jpg", "one.jpg"]
