"""The upload page where not all is as it should be: late scripts, plain HTTP, links for files, odd images and names."""

import asyncio
import base64
import json
import struct
from functools import partial
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from tests.support.browser.cards import choose, link_of, payload, reaches, resource
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import FORBID_COPYING, Site, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.images.tiff_writer import Maker

DROP_LINK = """() => {
    const carried = new DataTransfer();
    carried.setData("text/uri-list", "https://example.org/cat.jpg");
    const dropped = new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
    document.body.dispatchEvent(dropped);
    return dropped.defaultPrevented;
}"""
PASTE_FILE = """(data) => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
}"""
PASTE_OFFICE_TEXT = """(data) => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const carried = new DataTransfer();
    carried.setData("text/plain", "Q3 in figures");
    carried.items.add(new File([bytes], "text.png", { type: "image/png" }));
    const pasted = new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(pasted);
    return pasted.defaultPrevented;
}"""
SHARES = """() => {
    globalThis.shared = [];
    navigator.share = async (data) => { globalThis.shared.push(data); };
}"""
COUNT_DECODED = """() => {
    globalThis.decoded = 0;
    const decode = globalThis.createImageBitmap;
    globalThis.createImageBitmap = (...given) => { globalThis.decoded += 1; return decode(...given); };
}"""


COLOURS = """async (image) => {
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const red = (y) => context.getImageData(canvas.width / 2, y, 1, 1).data[0];
    return [canvas.width, canvas.height, red(8) > 200, red(canvas.height - 8) > 200];
}"""


@pytest.mark.parametrize("orientation", [1, 6])
async def test_the_card_of_a_tall_image_shows_its_top(open_page: OpenPage, orientation: int) -> None:
    tall = Image.new("RGB", (400, 6000), "blue")
    tall.paste("red", (0, 0, 400, 420))
    page = await open_page("/")
    await choose(page, payload("chat.jpg", pictures.oriented_jpeg(orientation, tall)))
    thumb = page.locator(".thumb img")
    await thumb.wait_for()
    assert await thumb.evaluate(COLOURS) == [192, 192, True, True]


@pytest.mark.parametrize("picker", ["#file", "#camera"])
async def test_a_file_chosen_before_the_script_came_is_sent(open_page: OpenPage, picker: str) -> None:
    page = await open_page("about:blank", **screen("phone"))
    held = asyncio.Event()
    await page.route("**/upload.js*", partial(_after, held))
    await page.goto("/", wait_until="commit")
    await page.locator("h1").wait_for()
    await choose(page, payload("early.png", pictures.png()), by=picker)
    shown = "parseFloat(getComputedStyle(document.querySelector('#file')).fontSize) > 0"
    await page.wait_for_function(f"({shown}) === {json.dumps(picker == '#file')}")  # whether its name can be read
    held.set()
    await reaches(page, "early.png", "done")


async def _after(held: asyncio.Event, route: Route) -> None:
    await held.wait()
    await route.continue_()


async def test_a_file_waits_for_the_rest_of_the_script(open_page: OpenPage) -> None:
    page = await open_page("about:blank")
    await page.route("**/chunk-*.js", lambda route: route.abort("internetdisconnected"))
    await page.goto("/")
    await page.locator("form[data-live]").wait_for()
    await choose(page, payload("early.png", pictures.png()))
    await reaches(page, "early.png", "offline")
    await page.unroute_all()
    await page.evaluate("dispatchEvent(new Event('online'))")
    await reaches(page, "early.png", "done")
    met(page).clear()  # the requests that failed


async def test_the_page_accepts_files_before_its_messages_have_come(open_page: OpenPage) -> None:
    page, held = await open_page("about:blank", locale="de-DE"), asyncio.Event()
    await page.route("**/upload.de.js?*", partial(_after, held))
    await page.goto("/", wait_until="commit")
    await page.locator("form[data-live]").wait_for()
    await choose(page, payload("cat.bmp", b"BM" + bytes(500)))
    held.set()
    await page.locator("#uploads .state").get_by_text("BMP wird nicht unterstützt").wait_for()


async def test_without_its_messages_the_page_works_in_english(open_page: OpenPage) -> None:
    page = await open_page("about:blank", locale="de-DE")
    await page.route("**/upload.de.js?*", lambda route: route.abort("internetdisconnected"))
    await page.goto("/")
    await choose(page, payload("cat.bmp", b"BM" + bytes(500)), payload("cat.png", pictures.png()))
    await reaches(page, "cat.png", "done")
    await page.locator("#uploads .state").get_by_text("BMP isn’t supported").wait_for()
    met(page).clear()  # the request that failed


async def _over_plain_http(site: Site, open_page: OpenPage) -> Page:
    """The upload page under another name, as on a local network, where browsers allow less."""
    page = await open_page()

    async def from_site(route: Route) -> None:
        address = urlsplit(route.request.url)._replace(netloc=urlsplit(site.url).netloc)
        await route.fulfill(response=await route.fetch(url=address.geturl()))

    await page.context.route("http://pictures.example/**", from_site)
    await page.goto("http://pictures.example/")
    return page


async def test_over_plain_http_an_upload_belongs_to_one_tab_too(site: Site, open_page: OpenPage) -> None:
    page = await _over_plain_http(site, open_page)
    assert await page.evaluate("navigator.locks === undefined")
    await choose(page, payload("slow.png", pictures.png()))
    await reaches(page, "slow.png", "done")  # the script is complete
    await page.context.route("**/api/v1/uploads/*", lambda route: route.abort("internetdisconnected"))
    await choose(page, payload("held.png", pictures.png(64, 48)))
    await reaches(page, "held.png", "offline")
    other = await page.context.new_page()
    await other.goto("http://pictures.example/images")
    await other.locator(".image", has_text="slow.png").wait_for()
    await other.wait_for_load_state("networkidle")
    await expect(other.locator("#unfinished")).to_be_hidden()
    await page.close()
    await other.reload()
    await expect(other.locator("#unfinished")).to_be_visible()
    met(page).clear()  # the requests that failed


async def test_a_browser_that_stores_nothing_uploads_without_errors(open_page: OpenPage) -> None:
    page = await open_page()
    await page.add_init_script("indexedDB.open = () => { throw new DOMException('refused', 'SecurityError'); };")
    await page.goto("/")
    await choose(page, payload("cat.png", pictures.png()))
    await reaches(page, "cat.png", "done")
    await page.get_by_text("This window can’t store My images.").wait_for()


async def test_a_link_is_copied_over_plain_http_too(site: Site, open_page: OpenPage) -> None:
    """A browser has `navigator.clipboard` only for HTTPS and for the machine itself."""
    page = await _over_plain_http(site, open_page)
    assert await page.evaluate("navigator.clipboard === undefined")
    await choose(page, payload("cat.png", pictures.png()))
    found = await reaches(page, "cat.png", "done")
    copies = found.get_by_role("button", name="Copy: cat.png")
    await copies.click()
    await expect(copies).to_have_text("Copied")
    await expect(copies).to_be_focused()
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Title", exact=True).focus()
    await page.keyboard.press("Control+V")
    await expect(page.get_by_label("Title", exact=True)).to_have_value(await link_of(found))


async def test_a_link_that_cannot_be_copied_is_selected(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(FORBID_COPYING)
    await choose(page, payload("cat.png", pictures.png()))
    found = await reaches(page, "cat.png", "done")
    await found.get_by_role("button", name="Copy: cat.png").click()
    await page.locator("#toast").get_by_text("Couldn’t copy. The text is selected").wait_for()
    assert await page.evaluate("document.getSelection().toString()") == await link_of(found)


async def test_a_link_is_shared_with_other_apps_where_a_browser_can(open_page: OpenPage) -> None:
    page = await open_page("about:blank", **screen("phone"))
    await page.add_init_script(f"({SHARES})()")
    await page.goto("/")
    await choose(page, payload("cat.png", pictures.png()))
    found = await reaches(page, "cat.png", "done")
    await found.get_by_role("button", name="Share: cat.png").tap()
    await page.wait_for_function("globalThis.shared?.length")
    assert await page.evaluate("globalThis.shared") == [{"title": "cat.png", "url": await link_of(found)}]


async def test_a_dropped_link_leaves_the_page_where_it_is(open_page: OpenPage) -> None:
    page = await open_page("/")
    assert await page.evaluate(DROP_LINK)
    await page.get_by_role("status").get_by_text("That’s a link, not a file.").wait_for()


async def test_files_are_pasted_on_other_pages_too(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    for address in ("/images", f"/i/{image['slug']}"):
        page = await open_page(address)
        await page.wait_for_load_state("networkidle")
        await page.evaluate(PASTE_FILE, base64.b64encode(pictures.png()).decode())
        await page.wait_for_url(f"{site.url}/")
        await expect(page.get_by_text("Upload pasted.png (")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await reaches(page, "pasted.png", "done")
        await page.reload()
        await expect(page.get_by_text("Upload pasted.png")).to_be_hidden()


async def test_a_pasted_text_with_a_picture_of_itself_stays_a_text(open_page: OpenPage) -> None:
    """As office programs put it on the clipboard."""
    page = await open_page("/")
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Title", exact=True).focus()
    assert await page.evaluate(PASTE_OFFICE_TEXT, base64.b64encode(pictures.png()).decode()) is False
    assert await page.locator("#uploads > li").count() == 0


async def test_a_screenshot_is_pasted_where_a_checkbox_has_the_focus(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    page = await open_page(f"/i/{image['slug']}")
    await page.get_by_role("radio").first.focus()
    await page.evaluate(PASTE_FILE.replace("body", "activeElement"), base64.b64encode(pictures.png()).decode())
    await page.wait_for_url(f"{site.url}/")
    await page.locator("#arrivals").get_by_role("button", name="Upload", exact=True).click()
    await reaches(page, "pasted.png", "done")


async def test_a_giant_image_is_not_decoded_for_a_preview(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(COUNT_DECODED)
    giant = bytearray(pictures.png())
    giant[16:24] = (20_000).to_bytes(4) * 2
    await choose(page, payload("giant.png", bytes(giant)))
    await choose(page, payload("small.jpg", pictures.photo(300, 200)))
    await (await reaches(page, "small.jpg", "done")).locator("img[src^=blob]").wait_for()
    assert await page.evaluate("globalThis.decoded") == 1
    met(page).clear()  # the giant may be refused: its header isn't true


async def test_a_long_name_leaves_the_link_in_view_and_an_incomplete_file_says_so(
    site: Site, open_page: OpenPage
) -> None:
    page = await open_page("/", **screen("narrow"))
    name = "a-name-of-many-words-" * 10 + ".jpg"
    whole = pictures.photo(640, 480)
    await choose(page, payload(name, whole[: len(whole) * 3 // 4]))
    found = await reaches(page, "a-name", "done")
    assert (await resource(site, await link_of(found)))["incomplete"]
    await expect(found.locator(".state")).to_contain_text("The file is incomplete: its end is missing")
    lines = "name => name.clientHeight / parseFloat(getComputedStyle(name).lineHeight)"
    assert float(await found.locator(".name").evaluate(lines)) < 2.5
    assert await overflow_px(page) <= 0


async def test_the_card_of_a_file_that_has_no_sizes_says_so(open_page: OpenPage) -> None:
    maker = Maker()
    maker.page(maker.picture(64, 48, b"\x7f"))
    twelve_bits = maker.file().replace(struct.pack("<HHIH", 258, 3, 1, 8), struct.pack("<HHIH", 258, 3, 1, 12))
    page = await open_page("/")
    await choose(page, payload("deep.tif", twelve_bits))
    card = await reaches(page, "deep.tif", "done")
    await expect(card.locator(".state")).to_contain_text("For download only")


async def test_progress_and_messages_are_seen_in_forced_colours(open_page: OpenPage) -> None:
    page = await open_page("/", forced_colors="active")
    await page.evaluate(DROP_LINK)
    border = "selector => getComputedStyle(document.querySelector(selector)).borderTopWidth"
    assert await page.evaluate(border, "#toast") == "1px"
    assert await page.evaluate(border, "#summary progress") == "1px"


async def test_copying_puts_nothing_over_the_cards(open_page: OpenPage) -> None:
    page = await open_page("/", **screen("phone"))
    await choose(page, payload("cat.png", pictures.png()))
    found = await reaches(page, "cat.png", "done")
    copies = found.get_by_role("button", name="Copy: cat.png")
    await copies.tap()
    await expect(copies).to_have_text("Copied")
    await expect(page.locator("#toast")).to_be_empty()  # nothing lies over the cards
    assert await found.get_by_role("link", name="Open").is_visible()
