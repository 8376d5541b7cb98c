"""The share page with its manage link: changed in place, deleted and brought back, and every wrong token."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, screen

Resource = dict[str, Any]


def managing(image: Resource) -> str:
    return f"/i/{image['slug']}#{image['delete_token']}"


async def test_the_manage_link_opens_the_form_and_leaves_the_address_bar(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image))
    await expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    assert page.url.endswith(f"/i/{image['slug']}")
    assert await page.locator("[name=token]").is_hidden()
    await page.reload()  # the tab remembers
    await expect(page.get_by_role("button", name="Save changes")).to_be_visible()


async def test_the_manage_link_leads_to_the_form(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image), **screen("phone"))
    head = page.locator("#manage > summary")
    await expect(head).to_be_focused()
    await expect(head).to_be_in_viewport()
    await expect(page.get_by_role("status").get_by_text("This is your manage link")).to_be_visible()
    await page.reload()  # who looks again comes for the picture
    await expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    await expect(head).not_to_be_focused()


async def test_a_tab_leaves_what_another_one_has_saved(site: Site, image: Resource, open_page: OpenPage) -> None:
    first, second = await open_page(managing(image)), await open_page(managing(image))
    await first.get_by_label("Title").fill("From the first tab")
    await first.get_by_role("button", name="Save changes").click()
    await first.get_by_role("status").get_by_text("Saved.").wait_for()
    await second.get_by_label("Description").fill("From the second")
    await second.get_by_role("button", name="Save changes").click()
    await second.get_by_role("status").get_by_text("Saved.").wait_for()
    async with site.session.get(f"{site.url}/api/v1/images/{image['slug']}") as reply:
        now = await reply.json()
    assert (now["title"], now["alt"]) == ("From the first tab", "From the second")
    assert await second.get_by_label("Title").input_value() == "From the first tab"


async def test_the_focus_stays_while_a_change_is_on_its_way(image: Resource, open_page: OpenPage) -> None:
    page, held, asked = await open_page(managing(image)), asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await held.wait()
        await route.continue_()

    await page.route("**/api/v1/images/*", hold)
    button = page.get_by_role("button", name="Save changes")
    await button.click()
    await asked.wait()
    await expect(button).to_have_attribute("aria-disabled", "true")
    await expect(button).to_be_focused()
    held.set()
    await page.get_by_role("status").get_by_text("Saved.").wait_for()
    await expect(button).to_be_focused()


async def test_a_save_is_announced_even_if_the_page_cannot_be_reloaded(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image))
    await page.route(f"**/i/{image['slug']}", lambda route: route.abort("internetdisconnected"))
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_role("status").get_by_text("Saved. Reload the page").wait_for()
    met(page).clear()  # the request that failed


async def test_the_end_of_the_ten_seconds_is_announced_and_the_focus_is_kept(
    image: Resource, open_page: OpenPage
) -> None:
    page = await open_page("about:blank")
    await page.clock.install()
    await page.goto(managing(image))
    await page.get_by_label("Title").fill("Renamed")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.locator("h1")).to_have_text("Renamed")
    await to_the_bin(page)
    await expect(page.locator("#in-bin bdi")).to_have_text("Renamed")
    await page.get_by_role("button", name="Delete now").click()
    await expect(page.get_by_role("heading", name="Image deleted")).to_be_focused()
    await page.get_by_role("button", name=re.compile("Undo")).focus()
    await page.clock.fast_forward(11_000)
    await expect(page.get_by_role("heading", name="Image deleted")).to_be_focused()
    await expect(page.get_by_role("status").get_by_text("This can no longer be undone.")).to_be_visible()


async def test_title_description_and_expiry_change_in_place(site: Site, image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image))
    await page.get_by_label("Title").fill("Dog")
    await page.get_by_label("Description").fill("A dog on a log")
    await page.get_by_label("Expiry").select_option("7d")
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_role("status").get_by_text("Saved.").wait_for()
    await expect(page.locator("h1")).to_have_text("Dog")
    await expect(page.locator("#about")).to_contain_text("in 7 days")
    await expect(page.locator("#shown")).to_have_attribute("alt", "A dog on a log")
    await expect(page.locator("#code-medium-markdown")).to_have_value(re.compile("A dog on a log"))
    await expect(page.get_by_role("button", name="Copy link", exact=True)).to_be_visible()
    assert (await about(site, image))["title"] == "Dog"


async def test_a_second_change_leaves_the_expiry_alone(site: Site, image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image))
    await page.get_by_label("Expiry").select_option("7d")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.locator("#about")).to_contain_text("in 7 days")
    expires_at = (await about(site, image))["expires_at"]
    await page.get_by_label("Title").fill("Dog")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.locator("h1")).to_have_text("Dog")
    assert (await about(site, image))["expires_at"] == expires_at


async def about(site: Site, image: Resource) -> Resource:
    async with site.session.get(f"{site.url}/api/v1/images/{image['slug']}") as reply:
        found: Resource = await reply.json()
        return found


@pytest.mark.parametrize("rest", ["", "/manage"])
async def test_an_image_is_moved_to_the_bin_and_restored(
    site: Site, image: Resource, open_page: OpenPage, rest: str
) -> None:
    page = await open_page(f"/i/{image['slug']}{rest}#{image['delete_token']}")
    await to_the_bin(page)
    await expect(page.locator("#in-bin")).to_contain_text("It can be restored until")
    assert await site_status(site, image) == 410
    await page.get_by_role("button", name="Restore").click()
    await page.get_by_role("status").get_by_text("Image restored.").wait_for()
    await expect(page.locator("#image")).to_be_visible()
    assert await page.evaluate("document.activeElement === document.body") is False
    assert await site_status(site, image) == 200


async def test_a_restoration_that_fails_keeps_the_focus(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image))
    await to_the_bin(page)
    await page.context.set_offline(True)
    button = page.get_by_role("button", name="Restore")
    await button.click()
    await page.get_by_role("status").get_by_text("can’t be reached").wait_for()
    await expect(button).to_be_focused()
    met(page).clear()


async def test_the_page_of_a_deleted_image_offers_its_owner_to_restore_it(
    site: Site, image: Resource, open_page: OpenPage
) -> None:
    page = await open_page(managing(image))
    await to_the_bin(page)
    await page.reload()  # the tab remembers the token
    await expect(page.locator("h1")).to_have_text("This image was deleted")
    await expect(page.locator("#restorable")).to_contain_text("It can be restored until")
    await page.get_by_role("button", name="Restore").click()
    await page.get_by_role("status").get_by_text("Image restored.").wait_for()
    assert await site_status(site, image) == 200
    stranger = await open_page(f"/i/{image['slug']}#{'x' * 22}")
    await expect(stranger.locator("#manage-problem")).to_contain_text("The delete token is wrong")
    met(page).clear()  # the status of what is gone
    met(stranger).clear()


async def to_the_bin(page: Page) -> None:
    """Press what deletes, and what it asks."""
    await page.get_by_text("Delete this image").click()
    await page.get_by_role("button", name="Move to the bin").click()
    await expect(page.get_by_role("heading", name="Moved to the bin")).to_be_focused()


async def site_status(site: Site, image: Resource) -> int:
    async with site.session.get(f"{site.url}/i/{image['slug']}") as reply:
        return reply.status


async def test_a_wrong_token_is_shown_next_to_the_form(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.get_by_text("Manage this image").click()
    await page.get_by_label("Delete token").fill("x" * 22)
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.locator("#manage-problem")).to_contain_text("The delete token is wrong")
    met(page).clear()  # the refused request


async def test_a_wrong_manage_link_leaves_room_for_the_right_token(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}#{'x' * 22}")
    await expect(page.locator("#manage-problem")).to_contain_text("The delete token is wrong")
    await expect(page.get_by_text("This is your manage link")).to_have_count(0)
    await expect(page.get_by_label("Delete token")).to_be_focused()
    await page.get_by_label("Title").fill("Dog")
    await page.get_by_label("Delete token").fill(image["delete_token"])
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.locator("h1")).to_have_text("Dog")
    met(page).clear()  # the refused request


async def test_a_manage_link_works_where_the_page_is_open_already(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}")
    await page.goto(managing(image))
    await page.get_by_text("This is your manage link").wait_for()
    await expect(page.get_by_role("button", name="Save changes")).to_be_visible()
    assert "#" not in page.url
    await page.goto(managing(image)[:-1])
    await page.get_by_text("This manage link is incomplete.").wait_for()
    assert "#" not in page.url


async def test_the_manage_page_of_an_image_that_is_gone_says_so(
    site: Site, image: Resource, open_page: OpenPage
) -> None:
    headers = {"Authorization": f"Bearer {image['delete_token']}"}
    async with site.session.delete(f"{site.url}/api/v1/images/{image['slug']}", headers=headers) as reply:
        assert reply.status == 204
    page = await open_page(f"/i/{image['slug']}/manage")
    await expect(page.locator("h1")).to_have_text("This image was deleted")
    await page.get_by_role("link", name="Share an image").click()
    await page.wait_for_url(f"{site.url}/")
    met(page).clear()  # the status


async def test_a_wrong_token_is_reported_in_the_language_of_the_page(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", locale="de-DE")
    await page.locator("#manage > summary").click()
    await page.locator("#token").fill("x" * 22)
    await page.locator("#manage button[value=save]").click()
    await expect(page.locator("#manage-problem [lang=de]")).to_contain_text("Der Löschschlüssel ist falsch")
    met(page).clear()  # the refused request


async def test_an_unreachable_server_is_reported_next_to_the_form(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(managing(image))
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.locator("#manage-problem")).to_contain_text("can’t be reached")
    met(page).clear()


async def test_the_form_works_without_a_script(image: Resource, open_page: OpenPage) -> None:
    page = await open_page(f"/i/{image['slug']}", java_script_enabled=False)
    await page.get_by_text("Manage this image").click()
    await page.get_by_label("Delete token").fill(image["delete_token"])
    await page.get_by_label("Title").fill("By hand")
    await page.get_by_role("button", name="Save changes").click()
    await expect(page.get_by_role("link", name="By hand")).to_be_visible()


async def test_no_address_contains_the_token(image: Resource, open_page: OpenPage) -> None:
    page = await open_page("about:blank")
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    await page.goto(managing(image))
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_role("status").get_by_text("Saved.").wait_for()
    assert addresses
    assert not [each for each in addresses if image["delete_token"] in each]
