"""What is to stay of a file's metadata: chosen on the upload page, with a script and without, and told afterwards."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, link_of, payload, reaches, resource
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, met, overflow_px, screen
from tests.support.images import pictures

CHOICES = {
    "Remove everything private (recommended)": (
        "false",
        "Metadata that could be private, such as",
    ),
    "Keep date, camera and author": ("credits", "Date, camera and author were kept"),
    "Keep everything, location included": ("true", "may reveal where, when, with which device"),
}


async def choose_what_stays(page: Page, choice: str) -> None:
    """Every choice is one tap, and the first is made already."""
    await page.get_by_text("Options: expiry").tap()
    group = page.get_by_role("group", name="Hidden data in the file")
    await expect(group.get_by_role("radio", name="Remove everything private")).to_be_checked()
    await group.get_by_text(choice).tap()
    await expect(group.get_by_role("radio", name=choice)).to_be_checked()
    assert await overflow_px(page) <= 0


@pytest.mark.parametrize("choice", CHOICES)
async def test_the_page_says_what_happened_to_private_data(site: Site, open_page: OpenPage, choice: str) -> None:
    page = await open_page("/", **screen("phone"))
    await choose_what_stays(page, choice)
    await choose(page, payload("gps.jpg", pictures.jpeg_with_gps()))
    link = await link_of(await reaches(page, "gps.jpg", "done"))
    await page.goto(link)
    await expect(page.locator("#about")).to_contain_text(CHOICES[choice][1])
    assert (await resource(site, link))["keep_metadata"] == CHOICES[choice][0]


@pytest.mark.parametrize("choice", CHOICES)
async def test_the_same_can_be_chosen_without_a_script(site: Site, open_page: OpenPage, choice: str) -> None:
    page = await open_page("/", java_script_enabled=False, **screen("phone"))
    await choose_what_stays(page, choice)
    await choose(page, payload("gps.txt", b"no picture"))
    await page.get_by_role("button", name="Upload").tap()
    await page.get_by_role("alert").wait_for()
    assert any("415" in line for line in met(page))
    met(page).clear()
    chosen = page.locator("[name=keep_metadata]:checked")
    await expect(chosen).to_have_value(CHOICES[choice][0])  # a refused form forgets nothing
    await choose(page, payload("gps.jpg", pictures.jpeg_with_gps()))
    await page.get_by_role("button", name="Upload").tap()
    await page.get_by_role("heading", name="Your image is online").wait_for()
    await expect(page.locator(".result")).to_contain_text(CHOICES[choice][1])
    link = await page.get_by_role("textbox", name="Page link").input_value()
    assert (await resource(site, link))["keep_metadata"] == CHOICES[choice][0]


@pytest.mark.parametrize("theme", THEMES)
async def test_the_choices_work_by_keyboard_and_are_accessible(open_page: OpenPage, axe: str, theme: str) -> None:
    page = await open_page("/", **screen("narrow", theme))
    await page.get_by_text("Options: expiry").click()
    assert await violations(page, axe) == []
    await page.get_by_role("radio", name="Remove everything private").focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("radio", name="Keep date, camera and author")).to_be_focused()
    await expect(page.locator("[name=keep_metadata]:checked")).to_have_value("credits")
    assert await overflow_px(page) <= 0


async def test_the_card_says_that_content_credentials_are_lost(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.route("**/api/v1/uploads/*", with_lost_credentials)
    await choose(page, payload("signed.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "signed.jpg", "done")
    await expect(found.locator(".state")).to_contain_text("Content credentials (C2PA) were removed")


async def with_lost_credentials(route: Route) -> None:
    """The state of an upload as it is for a file that had some."""
    if route.request.method != "GET":
        await route.continue_()
        return
    reply = await route.fetch()
    state = await reply.json()
    if "private_data" in state.get("image", {}):
        state["image"] |= {"private_data": "removed", "content_credentials": "removed"}
    await route.fulfill(response=reply, json=state)
