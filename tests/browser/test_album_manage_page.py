"""The manage page of an album, by mouse, finger and keys: it saves by itself, and without a script by its button."""

from typing import Any

from playwright.async_api import Dialog, Locator, Page, expect

from tests.support.browser.albums import NAMES, album_now, album_of, managing, names_now
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, screen
from tests.support.images import pictures
from tests.support.waiting import until


def option(page: Page, name: str) -> Locator:
    return page.get_by_role("option", name=name)


async def listed(page: Page) -> list[str]:
    return await page.locator(".sortable .caption").all_inner_texts()


async def saved(page: Page) -> None:
    await page.get_by_text("All changes are saved.").wait_for()


async def sorted_as(page: Page, site: Site, album: dict[str, Any], *names: str) -> None:
    """Returns once page and server have the images in this order."""
    await expect(page.locator(".sortable .caption")).to_have_text(list(names))

    async def is_saved() -> bool:
        return await names_now(site, album) == list(names)

    await until(is_saved, "the order is saved")


async def focused(page: Page) -> str:
    """The name of the image that has the focus."""
    return str(await page.evaluate("document.activeElement.querySelector('.caption')?.textContent"))


async def test_the_manage_link_opens_the_form_and_hides_its_token(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2)
    page = await open_page(managing(album))
    await page.wait_for_url(f"**/a/{album['slug']}/manage")
    token = page.get_by_label("Delete token")
    assert await token.input_value() == album["delete_token"]
    await expect(token).to_be_hidden()
    await expect(page.get_by_role("button", name="Save changes")).to_be_hidden()
    assert await page.get_by_label("Album link", exact=True).input_value() == album["url"]


async def test_the_list_is_one_tab_stop_and_keys_move_its_images(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album))
    await page.get_by_role("button", name="Select all").focus()
    await page.keyboard.press("Tab")
    assert await focused(page) == "one.jpg"
    await page.keyboard.press("Alt+ArrowDown")
    await page.get_by_role("status").get_by_text("one.jpg: position 2 of 4").wait_for()
    await page.keyboard.press("Alt+End")
    await page.get_by_role("status").get_by_text("one.jpg: position 4 of 4").wait_for()
    assert await focused(page) == "one.jpg"
    await saved(page)
    assert await listed(page) == ["two.jpg", "three.jpg", "four.jpg", "one.jpg"] == await names_now(site, album)
    await page.keyboard.press("Alt+ArrowDown")
    await page.get_by_text("Already last.").wait_for()
    await page.keyboard.press("Tab")
    assert await page.evaluate("!document.activeElement.closest('.sortable')")


async def test_several_images_are_selected_and_moved_together(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album))
    await page.get_by_role("button", name="Move to the top").press("Enter")
    await page.get_by_text("Select an image first.").wait_for()
    await option(page, "two.jpg").click()
    await option(page, "four.jpg").click()
    await page.get_by_text("2 selected").wait_for()
    await page.get_by_role("button", name="Move to the top").click()
    await page.get_by_role("status").get_by_text("2 images: position 1 of 4").wait_for()
    await saved(page)
    assert await names_now(site, album) == ["two.jpg", "four.jpg", "one.jpg", "three.jpg"]
    await option(page, "four.jpg").click()
    await option(page, "three.jpg").click(modifiers=["Shift"])
    await page.get_by_text("3 selected").wait_for()
    await page.keyboard.press("Escape")
    await page.get_by_text("None selected").wait_for()


async def test_an_order_is_saved_even_if_the_page_is_left_at_once(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album))
    await option(page, "one.jpg").focus()
    await page.keyboard.press("Alt+ArrowDown")
    await page.get_by_role("status").get_by_text("one.jpg: position 2 of 4").wait_for()
    await page.goto("/")

    async def is_saved() -> bool:
        return await names_now(site, album) == ["two.jpg", "one.jpg", "three.jpg", "four.jpg"]

    await until(is_saved, "the order is saved")


async def test_two_tabs_that_sort_an_album_keep_what_both_have_done(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    first, second = await open_page(managing(album)), await open_page(managing(album))
    await option(second, "one.jpg").click()
    await option(first, "four.jpg").click()
    await first.keyboard.press("Alt+Home")
    await saved(first)
    await second.keyboard.press("Alt+ArrowDown")
    await second.get_by_text("This album was changed elsewhere, too.").wait_for()
    await sorted_as(second, site, album, "four.jpg", "two.jpg", "one.jpg", "three.jpg")
    assert await focused(second) == "one.jpg"
    await first.keyboard.press("Delete")
    await first.get_by_text("four.jpg removed.").wait_for()
    await second.keyboard.press("Alt+End")
    await expect(option(second, "four.jpg")).to_have_count(0)
    await sorted_as(second, site, album, "two.jpg", "three.jpg", "one.jpg")


async def _centre(locator: Locator) -> tuple[float, float]:
    box = await locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def test_images_are_sorted_by_dragging(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album), viewport={"width": 1280, "height": 1400})
    await page.mouse.move(*await _centre(option(page, "four.jpg").locator(".handle")))
    await page.mouse.down()
    x, y = await _centre(page.locator(".sortable li").first)
    await page.mouse.move(x, y - 20, steps=12)
    await page.mouse.up()
    await saved(page)
    assert await listed(page) == ["four.jpg", "one.jpg", "two.jpg", "three.jpg"] == await names_now(site, album)


async def test_a_finger_drags_too_and_does_not_scroll(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(managing(album), **screen("phone"))
    await option(page, "two.jpg").evaluate("item => item.scrollIntoView({ block: 'center' })")
    x, y = await _centre(option(page, "one.jpg").locator(".handle"))
    end_y = (await _centre(page.locator(".sortable li").nth(1)))[1] + 12
    touch = await page.context.new_cdp_session(page)
    before = await page.evaluate("scrollY")
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        point = {"x": x, "y": y + (end_y - y) * step / 8}
        await touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await saved(page)
    assert await page.evaluate("scrollY") == before
    assert await listed(page) == ["two.jpg", "one.jpg", "three.jpg"] == await names_now(site, album)


async def test_images_are_removed_and_put_back(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album))
    await option(page, "two.jpg").click()
    await option(page, "three.jpg").click()
    await page.get_by_role("button", name="Remove", exact=True).click()
    await page.get_by_role("status").get_by_text("2 images removed.").wait_for()
    assert await listed(page) == ["one.jpg", "four.jpg"] == await names_now(site, album)
    assert await focused(page) == "four.jpg"
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("status").get_by_text("2 images restored.").wait_for()
    assert await listed(page) == NAMES == await names_now(site, album)


async def test_the_last_image_cannot_be_removed(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await option(page, "one.jpg").focus()
    await page.keyboard.press("Delete")
    await page.get_by_role("status").get_by_text("An album needs at least one image.").wait_for()
    assert await names_now(site, album) == ["one.jpg"]


async def test_texts_expiry_and_cover_are_saved_as_they_are_entered(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(managing(album))
    await page.get_by_label("Title").fill("By the sea")
    await page.get_by_label("Description").fill("Two weeks")
    await page.get_by_label("Expiry").select_option("7d")
    await page.get_by_text("in 7 days").wait_for()
    assert await page.get_by_label("Expiry").input_value() == ""  # no change
    await option(page, "two.jpg").click()
    await page.get_by_role("button", name="Use as cover").click()
    await page.get_by_text("two.jpg is the cover.").wait_for()

    async def is_saved() -> bool:
        now = await album_now(site, album)
        texts = (now["title"], now["description"], now["cover"])
        return texts == ("By the sea", "Two weeks", album["images"][1]["slug"]) and now["own_expires_at"] is not None

    await until(is_saved, "everything is saved")


async def test_a_passphrase_of_an_album_is_set_and_removed(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await page.get_by_label("Protect with a passphrase").fill("open sesame")
    await page.get_by_label("Title").focus()
    assert await page.get_by_label("New passphrase").input_value() == ""
    await page.get_by_label("Remove the passphrase").check()
    await page.get_by_label("Protect with a passphrase").wait_for()
    assert (await album_now(site, album))["locked"] is False


async def test_a_title_that_is_being_typed_is_saved_when_the_page_is_left(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await page.get_by_label("Title").fill("Typed")
    await page.goto("/")

    async def is_saved() -> bool:
        return bool((await album_now(site, album))["title"] == "Typed")

    await until(is_saved, "the title is saved")


async def test_links_are_added_and_what_is_none_is_told(site: Site, open_page: OpenPage) -> None:
    album, image = await album_of(site, 2), await site.upload(pictures.photo(64, 48, seed=9), "more.jpg")
    page = await open_page(managing(album))
    await page.get_by_label("Add images").fill("nothing")
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("status").get_by_text("“nothing” is not an image link.").wait_for()
    met(page).clear()  # the status of the refused form
    await page.get_by_label("Add images").fill(image["url"])
    await page.get_by_role("button", name="Add", exact=True).click()
    await option(page, "more.jpg").wait_for()
    assert await names_now(site, album) == ["one.jpg", "two.jpg", "more.jpg"]
    await page.get_by_label("Add images").fill(image["url"])
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_text("The album has these images already.").wait_for()


async def test_an_unreachable_server_is_reported_and_the_change_is_saved_later(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(managing(album))
    await page.context.set_offline(True)
    await option(page, "one.jpg").focus()
    await page.keyboard.press("Alt+ArrowDown")
    await page.get_by_text("Not saved. The server can’t be reached.").first.wait_for()
    met(page).clear()
    await page.context.set_offline(False)
    await page.get_by_label("Title").fill("Again")
    await page.get_by_label("Title").press("Enter")
    await saved(page)
    assert await listed(page) == ["two.jpg", "one.jpg", "three.jpg"] == await names_now(site, album)


async def test_a_wrong_token_is_asked_for_again(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2)
    page = await open_page(managing(album | {"delete_token": "x" * 22}))
    await expect(page.get_by_label("Delete token")).to_be_focused()  # before anything is entered
    await page.get_by_label("Title").fill("Mine")
    await page.get_by_label("Title").press("Enter")
    await page.get_by_text("Not saved. The delete token is wrong.").first.wait_for()
    met(page).clear()
    await page.get_by_label("Delete token").fill(managing(album))
    await page.get_by_label("Description").fill("With the title from before")
    await page.get_by_role("link", name="My images").focus()
    await saved(page)
    assert (await album_now(site, album))["title"] == "Mine"


async def test_without_the_token_the_form_waits_for_its_button(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(f"/a/{album['slug']}/manage")
    await page.get_by_role("spinbutton", name="Position: three.jpg").fill("1.5")
    await page.get_by_role("checkbox", name="Remove: one.jpg").check()
    await page.get_by_role("radio", name="Cover: two.jpg").check()
    await page.get_by_label("Delete token").fill(managing(album))
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert await names_now(site, album) == ["three.jpg", "two.jpg"]
    await option(page, "two.jpg Cover").wait_for()


async def test_leaving_a_form_that_is_not_saved_asks_first(site: Site, open_page: OpenPage) -> None:
    album, asked = await album_of(site, 1), list[str]()
    page = await open_page(f"/a/{album['slug']}/manage")

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await page.get_by_label("Title").press_sequentially("Typed")
    await page.get_by_role("link", name="My images").click(no_wait_after=True)
    await until(lambda: asked == ["beforeunload"], "the question")
    assert await page.get_by_label("Title").input_value() == "TypedA weekend"


async def test_managing_an_album_works_without_a_script(site: Site, open_page: OpenPage) -> None:
    images = [await site.upload(pictures.photo(64, 48, seed=number), name) for number, name in enumerate(NAMES[:2])]
    page = await open_page("/a", java_script_enabled=False)
    await page.get_by_label("Image links").fill("\n".join(image["url"] for image in images))
    await page.get_by_label("Title").fill("By hand")
    await page.get_by_role("button", name="Create album").click()
    link = await page.get_by_label("Manage link", exact=True).input_value()
    slug, _, token = link.rpartition("/a/")[2].partition("#")
    album = {"slug": slug}
    await page.get_by_role("link", name="Manage this album").click()
    await page.get_by_label("Delete token").fill(token)
    await page.get_by_role("spinbutton", name="Position: one.jpg").fill("9")
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert await names_now(site, album) == ["two.jpg", "one.jpg"]
    await page.get_by_role("checkbox", name="Remove: two.jpg").check()
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert await names_now(site, album) == ["one.jpg"]
    await page.get_by_text("Delete this album").click()
    await page.get_by_role("button", name="Move to the bin").click()
    await expect(page.get_by_role("heading", name="Moved to the bin")).to_be_focused()
    await page.get_by_role("button", name="Restore").click()
    await page.get_by_text("Album restored.").wait_for()
    assert await names_now(site, album) == ["one.jpg"]
