"""Albums in a real browser: looked at, shared, downloaded, and made from my images."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.albums import NAMES, album_of, managing, names_now
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import LOOKS, SIZES, Site, copied, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.server_process import serving
from tests.support.waiting import until


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_every_page_of_albums_is_accessible(
    site: Site, open_page: OpenPage, axe: str, size: str, theme: str
) -> None:
    album, gone = await album_of(site), await album_of(site, 1)
    headers = {"Authorization": f"Bearer {gone['delete_token']}"}
    async with site.session.delete(f"{site.url}/api/v1/albums/{gone['slug']}", headers=headers) as reply:
        assert reply.status == 204
    base = f"/a/{album['slug']}"
    image, token = album["images"][1]["slug"], album["delete_token"]
    addresses = [base, f"{base}/{image}", f"{base}/codes", f"{base}/created#{token}", f"{base}/manage", "/a"]
    for address in [*addresses, managing(album), f"/a/{gone['slug']}"]:
        page = await open_page(address, **screen(size, theme))
        met(page).clear()  # the status of the one that is gone
        assert await violations(page, axe) == [], address
        assert await overflow_px(page) <= 0, address


MEASURED = """globalThis.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_moves_while_the_images_of_the_grid_load(site: Site, open_page: OpenPage, size: str) -> None:
    album = await album_of(site)
    page = await open_page("about:blank", **screen(size))
    await page.add_init_script(MEASURED)
    await page.goto(f"/a/{album['slug']}")
    loaded = "[...document.querySelectorAll('.grid img')].every((image) => image.complete && image.naturalWidth)"
    await page.wait_for_function(loaded)
    assert await page.evaluate("globalThis.shift") < 0.01
    widths = await page.eval_on_selector_all(".grid img", "all => all.map((image) => image.clientWidth)")
    assert all(width >= 64 for width in widths)


async def test_a_tile_cuts_nothing_off_the_top_of_a_tall_image(site: Site, open_page: OpenPage) -> None:
    slugs = [(await site.upload(pictures.photo(*size)))["slug"] for size in ((300, 1500), (300, 200))]
    async with site.session.post(f"{site.url}/api/v1/albums", json={"images": slugs}) as reply:
        album = await reply.json()
    page = await open_page(f"/a/{album['slug']}")
    cuts = "all => all.map((image) => getComputedStyle(image).objectPosition)"
    assert await page.eval_on_selector_all(".grid img", cuts) == ["50% 0%", "50% 50%"]


SHARED = "navigator.share = (what) => { globalThis.shared = what; return Promise.resolve(); }"


async def test_an_album_is_shared_by_the_menu_of_the_phone(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2, description="Two days")
    page = await open_page(**screen("phone"))
    await page.add_init_script(SHARED)
    await page.goto(f"/a/{album['slug']}")
    await page.get_by_text("Two days").wait_for()
    await page.get_by_role("button", name="Share").tap()
    await page.wait_for_function("globalThis.shared")
    assert await page.evaluate("globalThis.shared") == {"title": "A weekend", "url": album["url"]}


async def test_all_images_have_codes_in_the_chosen_size(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2)
    base, first = f"/a/{album['slug']}", album["images"][0]["slug"]
    page = await open_page(base, permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("link", name="Codes for all images").click()
    markdown = page.get_by_label("Markdown", exact=True)
    line = f"[![one.jpg]({site.url}/i/{first}/medium.jpg)]({site.url}{base}/{first})"
    assert (await markdown.input_value()).split("\n")[0] == line
    await page.get_by_role("link", name="Original").click()
    links = await copied(page, page.get_by_role("button", name="Copy: Direct image links").click())
    assert links.split("\n") == [f"{site.url}/i/{image['slug']}.jpg" for image in album["images"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def moving_host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """A host whose large sizes hold only the first frame of the animation below, and whose operator takes reports."""
    settings = {
        "APPLIANCE_RENDITIONS_ANIMATION_PIXELS": "2500000",
        "APPLIANCE_RENDITIONS_PREWARM": "small",
        "APPLIANCE_SITE_REPORT": "https://example.org/report?{url}",
    }
    folder = tmp_path_factory.mktemp("moving")
    async with serving(folder / "data", **settings) as served, aiohttp.ClientSession() as session:
        yield Site(served.url, session)


async def test_nothing_moves_when_the_manage_page_gets_its_token(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site)
    page = await open_page("about:blank", **screen("phone"))
    await page.add_init_script(MEASURED)
    await page.goto(f"/a/{album['slug']}/manage#{album['delete_token']}")
    await page.get_by_role("option", name="four.jpg").scroll_into_view_if_needed()
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate("globalThis.shift") < 0.01


async def test_an_album_shows_an_image_as_its_own_page_does(moving_host: Site, open_page: OpenPage) -> None:
    image = await moving_host.upload(pictures.animated("gif", 6, 1200, 900), "moves.gif")
    body = {"images": [image["slug"]]}
    async with moving_host.session.post(f"{moving_host.url}/api/v1/albums", json=body) as reply:
        album = await reply.json()
    page = await open_page(f"{moving_host.url}/i/{image['slug']}")
    own = str(await page.locator("#shown").get_attribute("srcset"))
    await page.goto(f"{moving_host.url}/a/{album['slug']}/{image['slug']}")
    assert await page.locator("#shown").get_attribute("srcset") == own
    assert "large" not in own
    await expect(page.get_by_text("Larger sizes show only the first frame. The original is animated.")).to_be_visible()
    await expect(page.get_by_text("animated, 6 frames")).to_be_visible()
    report = await page.get_by_role("link", name="Report this image").get_attribute("href")
    assert image["slug"] in (report or "")
    await page.goto(f"{moving_host.url}/a/{album['slug']}")
    report = await page.get_by_role("link", name="Report this album").get_attribute("href")
    assert album["slug"] in (report or "")


async def test_a_placeholder_is_shown_on_an_albums_page_too(moving_host: Site, open_page: OpenPage) -> None:
    image = await moving_host.upload(pictures.photo(1600, 1200))
    body = {"images": [image["slug"]]}
    async with moving_host.session.post(f"{moving_host.url}/api/v1/albums", json=body) as reply:
        album = await reply.json()
    address = f"{moving_host.url}/a/{album['slug']}/{image['slug']}"

    async def has_placeholder() -> bool:
        async with moving_host.session.get(address) as reply:
            return "data:image/webp;base64," in await reply.text()

    await until(has_placeholder, "a placeholder on the album's page")


async def test_the_zip_is_named_after_the_title(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2)
    page = await open_page(f"/a/{album['slug']}")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download all").click()
    download = await started.value
    assert download.suggested_filename == "A weekend.zip"
    assert (await download.path()).read_bytes()[:4] == b"PK\x03\x04"


REMEMBERED = """async (mine) => {
  const opened = indexedDB.open("appliance");
  await new Promise((done, fail) => { opened.onsuccess = done; opened.onerror = fail; });
  const change = opened.result.transaction("pictures", "readwrite");
  for (const one of mine) change.objectStore("pictures").put(one);
  await new Promise((done) => (change.oncomplete = done));
  opened.result.close();
}"""


async def _remembering(page: Page, images: list[dict[str, Any]]) -> None:
    """The browser has uploaded these; the page that it is on has opened its list once."""
    mine = [
        {
            "slug": image["slug"],
            "url": image["url"],
            "filename": image["filename"],
            "title": None,
            "thumbnail": image["renditions"]["thumbnail"]["url"],
            "delete_token": "x",
            "uploaded_at": f"2026-11-24T07:00:0{number}Z",
            "expires_at": image["expires_at"],
        }
        for number, image in enumerate(images)
    ]
    await page.evaluate(REMEMBERED, mine)


async def test_my_images_are_selected_for_an_album_which_is_remembered(
    site: Site, open_page: OpenPage, axe: str
) -> None:
    images = [await site.upload(pictures.photo(64, 48, seed=number), name) for number, name in enumerate(NAMES[:3])]
    page = await open_page("/images")
    await page.wait_for_load_state("networkidle")
    await _remembering(page, images)
    await page.goto("/a")
    await page.get_by_text("Choose from my images").click()
    await page.get_by_role("button", name="three.jpg").click()
    await page.get_by_role("button", name="one.jpg").click()
    await page.get_by_role("button", name="two.jpg").click()
    await page.get_by_role("button", name="two.jpg").click()
    await page.get_by_text("2 images in the list").wait_for()
    assert await page.get_by_role("button", name="one.jpg", pressed=True).is_visible()
    assert await violations(page, axe) == []
    await page.get_by_label("Title").fill("Chosen")
    await page.get_by_role("button", name="Create album").click()
    await page.get_by_role("heading", name="Your album is online").wait_for()
    await page.get_by_text("It is also in My images").wait_for()
    link = await page.get_by_label("Manage link", exact=True).input_value()
    album = {"slug": link.rpartition("/a/")[2].partition("#")[0]}
    assert await names_now(site, album) == ["three.jpg", "one.jpg"]

    await page.goto("/images#/albums")
    await page.get_by_role("link", name="Manage Chosen").click()
    await page.get_by_text("Choose from my images").click()
    await page.get_by_role("button", name="two.jpg", exact=True).click()
    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_text("Added to the album.").wait_for()
    assert await names_now(site, album) == ["three.jpg", "one.jpg", "two.jpg"]
    await page.get_by_label("Title").fill("Chosen again")
    await page.get_by_label("Title").press("Enter")
    await page.get_by_text("Saved.", exact=True).wait_for()
    await page.goto("/images#/albums")
    await page.get_by_role("link", name="Chosen again", exact=True).wait_for()


async def test_a_new_album_is_shared_first_and_its_manage_link_is_apart(site: Site, open_page: OpenPage) -> None:
    images = [await site.upload(pictures.photo(64, 48, seed=number), name) for number, name in enumerate(NAMES[:2])]
    page = await open_page("/images", permissions=["clipboard-read", "clipboard-write"])
    await page.wait_for_load_state("networkidle")
    await _remembering(page, images)
    await page.reload()
    await page.get_by_label("All", exact=True).check()
    await page.get_by_role("button", name="Create an album").click()
    await page.get_by_role("heading", name="Your album is online").wait_for()
    link = await copied(page, page.get_by_role("button", name="Copy link").click())
    slug = link.rpartition("/a/")[2]
    assert link == f"{site.url}/a/{slug}"
    assert page.url == f"{link}/created"  # without the token, which anybody might copy along
    secret = await page.get_by_label("Manage link", exact=True).input_value()
    assert secret.partition("#")[0] == link
    await page.get_by_label("Title").fill("Named")
    await page.get_by_label("Title").press("Enter")
    await page.get_by_text("Saved.", exact=True).wait_for()
    await page.reload()
    assert await page.get_by_label("Manage link", exact=True).input_value() == secret
    await page.get_by_role("link", name="Manage this album").click()
    await page.get_by_role("option", name="one.jpg").wait_for()
    assert await page.get_by_label("Title").input_value() == "Named"
    met(page).clear()  # the tokens of these images aren't theirs


async def test_somebody_else_who_opens_that_page_sees_the_album(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 1)
    page = await open_page(f"/a/{album['slug']}/created")
    await page.wait_for_url(f"**/a/{album['slug']}")
