"""What people set in their browser: very large text, their own colours; and paper."""

import io
from typing import Literal

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Locator

from tests.support.browser.albums import album_of, managing
from tests.support.browser.cards import choose, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import with_uploads
from tests.support.browser.pages import Site, box_of, met, overflow_px, screen
from tests.support.browser.pending import Arriving
from tests.support.images import pictures

LOGOS = {"dark": "#0b0c0d", "light": "#ffffff"}
LARGE_TEXT = {"fontSizes": {"standard": 32, "fixed": 26}}


@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
async def test_with_text_of_twice_the_size_all_fits_a_phone(site: Site, open_page: OpenPage, language: str) -> None:
    image = await site.upload(pictures.photo(640, 480))
    page = await open_page("about:blank", locale=language, **screen("phone"))
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setFontSizes", LARGE_TEXT)
    deleted = await site.upload(pictures.photo(64, 48))
    await site.delete(deleted)
    paths = ("/", "/images", "/a", f"/i/{image['slug']}/manage", f"/i/{deleted['slug']}")
    for path in paths:
        await page.goto(path)
        assert await page.evaluate("getComputedStyle(document.documentElement).fontSize") == "32px"
        assert await overflow_px(page) <= 0, path
        for part in (".brand svg", ".bar nav a >> nth=0", ".bar nav a >> nth=1", "h1"):
            box = await page.locator(part).bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390, (path, part)
            assert box["width"] >= 24 and box["height"] >= 24, (path, part)
    met(page).clear()  # the status of what is gone


STICKING_PX = """() => [...document.querySelectorAll("body *")]
    .filter((each) => ["fixed", "sticky"].includes(getComputedStyle(each).position) && each.checkVisibility())
    .reduce((sum, each) => sum + each.getBoundingClientRect().height, 0)"""


@pytest.mark.parametrize(("is_large", "least_px", "max_px"), [(True, 0, 60), (False, 40, 200)])
async def test_actions_stick_to_the_edge_of_a_phone_unless_large_text_makes_them_too_high(
    site: Site, open_page: OpenPage, is_large: bool, least_px: int, max_px: int
) -> None:
    images = [await site.upload(pictures.photo(640, 480, seed=number)) for number in range(6)]
    page = await with_uploads(open_page, images, **screen("phone"))
    if is_large:
        session = await page.context.new_cdp_session(page)
        await session.send("Page.setFontSizes", LARGE_TEXT)
    await page.locator(".image input").last.check()
    assert least_px <= await page.evaluate(STICKING_PX) <= max_px
    await page.goto(f"/i/{images[0]['slug']}")
    assert least_px <= await page.evaluate(STICKING_PX) <= max_px
    await page.get_by_role("button", name="Copy link", exact=True).scroll_into_view_if_needed()


@pytest.mark.parametrize("path", ["/images", "/a/{album}"])
async def test_rows_of_images_use_the_width_of_a_large_screen(site: Site, open_page: OpenPage, path: str) -> None:
    album = await album_of(site, 4)
    images = [await site.upload(pictures.photo(640, 480))]
    page = await with_uploads(open_page, images, viewport={"width": 3840, "height": 2160})
    await page.goto(path.format(album=album["slug"]))
    box = await box_of(page, "main img:visible >> nth=0")
    assert box["height"] > 3840 / 20
    main = await box_of(page, "main")
    assert main["width"] > 3840 / 2
    assert await overflow_px(page) <= 0


async def test_a_card_can_be_read_with_text_of_twice_the_size(open_page: OpenPage) -> None:
    page = await open_page("about:blank", **screen("phone"))
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setFontSizes", LARGE_TEXT)
    await page.goto("/")
    await choose(page, payload("text.jpg", b"no image"))
    state = await (await reaches(page, "text.jpg", "refused")).locator(".state").bounding_box()
    assert state is not None and state["width"] >= 200


async def test_progress_is_seen_in_colours_of_ones_own(site: Site, open_page: OpenPage) -> None:
    arriving = await Arriving.begun(site.url, site.session, 1_000_000)
    page = await open_page(f"/i/{arriving.slug}", forced_colors="active")
    border = await page.locator("progress").evaluate("bar => getComputedStyle(bar).borderTopWidth")
    assert border == "1px"
    await page.goto("about:blank")
    await arriving.give_up()


async def test_paper_has_no_buttons_and_no_codes(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480), title="Cat")
    page = await open_page(f"/i/{image['slug']}")
    await page.emulate_media(media="print")
    assert await page.get_by_role("heading", name="Cat").is_visible()
    assert await page.get_by_text(image["url"], exact=True).is_visible()
    assert await page.locator("button:visible, input:visible, .bar:visible").count() == 0
    album = await album_of(site, 1)
    await page.goto(f"/a/{album['slug']}")
    assert await page.locator("h1:visible, h2:visible").all_inner_texts() == ["A weekend"]
    assert await page.get_by_text(album["url"], exact=True).is_visible()


async def test_paper_has_a_code_that_leads_back_and_the_screen_does_not_load_it(
    site: Site, open_page: OpenPage
) -> None:
    image, album = await site.upload(pictures.photo(640, 480)), await album_of(site, 1)
    page = await open_page("about:blank")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in (f"/i/{image['slug']}", f"/a/{album['slug']}"):
        await page.goto(path, wait_until="networkidle")
        assert f"{site.url}{path}/qr.svg" not in asked
        async with page.expect_request(f"**{path}/qr.svg"):
            await page.pdf()


async def test_a_guest_link_on_paper_is_a_code_and_a_sentence(site: Site, open_page: OpenPage) -> None:
    page = await open_page(managing(await album_of(site, 1)))
    await page.get_by_role("button", name="Links for guests").click()
    await page.get_by_role("button", name="Create a guest link").click()
    await page.emulate_media(media="print")
    assert await page.get_by_alt_text("QR code of the guest link").is_visible()
    assert await page.get_by_role("textbox", name="Guest link").is_visible()
    assert await page.locator("h1:visible, h2:visible").all_inner_texts() == ["Links for guests"]
    assert await page.locator(".message:visible, button:visible").count() == 0


def logo(colour: str) -> bytes:
    """A disc on nothing."""
    picture = Image.new("RGBA", (800, 800), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((200, 200, 600, 600), fill=colour)
    return pictures.saved(picture, "png")


async def brightness(locator: Locator) -> tuple[int, int]:
    """Of the middle of what is shown there, and of its upper edge, from 0 to 255."""
    shot = Image.open(io.BytesIO(await locator.screenshot())).convert("L")
    middle, edge = shot.getpixel((shot.width // 2, shot.height // 2)), shot.getpixel((shot.width // 2, 6))
    assert isinstance(middle, int)
    assert isinstance(edge, int)
    return middle, edge


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("colour", LOGOS)
async def test_lines_on_nothing_are_seen_in_both_themes(
    site: Site, open_page: OpenPage, theme: Literal["light", "dark"], colour: str
) -> None:
    image = await site.upload(logo(LOGOS[colour]), "logo.png")
    async with site.session.post(f"{site.url}/api/v1/albums", json={"images": [image["slug"]]}) as reply:
        album = await reply.json()
    for path, part in ((f"/i/{image['slug']}", ".mat"), (f"/a/{album['slug']}", ".grid img")):
        page = await open_page(path, color_scheme=theme)
        await page.wait_for_load_state("networkidle")
        middle, edge = await brightness(page.locator(part))
        assert abs(middle - edge) > 40, path


async def test_an_image_that_hides_what_is_below_it_has_no_mat(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(640, 480))
    page = await open_page(f"/i/{image['slug']}")
    await page.locator("#shown").wait_for()
    assert await page.locator(".mat").count() == 0
