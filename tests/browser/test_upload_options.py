"""Title, description and expiry: they belong to the files that they were given for, and can be changed on the cards."""

import asyncio

from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import card, choose, link_of, payload, reaches, resource, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, overflow_px, screen
from tests.support.images import pictures

HAS_TITLE = """async ([link, title]) => {
    const reply = await fetch(link.replace("/i/", "/api/v1/images/"));
    return (await reply.json()).title === title;
}"""


async def is_titled(page: Page, link: str, title: str) -> None:
    """Waits until the server knows the image by this title."""
    await page.wait_for_function(HAS_TITLE, arg=[link, title])


async def edit(page: Page, name: str, **fields: str) -> None:
    """Open the form on a card, and fill it in."""
    found = card(page, name)
    await found.get_by_role("button", name="Edit").click()
    await expect(found.get_by_label("Title")).to_be_focused()
    for label, value in fields.items():
        await found.get_by_label(label).fill(value)


async def test_options_belong_to_the_chosen_files_and_to_no_later_ones(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Title", exact=True).fill("Trip to Rome")
    await page.get_by_label("Keep for").select_option("7d")
    await page.get_by_text("Keep everything, location included").click()
    await choose(page, payload("one.jpg", pictures.photo(64, 48)), payload("two.jpg", pictures.photo(48, 64)))
    both = [await resource(site, await link_of(await reaches(page, name, "done"))) for name in ("one.jpg", "two.jpg")]
    assert [each["title"] for each in both] == ["Trip to Rome"] * 2
    assert [each["keep_metadata"] for each in both] == ["true"] * 2
    await choose(page, payload("other.jpg", pictures.photo(50, 50)))
    other = await resource(site, await link_of(await reaches(page, "other.jpg", "done")))
    assert (other["title"], other["keep_metadata"]) == (None, "false")
    assert other["expires_at"] > both[0]["expires_at"]


async def test_an_image_is_changed_on_its_card(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", **screen("narrow"))
    await choose(page, payload("cat.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "cat.jpg", "done")
    await edit(page, "cat.jpg", Title="Cat", Description="It sleeps.")
    await found.get_by_label("Expiry").select_option("7d")
    assert await overflow_px(page) <= 0
    await found.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#spoken")).to_have_text("Saved.")
    await expect(found.get_by_role("button", name="Edit")).to_be_focused()
    await expect(found.locator(".title")).to_have_text("Cat")
    after = await resource(site, await link_of(found))
    assert (after["title"], after["alt"]) == ("Cat", "It sleeps.")
    await page.goto("/images")
    await page.get_by_text("Cat", exact=True).wait_for()


async def test_all_images_are_changed_at_once_even_those_on_their_way(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("done.jpg", pictures.photo(64, 48)))
    await reaches(page, "done.jpg", "done")
    session = await slowed(page)
    slow = [payload(f"slow {number}.jpg", pictures.camera_photo()) for number in range(4)]
    await choose(page, *slow)
    await reaches(page, "slow 3.jpg", "waiting")
    await edit(page, "slow 0.jpg", Title="Together")
    await card(page, "slow 0.jpg").get_by_role("button", name="Save for all uploads").click()
    await expect(page.locator("#spoken")).to_have_text("Saved for when the upload is complete.")
    await slow_down(session, -1)
    for name in ("done.jpg", *(str(each["name"]) for each in slow)):
        found = await reaches(page, name, "done")
        await expect(found.locator(".title")).to_have_text("Together")
        await is_titled(page, await link_of(found), "Together")


async def test_a_change_survives_a_reload_during_the_upload(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    session = await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    await (await reaches(page, "slow.jpg", "sending")).locator(".link:not([hidden])").wait_for()
    await edit(page, "slow.jpg", Title="Kept")
    await card(page, "slow.jpg").get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#spoken")).to_have_text("Saved for when the upload is complete.")
    await page.reload()
    await slow_down(session, -1)
    found = await reaches(page, "slow.jpg", "done")
    await is_titled(page, await link_of(found), "Kept")


async def test_a_refused_change_says_why_and_keeps_what_was_entered(open_page: OpenPage, axe: str) -> None:
    page = await open_page("/", **screen("narrow", "dark"))
    await choose(page, payload("cat.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "cat.jpg", "done")
    await edit(page, "cat.jpg", Title="Cat")
    await page.route("**/api/v1/images/*", lambda route: route.abort())
    await found.get_by_role("button", name="Save", exact=True).click()
    await expect(found.get_by_role("alert")).to_contain_text("The server can’t be reached.")
    assert await found.get_by_label("Title").input_value() == "Cat"
    assert await violations(page, axe) == []
    await page.unroute_all()
    await found.get_by_role("button", name="Save", exact=True).click()
    await expect(found.get_by_role("alert")).to_have_count(0)
    page.met.clear()  # type: ignore[attr-defined]  # the request that failed
