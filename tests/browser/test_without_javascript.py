"""Without JavaScript, and in German: the whole way of a picture by plain pages."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.albums import album_of
from tests.support.browser.cards import choose, payload, reaches, resource
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, met, overflow_px, screen
from tests.support.images import pictures

GERMAN_SURE = re.compile(r"\b(the|and|with|your|picture|upload|keep|delete|copy)\b", re.IGNORECASE)


async def uploaded_plainly(open_page: OpenPage, **options: object) -> Page:
    page = await open_page("/", java_script_enabled=False, **options)
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Title", exact=True).fill("By hand")
    await choose(page, payload("plain.jpg", pictures.photo(640, 480)))
    await page.get_by_role("button", name="Upload").click()
    await page.get_by_role("heading", name="Your image is online").wait_for()
    return page


async def test_an_image_is_uploaded_changed_deleted_and_restored(site: Site, open_page: OpenPage) -> None:
    page = await uploaded_plainly(open_page, **screen("narrow"))
    assert await overflow_px(page) <= 0
    link = await page.get_by_role("textbox", name="Page link").input_value()
    token = await page.get_by_role("textbox", name="Delete token").first.input_value()
    await page.goto(link)
    await page.get_by_text("Manage this image").click()
    await page.get_by_role("textbox", name="Delete token").fill(token)
    await page.get_by_label("Title").fill("Changed")
    await page.get_by_label("Expiry").select_option("7d")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_role("status").first).to_have_text("Saved.")
    found = await resource(site, link)
    assert (found["title"], found["expires_at"] > found["created_at"]) == ("Changed", True)
    await page.get_by_text("Delete this image").click()
    await page.get_by_role("button", name="Move to the bin").click()
    await page.get_by_text("It can be restored until").wait_for()
    async with site.session.get(link) as reply:
        assert reply.status == 410
    await page.get_by_role("button", name="Restore").click()
    await page.get_by_text("Image restored.").wait_for()
    async with site.session.get(link) as reply:
        assert reply.status == 200
    await page.get_by_text("Delete this image").click()
    await page.get_by_role("button", name="Move to the bin").click()
    await page.goto(link)  # the page of what is gone
    await page.get_by_role("textbox", name="Delete token").fill(token)
    await page.get_by_role("button", name="Delete now").click()
    await page.get_by_role("button", name="Undo").wait_for()
    met(page).clear()  # the status of what is gone


async def test_going_back_brings_no_choice_back_that_cannot_be_seen(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", java_script_enabled=False)
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Keep everything, location included").check()
    await page.get_by_role("link", name="My images").click()
    await page.go_back()
    assert await page.locator("[name=keep_metadata]:checked").input_value() == "false"
    await page.goto(f"/a/{(await album_of(site))['slug']}/manage")
    await page.locator("input.place").first.fill("4")
    await page.locator("[name=cover]").last.check()
    await page.get_by_role("link", name="My images").click()
    await page.go_back()
    assert await page.locator("input.place").first.input_value() == "1"
    assert await page.locator("[name=cover]:checked").count() == 0


@pytest.mark.parametrize("theme", THEMES)
async def test_the_reply_to_the_form_is_accessible(open_page: OpenPage, axe: str, theme: str) -> None:
    page = await open_page("about:blank", **screen("narrow", theme))
    await page.route("**/upload.js*", lambda route: route.abort())  # a script that never comes leaves the plain form
    await page.goto("/")
    met(page).clear()
    await choose(page, payload("plain.jpg", pictures.photo(640, 480)))
    await page.get_by_role("button", name="Upload").click()
    await page.get_by_role("heading", name="Your image is online").wait_for()
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0


async def test_nothing_without_a_script_offers_what_needs_one(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    for address in ("/", "/a", "/images", f"/i/{image['slug']}", f"/i/{image['slug']}/manage"):
        page = await open_page(address, java_script_enabled=False)
        for button in await page.locator("button:visible").all():
            assert await button.evaluate("button => button.type") == "submit", address
            assert await button.evaluate("button => button.form !== null"), address


async def test_german_pages_speak_german_whatever_happens(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480), "katze.jpg", title="Katze")
    page = await open_page("/", locale="de-DE")
    await choose(page, payload("bild.bmp", b"BM" + bytes(500)), payload("katze.jpg", pictures.photo(64, 48)))
    await reaches(page, "katze.jpg", "done")
    assert "bild.bmp: BMP wird nicht unterstützt" in await (await reaches(page, "bild.bmp", "refused")).inner_text()
    assert GERMAN_SURE.findall(await page.locator("main").inner_text()) == []
    for address in (f"/i/{image['slug']}#{image['delete_token']}", "/images", "/a"):
        await page.goto(address)
        await page.wait_for_load_state("networkidle")
        assert GERMAN_SURE.findall(await page.locator("body").inner_text()) == [], address
    await page.goto(f"/i/{image['slug']}")
    await page.get_by_role("button", name="Änderungen speichern").click()
    await page.get_by_role("status").get_by_text("Gespeichert.").wait_for()
    met(page).clear()
