"""The replies to the plain form: the link to share, apart from it the manage link, and reloading."""

import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.support.browser.cards import choose, payload
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import met, screen
from tests.support.images import pictures

CLIPBOARD = ["clipboard-read", "clipboard-write"]


async def sent_plainly(open_page: OpenPage, *names: str, **options: object) -> Page:
    """The reply to the form, as a browser gets it whose script of the upload page didn't load."""
    page = await open_page("about:blank", permissions=CLIPBOARD, **screen("phone"), **options)
    await page.route("**/upload.js*", lambda route: route.abort())
    await page.goto("/")
    met(page).clear()
    await choose(page, *(payload(name, pictures.photo(64 + len(name), 48)) for name in names))
    await page.locator("#upload .send button").click()
    await page.get_by_role("heading", level=1, name="online").wait_for()
    return page


async def test_the_one_prominent_button_copies_the_link_to_share(open_page: OpenPage) -> None:
    page = await sent_plainly(open_page, "cat.jpg")
    await page.get_by_role("button", name="Copy link", exact=True).tap()
    await page.get_by_role("status").get_by_text("copied").wait_for()
    copied = str(await page.evaluate("navigator.clipboard.readText()"))
    assert re.fullmatch(r"http://[\w.:]+/i/\w{17}", copied)
    assert await page.locator(".big-link").inner_text() == copied
    share, manage = page.locator(".big-link"), page.locator("#manage-link")
    upper, lower = await share.bounding_box(), await manage.bounding_box()
    assert upper is not None and lower is not None and upper["y"] < lower["y"]
    await expect(page.locator(".secret")).to_contain_text("Keep this private: anyone who has it can delete the image.")
    await expect(page.get_by_text("It is saved in My images on this device.")).to_be_visible()
    await expect(page.get_by_text("It is shown only now")).to_be_hidden()


async def test_a_reload_opens_the_image_and_uploads_nothing(open_page: OpenPage) -> None:
    page = await sent_plainly(open_page, "cat.jpg")
    link = await page.locator(".big-link").inner_text()
    await page.wait_for_url(link)
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))
    await page.reload()
    await expect(page.get_by_role("heading", level=1)).to_have_text("cat.jpg")
    assert "POST" not in methods


async def test_a_reload_after_several_images_opens_my_images(open_page: OpenPage) -> None:
    page = await sent_plainly(open_page, "one.jpg", "three.jpg")
    await page.wait_for_url("**/images")
    await page.reload()
    await page.get_by_text("three.jpg").wait_for()


async def test_without_a_script_a_reload_shows_the_same_links(open_page: OpenPage, tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(pictures.photo(64, 48))
    page = await open_page("/", java_script_enabled=False)
    await page.set_input_files("#file", tmp_path / "cat.jpg")  # a file that a reload can send again
    await page.get_by_role("button", name="Upload", exact=True).click()
    manage = page.locator("#manage-link")
    first = await manage.input_value()
    await expect(page.get_by_text("It is shown only now, so save it.")).to_be_visible()
    await page.reload()
    assert await manage.input_value() == first
