"""Parts of an image are covered before it is uploaded: nothing of them leaves the browser, and all else stays."""

import struct
import zlib

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import FilePayload, Locator, Page, Request, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, link_of, payload, reaches, resource
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, overflow_px, screen
from tests.support.images import pictures

GROUND = (60, 140, 200)
SECRET = (100, 80, 300, 160)
"""The left, upper, right and lower edge of what nobody should see."""
MAX_VARIATION = 21
"""How far a block of the mosaic may be from the colours around it."""


def screenshot() -> Image.Image:
    """One colour, but for black and white letters."""
    drawn = Image.new("RGB", (640, 480), GROUND)
    pen = ImageDraw.Draw(drawn)
    pen.rectangle((110, 90, 289, 149), fill="white")
    pen.text((115, 95), "Secret: 1234", fill="black", font_size=28)
    return drawn


def giant_png() -> bytes:
    """The beginning of 65 megapixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 10_000, 6_500, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


async def blurring(page: Page, *files: FilePayload) -> Locator:
    """The editor, open for the first of these files."""
    await page.get_by_label("Blur parts of the next images").check()
    await choose(page, *files)
    editor = page.get_by_role("dialog")
    await expect(editor).to_be_visible()
    return editor


async def draw(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw an area by its edges in pixels of an image that is 640 pixels wide."""
    box = await page.locator(".stage canvas").bounding_box()
    assert box is not None
    scale = box["width"] / 640
    await page.mouse.move(box["x"] + left * scale, box["y"] + top * scale)
    await page.mouse.down()
    await page.mouse.move(box["x"] + right * scale, box["y"] + bottom * scale, steps=3)
    await page.mouse.up()


async def original(site: Site, card: Locator) -> Image.Image:
    async with site.session.get(f"{await link_of(card)}/original") as reply:
        return pictures.opened(await reply.read())


def colours(image: Image.Image) -> set[tuple[int, ...]]:
    return {colour for _, colour in image.convert("RGB").getcolors(image.width * image.height)}  # type: ignore[union-attr, misc]


def distance(image: Image.Image) -> int:
    """How far its colours are from the ground, in the channel that differs most."""
    return max(abs(value - ground) for each in colours(image) for value, ground in zip(each, GROUND, strict=True))


async def test_what_was_covered_is_not_in_what_is_uploaded(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    shown = screenshot()
    editor = await blurring(page, payload("screen.png", pictures.saved(shown, "png")))
    await draw(page, *SECRET)
    await editor.get_by_role("button", name="Blur and upload").click()
    card = await reaches(page, "screen.png", "done")
    assert (await resource(site, await link_of(card)))["media_type"] == "image/png"
    found = (await original(site, card)).convert("RGB")
    covered = found.crop(SECRET)
    assert len(colours(covered)) <= 3 * 24
    assert distance(covered) <= MAX_VARIATION
    around = (SECRET[0] - 2, SECRET[1] - 2, SECRET[2] + 2, SECRET[3] + 2)  # the pointer isn't exact to a pixel
    for image in (found, shown):
        image.paste((0, 0, 0), around)
    assert found.size == (640, 480)
    assert found.tobytes() == shown.tobytes()


async def test_areas_that_overlap_show_nothing_of_each_other(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    editor = await blurring(page, payload("screen.png", pictures.saved(screenshot(), "png")))
    await draw(page, 100, 80, 200, 160)
    await draw(page, 300, 160, 180, 81)
    await editor.get_by_role("button", name="Blur and upload").click()
    found = await original(site, await reaches(page, "screen.png", "done"))
    assert distance(found.crop((103, 83, 297, 157))) <= 2 * MAX_VARIATION


async def test_areas_are_drawn_by_keys_alone(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.locator("#blur").focus()
    await page.keyboard.press("Space")
    await choose(page, payload("screen.png", pictures.saved(screenshot(), "png")))
    add = page.get_by_role("button", name="Add an area")
    await expect(add).to_be_focused()
    await expect(page.get_by_role("button", name="Upload unchanged")).to_be_visible()
    await page.keyboard.press("Enter")
    area = page.get_by_role("button", name="Area 1")
    await expect(area).to_be_focused()
    await expect(area).to_have_accessible_name("Area 1: 160 × 48 pixels at 240, 216")
    for key in ("ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown", "Control+ArrowLeft"):
        await page.keyboard.press(key)
    await expect(area).to_have_accessible_name("Area 1: 166 × 54 pixels at 239, 210")
    await expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("239, 210")
    await page.keyboard.press("Delete")
    await expect(area).to_have_count(0)
    assert await page.evaluate("document.activeElement.className") == "stage"
    await page.keyboard.press("Control+z")
    await expect(area).to_have_accessible_name("Area 1: 166 × 54 pixels at 239, 210")
    await page.get_by_role("button", name="Blur and upload").focus()
    await page.keyboard.press("Enter")
    found = await original(site, await reaches(page, "screen.png", "done"))
    assert len(colours(found.crop((239, 210, 239 + 166, 210 + 54)))) > 1
    await expect(page.locator("#blur")).to_be_focused()


async def test_an_area_is_moved_resized_and_undone_by_pointer(open_page: OpenPage) -> None:
    page = await open_page("/")
    editor = await blurring(page, payload("screen.png", pictures.saved(screenshot(), "png")))
    await draw(page, 100, 80, 300, 160)
    area = editor.get_by_role("button", name="Area 1")
    drawn = str(await area.get_attribute("aria-label"))
    await draw(page, 200, 120, 260, 150)
    moved = str(await area.get_attribute("aria-label"))
    assert drawn.partition(" pixels")[0] == moved.partition(" pixels")[0]
    assert drawn != moved
    await draw(page, 360, 190, 400, 200)  # the corner
    resized = str(await area.get_attribute("aria-label"))
    assert resized.partition(" at ")[2] == moved.partition(" at ")[2]
    assert resized != moved
    for expected in (moved, drawn):
        await editor.get_by_role("button", name="Undo").click()
        await expect(area).to_have_accessible_name(expected)
    await editor.get_by_role("button", name="Undo").click()
    await expect(area).to_have_count(0)


async def test_an_area_is_drawn_by_finger(open_page: OpenPage) -> None:
    page = await open_page("/", **screen("phone"))
    editor = await blurring(page, payload("screen.png", pictures.saved(screenshot(), "png")))
    box = await page.locator(".stage canvas").bounding_box()
    assert box is not None
    session = await page.context.new_cdp_session(page)
    for kind, part in (("touchStart", 0.2), ("touchMove", 0.3), ("touchMove", 0.6), ("touchEnd", None)):
        at = [{"x": box["x"] + part * box["width"], "y": box["y"] + part * box["height"]}] if part else []
        await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
    await expect(editor.get_by_role("button", name="Area 1: 25")).to_be_focused()  # two fifths of 640


async def test_nothing_is_sent_of_an_image_that_somebody_decided_against(open_page: OpenPage) -> None:
    page = await open_page("/")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method != "GET" else None)
    png = pictures.saved(screenshot(), "png")
    editor = await blurring(page, payload("first.png", png), payload("second.png", png))
    await draw(page, *SECRET)
    await page.keyboard.press("Escape")
    await expect(editor.get_by_role("heading")).to_have_text("Blur parts of second.png")
    await editor.get_by_role("button", name="Don’t upload this image").click()
    await expect(editor).to_have_count(0)
    await expect(page.locator("#spoken")).to_have_text("second.png was not uploaded.")
    await expect(page.locator("#uploads > li")).to_have_count(0)
    assert sent == []
    await expect(page.locator("#blur")).not_to_be_checked()
    await choose(page, payload("as it is.png", png))
    await reaches(page, "as it is.png", "done")


async def test_the_rest_is_cancelled_at_once_and_what_is_blurred_already_is_uploaded(open_page: OpenPage) -> None:
    page = await open_page("/")
    png = pictures.saved(screenshot(), "png")
    editor = await blurring(page, *(payload(f"{number}.png", png) for number in range(1, 5)))
    await expect(editor).to_have_accessible_name("Blur parts of 1.png Image 1 of 4")
    await editor.get_by_role("button", name="Upload unchanged").click()
    await editor.get_by_role("button", name="Cancel all 3 remaining").click()
    await reaches(page, "1.png", "done")
    await expect(page.locator("#uploads > li")).to_have_count(1)
    await expect(editor).to_have_count(0)


async def test_one_image_has_nothing_to_cancel_besides(open_page: OpenPage) -> None:
    page = await open_page("/")
    editor = await blurring(page, payload("one.png", pictures.png()))
    await expect(editor.get_by_text("Image 1 of 1")).to_have_count(0)
    await expect(editor.get_by_role("button", name="Cancel")).to_have_count(0)
    await editor.get_by_role("button", name="Don’t upload", exact=True).click()
    await expect(page.locator("#spoken")).to_have_text("one.png was not uploaded.")


async def test_what_is_pasted_while_the_editor_is_open_is_edited_too(open_page: OpenPage) -> None:
    page = await open_page("/")
    png = pictures.saved(screenshot(), "png")
    editor = await blurring(page, payload("first.png", png))
    await choose(page, payload("second.png", png))
    for name in ("first.png", "second.png"):
        await expect(editor.get_by_role("heading")).to_have_text(f"Blur parts of {name}")
        await draw(page, *SECRET)
        await editor.get_by_role("button", name="Blur and upload").click()
        await reaches(page, name, "done")


async def test_a_blurred_photo_is_upright_and_has_no_metadata(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_text("Options: expiry").click()
    await page.get_by_text("Keep everything, location included").click()
    editor = await blurring(page, payload("turned.jpg", pictures.oriented_jpeg(6)))
    await draw(page, 10, 10, 100, 60)
    await editor.get_by_role("button", name="Blur and upload").click()
    found = await original(site, await reaches(page, "turned.jpg", "done"))
    assert found.format == "JPEG"
    assert found.size == pictures.quarters().size
    assert not found.getexif()


async def test_what_cannot_be_blurred_is_not_uploaded(open_page: OpenPage) -> None:
    odd = {
        "moving.gif": (pictures.animated("gif"), "is an animation"),
        "moving.webp": (pictures.animated("webp"), "is an animation"),
        "giant.png": (giant_png(), "is too large to be blurred here"),
        "scan.tiff": (pictures.tiff(), "This browser can’t open"),
    }
    page = await open_page("/")
    await page.get_by_label("Blur parts of the next images").check()
    await choose(page, *(payload(name, data) for name, (data, _) in odd.items()))
    for name, (_, reason) in odd.items():
        await expect((await reaches(page, name, "refused")).locator(".state")).to_contain_text(reason)
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_without_its_editor_an_image_is_not_uploaded(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_label("Blur parts of the next images").check()
    await page.route("**/chunk-*.js", lambda route: route.abort("internetdisconnected"))
    await choose(page, payload("screen.png", pictures.png()))
    card = await reaches(page, "screen.png", "refused")
    await expect(card.locator(".state")).to_contain_text("could not be loaded")
    met(page).clear()  # the request that failed


@pytest.mark.parametrize(("size", "locale"), [("desk", "en-GB"), ("narrow", "de-DE")])
async def test_the_editor_is_accessible_on_every_screen(open_page: OpenPage, axe: str, size: str, locale: str) -> None:
    page = await open_page("/", locale=locale, **screen(size, "dark"))
    await page.locator("#blur").check()
    await choose(page, payload("screen.png", pictures.saved(screenshot(), "png")))
    await page.locator("[data-do=add]").click()
    await page.locator(".area").wait_for()
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    assert await page.evaluate("(d => d.scrollWidth - d.clientWidth)(document.querySelector('dialog'))") <= 0
