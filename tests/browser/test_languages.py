"""The pages in languages that need more room, or are written from right to left: nothing is cut off or sticks out."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.support.browser.albums import album_of
from tests.support.browser.cards import choose, payload
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, box_of, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.pseudo_languages import LONG, MIRRORED, checkout_with
from tests.support.server_process import serving

OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"
CUT_OFF = """() => {
    const shortened = ".brand span, .code, .name, .visually-hidden, .skip, svg, option, [hidden]";
    const hasText = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const isSeen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(shortened);
    const sticksOut = (one) => {
        const { left, right } = one.getBoundingClientRect();
        return left < -1 || right > innerWidth + 1;
    };
    const isCut = (one) => {
        const { overflowX, display } = getComputedStyle(one);
        return overflowX !== "visible" && display !== "inline" && one.scrollWidth > one.clientWidth + 1;
    };
    const found = [...document.body.querySelectorAll("*")].filter((one) => hasText(one) && isSeen(one));
    return found.filter((one) => sticksOut(one) || isCut(one)).map((one) => one.outerHTML.slice(0, 200));
}"""
"""Elements whose text is not wholly to be seen, but for those that are shortened on purpose."""
ENDS = """({ firstChild: text }) => [0, text.length - 1].map((at) => {
    const range = document.createRange();
    range.setStart(text, at);
    range.setEnd(text, at + 1);
    return range.getBoundingClientRect().x;
})"""
"""Where the first and the last character of a text are drawn."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def foreign(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A server whose pages have the two languages."""
    folder = tmp_path_factory.mktemp("foreign")
    root = checkout_with(folder / "checkout", LONG, MIRRORED)
    async with serving(folder / "data", root) as served, aiohttp.ClientSession() as session:
        yield Site(served.url, session)


async def addresses(site: Site) -> list[str]:
    """One of every kind of page."""
    image = await site.upload(pictures.photo(900, 600), "cat.jpg", title="A cat on a mat")
    images = {"images": [image["slug"]], "title": "Cats"}
    async with site.session.post(f"{site.url}/api/v1/albums", json=images) as reply:
        album = (await reply.json())["slug"]
    paths = ["/", "/images", "/a", "/nothing-here", f"/i/{image['slug']}", f"/i/{image['slug']}/manage"]
    paths += [f"/a/{album}", f"/a/{album}/manage", f"/a/{album}/{image['slug']}"]
    return [site.url + path for path in paths]


@pytest.mark.parametrize("size", ["narrow", "desk"])
@pytest.mark.parametrize(("language", "direction"), [(LONG, "ltr"), (MIRRORED, "rtl")])
async def test_every_page_fits_in_every_language(
    foreign: Site, open_page: OpenPage, size: str, language: str, direction: str
) -> None:
    page = await open_page("about:blank", locale=language, **screen(size))
    for address in await addresses(foreign):
        await page.goto(address)
        assert await page.locator("html").get_attribute("dir") == direction
        await page.evaluate(OPEN_ALL)
        assert await page.evaluate(CUT_OFF) == [], address
        assert await overflow_px(page) <= 0, address
    met(page).clear()  # that nothing is at one of the addresses


async def test_from_right_to_left_a_page_stands_at_the_right_but_width_comes_before_height(
    foreign: Site, open_page: OpenPage
) -> None:
    image = await foreign.upload(pictures.photo(900, 600), "cat.jpg", title="A cat on a mat")
    page = await open_page(image["url"], locale=MIRRORED)
    assert await page.locator("h1").evaluate("head => getComputedStyle(head).textAlign") == "right"
    width, height = await page.locator("header bdi").evaluate(ENDS)
    assert width < height
    await page.goto(f"{foreign.url}/")
    await choose(page, payload("cat.jpg", pictures.photo(64, 48)))
    await page.locator("#uploads > [data-phase=done]").wait_for()
    assert await page.locator("#uploads .name").evaluate("name => getComputedStyle(name).textAlign") == "right"
    await page.goto(f"{foreign.url}/images")
    await page.locator(".image").wait_for()
    box, row = await box_of(page, ".pick"), await box_of(page, ".image")
    assert box["x"] > row["x"] + row["width"] / 2


@pytest.mark.parametrize("language", [LONG, MIRRORED])
async def test_the_reply_to_the_form_fits_in_every_language(foreign: Site, open_page: OpenPage, language: str) -> None:
    page = await open_page(f"{foreign.url}/", locale=language, java_script_enabled=False, **screen("narrow"))
    await choose(page, payload("plain.jpg", pictures.photo(640, 480)))
    await page.locator("#upload .send button").click()
    await page.locator("#manage-link").wait_for()
    await page.evaluate(OPEN_ALL)
    assert await page.evaluate(CUT_OFF) == []
    assert await overflow_px(page) <= 0


@pytest.mark.parametrize(
    ("language", "forward", "back"), [(LONG, "ArrowRight", "ArrowLeft"), (MIRRORED, "ArrowLeft", "ArrowRight")]
)
async def test_arrow_keys_lead_through_an_album_as_its_buttons_point(
    foreign: Site, open_page: OpenPage, language: str, forward: str, back: str
) -> None:
    album = await album_of(foreign, 2)
    addresses = [f"{foreign.url}/a/{album['slug']}/{image['slug']}" for image in album["images"]]
    page = await open_page(addresses[0], locale=language)
    await page.keyboard.press(forward)
    await page.wait_for_url(addresses[1])
    await page.keyboard.press(back)
    await page.wait_for_url(addresses[0])
