"""The upload page with scripts: every way a file comes to it, what it says on the way."""

import asyncio
import base64
from pathlib import Path

import pytest
from playwright.async_api import FileChooser, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import card, choose, link_of, payload, reaches, resource, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import THEMES, Site, copied, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.waiting import until

DROP = """([name, type, data]) => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name, { type }));
    for (const kind of ["dragenter", "dragover", "drop"])
        document.body.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""
PASTE = """(data) => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], "image.png", { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
}"""


async def test_many_files_are_uploaded_and_their_links_copied(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", permissions=["clipboard-read", "clipboard-write"])
    await choose(page, payload("one.jpg", pictures.photo(640, 480)), payload("two.png", pictures.png()))
    links = [await link_of(await reaches(page, name, "done")) for name in ("one.jpg", "two.png")]
    for link in links:
        assert (await resource(site, link))["state"] == "ready"
    one = card(page, "two.png").get_by_role("button", name="Copy: two.png")
    assert await copied(page, one.click()) == links[1]
    assert await copied(page, page.get_by_role("button", name="Copy all links").click()) == "\n".join(links)


async def test_the_options_are_sent_with_the_image(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Keep for").select_option("7d")
    await page.get_by_label("Title", exact=True).fill("Mein Kätzchen")
    await page.get_by_label("Description").fill("It sleeps.")
    await choose(page, payload("cat.jpg", pictures.photo(64, 48)))
    found = await resource(site, await link_of(await reaches(page, "cat.jpg", "done")))
    assert (found["title"], found["alt"]) == ("Mein Kätzchen", "It sleeps.")
    assert await page.get_by_label("Title", exact=True).input_value() == ""


async def test_the_link_is_there_before_the_last_byte(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    link = await link_of(found)
    assert (await resource(site, link))["state"] == "receiving"
    await found.locator(".state", has_text="/s").wait_for()  # the speed is told
    assert (await found.locator("img").get_attribute("src") or "").startswith("blob:")
    await found.get_by_role("button", name="Cancel").click()


async def test_a_file_that_is_no_image_is_refused_before_it_is_sent(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("cat.bmp", b"BM" + bytes(500)), payload("cat.svg", b"<svg/>"), payload("none.jpg", b""))
    said = await (await reaches(page, "cat.bmp", "refused")).locator(".state").inner_text()
    assert said == "cat.bmp: BMP isn’t supported. Supported formats: JPEG, PNG, GIF, WebP, TIFF, AVIF and HEIC."
    await expect(page.locator("#spoken")).to_have_text("3 files were rejected. See the reasons above.")
    await expect(card(page, "cat.svg")).to_contain_text("cat.svg: SVG isn’t supported")
    await expect(card(page, "none.jpg")).to_contain_text("none.jpg is empty")
    await choose(page, payload("dog.bmp", b"BM" + bytes(500)))
    await page.locator("#spoken").get_by_text("dog.bmp: BMP isn’t supported").wait_for()


async def test_a_refusal_of_the_server_is_shown_in_its_words(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("torn.jpg", pictures.photo(64, 48)[:40]))
    found = await reaches(page, "torn.jpg", "refused")
    assert len(await found.locator(".state.problem").inner_text()) > 20
    assert await found.locator(".link").is_hidden()
    met(page).clear()  # the status of the refusal


async def test_a_refusal_is_shown_in_the_language_of_the_page(open_page: OpenPage) -> None:
    page = await open_page("/", locale="de-DE")
    await choose(page, payload("torn.jpg", pictures.photo(64, 48)[:40]))
    state = (await reaches(page, "torn.jpg", "refused")).locator(".state.problem")
    assert await state.get_attribute("lang") is None
    assert "Datei" in await state.inner_text() or "Bild" in await state.inner_text()
    met(page).clear()  # the status of the refusal


async def test_files_are_dropped_anywhere(open_page: OpenPage) -> None:
    page = await open_page("/")
    data = base64.b64encode(pictures.photo(64, 48)).decode()
    await page.evaluate(DROP, ["dropped.jpg", "image/jpeg", data])
    await reaches(page, "dropped.jpg", "done")
    assert await page.locator("#drop-zone").is_hidden()


async def test_a_pasted_screenshot_is_named_by_its_time(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(PASTE, base64.b64encode(pictures.png()).decode())
    await reaches(page, ".png", "done")
    assert (await page.locator("#uploads .name").inner_text()).startswith("20")


async def test_a_folder_is_uploaded_without_files_that_are_no_images(open_page: OpenPage, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.jpg").write_bytes(pictures.photo(64, 48))
    (tmp_path / "deep" / "b.jpg").write_bytes(pictures.photo(48, 64))
    (tmp_path / "notes.txt").write_text("no picture")
    page = await open_page("/")
    await page.set_input_files("#folder", tmp_path)
    await reaches(page, "a.jpg", "done")
    await reaches(page, "b.jpg", "done")
    await page.get_by_text("1 file in the folder was skipped").wait_for()
    assert await page.locator("#uploads > li").count() == 2


async def test_a_folder_is_dropped(open_page: OpenPage, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.jpg").write_bytes(pictures.photo(48, 64))
    page = await open_page("/")
    session = await page.context.new_cdp_session(page)
    carried = {"items": [], "files": [str(tmp_path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await session.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 200, "data": carried})
    await reaches(page, "b.jpg", "done")


async def test_an_upload_pauses_and_resumes(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    session = await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    await found.get_by_role("button", name="Pause").click()
    await reaches(page, "slow.jpg", "paused")
    link, offsets = await link_of(found), [-1]

    async def rests() -> bool:
        offsets.append((await resource(site, link))["offset"])
        await asyncio.sleep(1)
        return offsets[-1] == offsets[-2]

    await until(rests, "what was on its way has arrived, and no more comes", within_s=20)
    await slow_down(session, -1)
    await found.get_by_role("button", name="Resume").click()
    await reaches(page, "slow.jpg", "done")


async def test_a_cancelled_upload_leaves_nothing_behind(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    link = await link_of(found)
    await found.get_by_role("button", name="Cancel").click()
    await reaches(page, "slow.jpg", "gone")
    async with asyncio.timeout(20):
        while (await resource(site, link)).get("code") != "gone":  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.1)
    await card(page, "slow.jpg").get_by_role("button", name="Dismiss").click()
    await expect(page.locator("#uploads > li")).to_have_count(0)


async def test_no_album_is_created_while_files_are_sent(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("a.jpg", pictures.photo(64, 48)), payload("b.jpg", pictures.photo(48, 64)))
    await reaches(page, "a.jpg", "done")
    await reaches(page, "b.jpg", "done")
    album = page.get_by_role("button", name="Create an album")
    await expect(album).to_be_enabled()
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    await reaches(page, "slow.jpg", "sending")
    await expect(album).to_be_disabled()
    await card(page, "slow.jpg").get_by_role("button", name="Cancel").click()
    await album.click()
    await page.wait_for_url("**/a/**")


@pytest.mark.parametrize("theme", THEMES)
async def test_every_state_of_a_card_is_accessible(open_page: OpenPage, axe: str, theme: str) -> None:
    page = await open_page("/", **screen("narrow", theme))
    await slowed(page)
    await choose(
        page,
        payload("done.jpg", pictures.photo(64, 48)),
        payload("refused.bmp", b"BM" + bytes(100)),
        payload("paused-with-a-long-name-without-blanks.jpg", pictures.camera_photo()),
        payload("sending.jpg", pictures.camera_photo()),
        payload("another.jpg", pictures.camera_photo()),
        payload("waiting.jpg", pictures.camera_photo()),
    )
    await reaches(page, "done.jpg", "done")
    paused = await reaches(page, "paused", "sending")
    await paused.get_by_role("button", name="Pause:").click()
    await reaches(page, "sending.jpg", "sending")
    await page.locator("#summary").wait_for()
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    for name in ("sending.jpg", "another.jpg", "waiting.jpg", "paused"):
        await card(page, name).get_by_role("button", name="Cancel:").click()


async def test_without_scripts_the_form_uploads_one_image(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", java_script_enabled=False)
    await choose(page, payload("plain.jpg", pictures.photo(64, 48)))
    await page.get_by_role("button", name="Upload").click()
    link = await page.get_by_role("textbox", name="Page link").input_value()
    assert (await resource(site, link))["filename"] == "plain.jpg"


async def test_a_keyboard_is_enough(site: Site, open_page: OpenPage) -> None:
    page = await open_page("about:blank", permissions=["clipboard-read", "clipboard-write"])
    choosers: asyncio.Queue[FileChooser] = asyncio.Queue()
    page.on("filechooser", choosers.put_nowait)  # before there is anything to press: it takes the browser a moment
    await page.goto("/")
    picker = page.locator("#file")
    await picker.focus()
    await expect(picker).to_be_focused()
    await page.keyboard.press("Space")
    async with asyncio.timeout(30):
        chooser = await choosers.get()
    await chooser.set_files([payload("keys.jpg", pictures.photo(64, 48))])
    found = await reaches(page, "keys.jpg", "done")
    await page.keyboard.press("Tab")
    for _ in range(30):
        if await page.evaluate("document.activeElement?.className") == "copy":
            break
        await page.keyboard.press("Tab")
    assert await copied(page, page.keyboard.press("Enter")) == await link_of(found)
