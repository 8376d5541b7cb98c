"""My images: what a browser remembers of its uploads, and what can be done with many of them."""

import json
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import payload
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import NAMES, with_pictures
from tests.support.browser.pages import THEMES, Site, met, overflow_px, screen


async def status(site: Site, link: str) -> int:
    async with site.session.get(link) as reply:
        return reply.status


async def tick(page: Page, *names: str) -> None:
    for name in names:
        await page.get_by_label(f"Select {name}").check()


async def test_each_upload_is_remembered_by_the_browser_alone(open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    hrefs = [await each.get_attribute("href") for each in await page.locator(".image a.open").all()]
    assert {f"/i/{link.rpartition('/')[2]}" for link in links.values()} == set(hrefs)
    other = await open_page("/images")
    await other.get_by_text("Nothing has been uploaded from this browser yet.").wait_for()


async def test_many_images_are_deleted_and_restored(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Undo").wait_for()
    assert [await status(site, links[name]) for name in NAMES] == [410, 410, 200]
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_text("2 images restored.").wait_for()
    assert [await status(site, links[name]) for name in NAMES] == [200, 200, 200]
    met(page).clear()  # thumbnails of what was gone for a moment


async def test_many_images_are_kept_longer(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await page.get_by_label("All", exact=True).check()
    await page.get_by_label("New expiry").select_option("7d")
    await page.get_by_role("button", name="Set expiry").click()
    await page.get_by_text("Expiry changed for 3 images.").wait_for()
    async with site.session.get(links["one.jpg"].replace("/i/", "/api/v1/images/")) as reply:
        found = await reply.json()
    assert found["expires_at"] > found["created_at"]
    assert int(found["expires_at"][8:10]) != int(found["created_at"][8:10])


async def test_an_image_removed_from_the_list_still_works(site: Site, open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page)
    await tick(page, "one.jpg")
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
    await page.get_by_text("No longer available").wait_for()
    await page.wait_for_timeout(1000)  # each request that failed is told by the console, some later
    met(page).clear()  # the thumbnail that this host does not have


async def test_damaged_entries_of_a_list_are_skipped(open_page: OpenPage) -> None:
    good = {"slug": "1yNqEvM1Xh6dnaz5k", "filename": "good.jpg", "delete_token": "t" * 22, "uploaded_at": "2026-11-24"}
    bad = [good | {"uploaded_at": "zzzz"}, good | {"delete_token": ""}, good | {"slug": "../x"}, 7, None]
    data = json.dumps({"format": "appliance-pictures-1", "pictures": [*bad, good | {"expires_at": "tomorrow"}]})
    page = await open_page("/images")
    await page.locator("#import").set_input_files([payload("list.json", data.encode())])
    await page.locator(".image .name", has_text="good.jpg").wait_for()
    await page.reload()
    assert await page.locator(".image").count() == 1
    await page.get_by_text("No longer available").wait_for()
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
    await page.goto("/images")
    assert await page.locator("#albums a").first.get_attribute("href") is not None


@pytest.mark.parametrize("theme", THEMES)
async def test_the_list_is_accessible(open_page: OpenPage, axe: str, theme: str) -> None:
    page, _ = await with_pictures(open_page, **screen("narrow", theme))
    await tick(page, "one.jpg")
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0


async def test_links_are_copied_one_and_many(open_page: OpenPage) -> None:
    page, links = await with_pictures(open_page, permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy the link to two.jpg").click()
    assert await page.evaluate("navigator.clipboard.readText()") == links["two.jpg"]
    await tick(page, "one.jpg", "three.jpg")
    await page.get_by_role("button", name="Copy links").click()
    copied = str(await page.evaluate("navigator.clipboard.readText()"))
    assert set(copied.split("\n")) == {links["one.jpg"], links["three.jpg"]}


async def test_an_image_that_is_gone_has_no_link_and_can_be_removed(open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    forget = page.get_by_role("button", name="Remove deleted and expired")
    assert await forget.is_hidden()
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_text("2 images deleted.").wait_for()
    gone = page.locator(".image.gone")
    assert await gone.count() == 2
    assert await gone.first.get_by_role("link", name="Open").count() == 0
    assert await gone.first.get_by_role("button").count() == 0
    assert await gone.first.get_by_role("link", name="Manage").is_visible()  # it can be brought back there
    await forget.click()
    await gone.first.wait_for(state="detached")
    assert await page.locator(".image").count() == 1
    assert await forget.is_hidden()
    await page.get_by_role("button", name="Undo").click()
    await gone.nth(1).wait_for()
    met(page).clear()  # thumbnails of what is gone


async def test_an_album_is_created_without_images_that_are_gone(site: Site, open_page: OpenPage) -> None:
    page, _ = await with_pictures(open_page)
    await tick(page, "one.jpg")
    await page.get_by_role("button", name="Delete").click()
    await page.locator(".image.gone").wait_for()
    await tick(page, "one.jpg")
    await page.get_by_role("button", name="Create an album").click()
    await page.get_by_text("there is nothing to put in an album").wait_for()
    await page.get_by_label("All", exact=True).check()
    await page.get_by_role("button", name="Create an album").click()
    await page.wait_for_url("**/a/**")
    slug = page.url.partition("/a/")[2].partition("/")[0]
    async with site.session.get(f"{site.url}/api/v1/albums/{slug}") as reply:
        assert len((await reply.json())["images"]) == 2
    met(page).clear()  # the thumbnail of what is gone


async def test_albums_move_with_the_list_and_their_removal_can_be_undone(open_page: OpenPage, tmp_path: Path) -> None:
    page, _ = await with_pictures(open_page)
    await tick(page, "one.jpg", "two.jpg")
    await page.get_by_role("button", name="Create an album").click()
    await page.wait_for_url("**/a/**")
    await page.goto("/images")
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Export list").click()
    file = tmp_path / "list.json"
    await (await download.value).save_as(file)
    other = await open_page("/images")
    await other.locator("#import").set_input_files(file)
    album = other.locator("#albums li")
    await album.get_by_role("link", name="Manage").wait_for()
    await album.get_by_role("button", name="Remove from list").press("Enter")
    await album.wait_for(state="detached")
    await other.keyboard.press("Enter")  # the focus is on Undo
    await album.wait_for()
    met(page).clear()
