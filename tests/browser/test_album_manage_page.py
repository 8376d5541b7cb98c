"""The manage page of an album: put in order by mouse, finger and keys, taken out and put back, and without a script."""

from playwright.async_api import Locator, Page

from tests.support.browser.albums import NAMES, album_of, managing, names_now
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, screen
from tests.support.images import pictures
from tests.support.waiting import until


async def listed(page: Page) -> list[str]:
    return await page.locator(".sortable .caption").all_inner_texts()


async def saved(page: Page) -> None:
    await page.get_by_text("All changes are saved.").wait_for()


async def test_the_manage_link_opens_the_form_and_hides_its_token(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2)
    page = await open_page(managing(album))
    await page.wait_for_url(f"**/a/{album['slug']}/manage")
    assert await page.get_by_label("Delete token").input_value() == album["delete_token"]


async def test_images_are_sorted_by_keys_and_each_position_is_announced(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album))
    handle = page.get_by_role("button", name="Move one.jpg: drag it, or press arrow up or down")
    await handle.focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("status").get_by_text("one.jpg: position 2 of 4").wait_for()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("status").get_by_text("one.jpg: position 3 of 4").wait_for()
    assert await handle.evaluate("handle => handle === document.activeElement")
    await saved(page)
    assert await listed(page) == ["two.jpg", "three.jpg", "one.jpg", "four.jpg"] == await names_now(site, album)
    await page.get_by_role("button", name="Move two.jpg up").press("Enter")
    await page.get_by_role("status").get_by_text("This image can’t be moved any further.").wait_for()


async def test_an_order_is_saved_even_if_the_page_is_left_at_once(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album))
    await page.get_by_role("button", name="Move one.jpg: drag it, or press arrow up or down").focus()
    await page.keyboard.press("ArrowDown")
    await page.get_by_role("status").get_by_text("one.jpg: position 2 of 4").wait_for()
    await page.goto("/")

    async def is_saved() -> bool:
        return await names_now(site, album) == ["two.jpg", "one.jpg", "three.jpg", "four.jpg"]

    await until(is_saved, "the order is saved")


async def _centre(locator: Locator) -> tuple[float, float]:
    box = await locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def test_images_are_sorted_by_dragging(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page(managing(album), viewport={"width": 1280, "height": 1000})
    await page.mouse.move(*await _centre(page.get_by_role("button", name="Move four.jpg: drag")))
    await page.mouse.down()
    x, y = await _centre(page.locator(".sortable li").first)
    await page.mouse.move(x, y - 20, steps=12)
    await page.mouse.up()
    await saved(page)
    assert await listed(page) == ["four.jpg", "one.jpg", "two.jpg", "three.jpg"] == await names_now(site, album)


async def test_a_finger_drags_too_and_does_not_scroll(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(managing(album), **screen("phone"))
    x, y = await _centre(page.get_by_role("button", name="Move one.jpg: drag"))
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


async def test_an_image_is_removed_and_put_back(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(managing(album))
    await page.get_by_role("button", name="Remove two.jpg").click()
    await page.get_by_role("status").get_by_text("two.jpg removed.").wait_for()
    assert await listed(page) == ["one.jpg", "three.jpg"] == await names_now(site, album)
    assert await page.evaluate("document.activeElement.ariaLabel") == "Remove three.jpg"
    await page.get_by_role("button", name="Undo").click()
    await page.get_by_role("status").get_by_text("two.jpg restored.").wait_for()
    assert await listed(page) == NAMES[:3] == await names_now(site, album)


async def test_the_last_image_cannot_be_removed(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(managing(album))
    await page.get_by_role("button", name="Remove one.jpg").click()
    await page.get_by_role("status").get_by_text("An album needs at least one image.").wait_for()
    assert await names_now(site, album) == ["one.jpg"]


async def test_an_unreachable_server_is_reported_and_a_later_change_is_saved(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(managing(album))
    await page.context.set_offline(True)
    await page.get_by_role("button", name="Move one.jpg down").click()
    await page.get_by_text("Not saved. The server can’t be reached.").first.wait_for()
    met(page).clear()
    await page.context.set_offline(False)
    await page.get_by_role("button", name="Move one.jpg down").click()
    await saved(page)
    assert await listed(page) == ["two.jpg", "three.jpg", "one.jpg"] == await names_now(site, album)


async def test_without_the_token_the_form_waits_for_its_button(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(f"/a/{album['slug']}/manage")
    await page.get_by_role("button", name="Move three.jpg up").click()
    await page.get_by_text("Not saved yet").wait_for()
    await page.get_by_role("button", name="Remove one.jpg").click()
    assert await names_now(site, album) == NAMES[:3]
    await page.get_by_label("Delete token").fill(managing(album))
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert await names_now(site, album) == ["three.jpg", "two.jpg"]


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
    await page.get_by_label("Position of one.jpg").fill("9")
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert await names_now(site, album) == ["two.jpg", "one.jpg"]
    await page.get_by_label("Remove: two.jpg").check()
    await page.get_by_role("button", name="Save changes").click()
    await page.get_by_text("Saved.", exact=True).wait_for()
    assert await names_now(site, album) == ["one.jpg"]
    await page.get_by_text("Delete this album").click()
    await page.get_by_role("button", name="Move to the bin").click()
    await page.get_by_role("heading", name="Moved to the bin").wait_for()
    await page.get_by_role("button", name="Restore").click()
    await page.get_by_text("Album restored.").wait_for()
    assert await names_now(site, album) == ["one.jpg"]
