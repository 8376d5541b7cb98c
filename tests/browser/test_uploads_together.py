"""Several files on the upload page: one summary for all of them, and what can be done with all at once."""

import base64
import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.support.browser.cards import card, choose, full, link_of, payload, reaches, resource, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import has_stored, tick
from tests.support.browser.pages import Site, met, screen
from tests.support.images import pictures
from tests.support.waiting import until

PASTE = """([name, data]) => {
    const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name, { type: "image/png" }));
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: carried, bubbles: true }));
}"""
LISTEN = """() => {
    globalThis.heard = [];
    new MutationObserver(() => {
        const said = document.querySelector("#spoken").textContent;
        if (said) globalThis.heard.push(said);
    }).observe(document.querySelector("#spoken"), { childList: true });
}"""

WATCH_THE_END = """() => {
    globalThis.ends = [];
    new MutationObserver(() => {
        const cards = [...document.querySelectorAll("#uploads > li")];
        if (cards.some(({ dataset }) => dataset.phase !== "done")) return;
        globalThis.ends.push(document.querySelector("#summary-text").textContent);
    }).observe(document.querySelector("#uploads"), { attributeFilter: ["data-phase"], subtree: true });
}"""
"""What the summary says as soon as the last card is done."""

ALBUM_SIZE = """async () => {
    const slug = location.pathname.split("/")[2];
    const reply = await fetch(`/api/v1/albums/${slug}`);
    return (await reply.json()).images.length;
}"""


async def names(page: Page) -> list[str]:
    return await page.locator("#uploads .name").all_inner_texts()


async def test_the_newest_upload_is_on_top_and_its_link_in_view(open_page: OpenPage) -> None:
    page = await open_page("/", **screen("phone"))
    data = base64.b64encode(pictures.png()).decode()
    for name in ("first.png", "second.png", "third.png"):
        await page.evaluate(PASTE, [name, data])
        found = await reaches(page, name, "done")
        await expect(found.get_by_label("Link", exact=True)).to_be_in_viewport(ratio=1)
    assert await names(page) == ["third.png", "second.png", "first.png"]


async def test_one_bar_and_one_button_stand_for_all_files(open_page: OpenPage) -> None:
    page = await open_page("/")
    title = await page.title()
    session = await slowed(page)
    files = [payload(f"{number}.jpg", pictures.camera_photo()) for number in range(5)]
    await choose(page, *files)
    await expect(page.locator("#summary-text")).to_contain_text("0 of 5 uploaded, ")
    await expect(page.get_by_role("progressbar", name="All uploads")).to_be_visible()
    await page.wait_for_function("document.title.includes('%')")
    await page.get_by_role("button", name="Cancel all").click()
    await expect(page.locator("#uploads > li")).to_have_count(0)
    await expect(page.locator("#toast")).to_have_text("5 uploads cancelled.")
    await expect(page).to_have_title(title)
    assert await page.evaluate("document.activeElement !== document.body")
    await slow_down(session, -1)
    await page.reload()
    await expect(page.locator("#uploads > li")).to_have_count(0)  # nothing was kept to be resumed


async def test_the_summary_ends_with_the_last_file(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(WATCH_THE_END)
    await choose(page, *(payload(f"{number}.png", pictures.png()) for number in range(3)))
    await expect(page.locator("#uploads > [data-phase=done]")).to_have_count(3)
    assert (await page.evaluate("globalThis.ends"))[0] == "3 images uploaded."


async def test_what_failed_is_tried_again_at_once(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.route("**/api/v1/uploads", full)
    await choose(page, *(payload(f"{number}.png", pictures.png()) for number in range(2)))
    await reaches(page, "0.png", "failed")
    await reaches(page, "1.png", "failed")
    await expect(page.locator("#summary-text")).to_have_text("2 files were not uploaded; their cards say why.")
    for name in ("Copy all links", "Create an album"):
        await expect(page.get_by_role("button", name=name)).to_be_hidden()  # there is nothing to put into it
    await page.unroute_all()
    await page.get_by_role("button", name="Retry all").click()
    await expect(page.locator("#summary-text")).to_have_text("2 images uploaded.")
    await expect(page.get_by_role("button", name="Retry all")).to_be_hidden()
    assert await page.evaluate("document.activeElement !== document.body")
    met(page).clear()  # the statuses


async def test_many_files_are_announced_together_and_what_was_rejected_last(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(LISTEN)
    images = [payload(f"{number}.png", pictures.png()) for number in range(8)]
    await choose(page, payload("no.bmp", b"BM" + bytes(90)), *images, payload("no.svg", b"<svg/>"))
    await expect(page.locator("#summary-text")).to_contain_text("8 images uploaded.")
    await page.wait_for_function("globalThis.heard.at(-1)?.startsWith('8 images uploaded.')")
    heard: list[str] = await page.evaluate("globalThis.heard")
    assert heard[0] == "2 files were rejected. See the reasons above."
    assert heard[-1] == "8 images uploaded. 2 files were not uploaded; their cards say why."
    assert len(heard) <= 5
    assert not any(".png" in said for said in heard)


async def test_all_links_are_copied_in_the_markup_and_the_size_of_choice(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", permissions=["clipboard-read", "clipboard-write"])
    await choose(page, payload("a*b.jpg", pictures.photo(640, 480)), payload("two.jpg", pictures.photo(480, 640)))
    links = [await link_of(await reaches(page, name, "done")) for name in ("a*b.jpg", "two.jpg")]
    first, second = [await resource(site, link) for link in links]
    await page.get_by_text("All as Markdown, BBCode or HTML").click()
    codes = page.get_by_label("Codes to copy")
    shown = first["renditions"]["medium"]["url"]
    await expect(codes).to_have_value(
        f"[![a\\*b.jpg]({shown})]({links[0]})\n[![two.jpg]({second['renditions']['medium']['url']})]({links[1]})"
    )
    await page.get_by_label("Format").select_option("bbcode")
    await page.get_by_label("Size").select_option("thumbnail")
    small = [each["renditions"]["thumbnail"]["url"] for each in (first, second)]
    await expect(codes).to_have_value(
        "\n".join(f"[url={link}][img]{url}[/img][/url]" for link, url in zip(links, small, strict=True))
    )
    await page.get_by_label("Format").select_option("html")
    await page.get_by_label("Size").select_option("original")
    original = first["original"]["url"]
    await expect(codes).to_have_value(
        f'<a href="{links[0]}"><img src="{original}" width="640" height="480" alt="a*b.jpg"></a>\n'
        f'<a href="{links[1]}"><img src="{second["original"]["url"]}" width="480" height="640" alt="two.jpg"></a>'
    )
    copies = page.locator("#copy-codes")
    await copies.click()
    await expect(copies).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == await codes.input_value()


async def test_codes_for_other_pages_show_no_protected_image_but_its_link(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_text("Options: expiry").click()
    await page.get_by_label("Protect with a passphrase").fill("please")
    await page.get_by_label("One view").check()
    await choose(page, payload("closed.jpg", pictures.photo(64, 48)))
    closed = await reaches(page, "closed.jpg", "done")
    await expect(closed.locator(".state")).to_contain_text("With a passphrase. One view. Expires")
    await choose(page, payload("open.jpg", pictures.photo(64, 48)))
    await reaches(page, "open.jpg", "done")
    await page.get_by_text("All as Markdown, BBCode or HTML").click()
    await expect(page.get_by_label("Codes to copy")).to_have_value(re.compile(f"^{await link_of(closed)}\n\\[!"))
    await page.goto("/images")
    await expect(page.locator(".image", has_text="closed.jpg").locator(".state")).to_contain_text("One view. Expires")


async def test_what_was_deleted_elsewhere_says_so_and_the_album_has_the_others(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    files = [payload(f"{number}.jpg", pictures.photo(64 + number, 48)) for number in range(3)]
    await choose(page, *files)
    cards = [await reaches(page, file["name"], "done") for file in files]
    manage = str(await cards[1].get_by_role("link", name="Manage").get_attribute("href"))
    slug, token = manage.removeprefix("/i/").split("/manage#")
    headers = {"Authorization": f"Bearer {token}"}
    async with site.session.delete(f"{site.url}/api/v1/images/{slug}", headers=headers) as reply:
        assert reply.status == 204
    await cards[1].get_by_role("button", name="Edit").click()
    await cards[1].get_by_label("Title").fill("Refused")
    await cards[1].get_by_role("button", name="Save", exact=True).click()
    await expect(cards[1].get_by_role("alert")).not_to_be_empty()
    await expect(cards[1].locator(".title")).to_be_hidden()
    await page.get_by_role("button", name="Create an album").click()
    await page.get_by_role("heading", name="Your album is online").wait_for()
    assert await page.evaluate(ALBUM_SIZE) == 2
    met(page).clear()  # the statuses of what is gone


async def test_the_upload_page_hears_of_what_my_images_deletes_and_restores(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("one.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "one.jpg", "done")
    other = await page.context.new_page()
    await other.goto("/images")
    await tick(other, "one.jpg")
    await other.get_by_role("button", name="Delete", exact=True).click()
    await reaches(page, "one.jpg", "gone")
    await expect(found.locator(".state")).to_have_text("This image is no longer available.")
    await expect(found.get_by_role("button", name="Copy")).to_be_hidden()
    await other.get_by_role("button", name="Undo").click()
    await reaches(page, "one.jpg", "done")


async def test_a_folder_keeps_the_order_of_its_names_and_names_what_was_skipped(
    open_page: OpenPage, tmp_path: Path
) -> None:
    for name in ("10.png", "9.png", "2.png"):
        (tmp_path / name).write_bytes(pictures.png())
    for name in ("notes.txt", ".DS_Store", "Thumbs.db"):
        (tmp_path / name).write_bytes(b"no image")
    page = await open_page("/")
    await page.set_input_files("#folder", tmp_path)
    await page.get_by_text("1 file in the folder was skipped because it isn’t a supported image: notes.txt.").wait_for()
    assert await names(page) == ["2.png", "9.png", "10.png"]
    await reaches(page, "10.png", "done")


async def test_a_file_that_was_uploaded_before_is_recognised(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("once.jpg", pictures.photo(64, 48)))
    link = await link_of(await reaches(page, "once.jpg", "done"))
    await until(lambda: has_stored(page, "pictures", 1), "My images has it")
    await page.reload()
    await choose(page, payload("again.jpg", pictures.photo(64, 48)))
    await reaches(page, "again.jpg", "done")
    earlier = card(page, "again.jpg").get_by_role("link", name="earlier upload")
    await expect(earlier).to_have_attribute("href", link[link.index("/i/") :])


async def test_a_file_whose_earlier_upload_was_deleted_is_new(open_page: OpenPage) -> None:
    page = await open_page("/")
    await choose(page, payload("once.jpg", pictures.photo(64, 48)))
    await reaches(page, "once.jpg", "done")
    other = await page.context.new_page()
    await other.goto("/images")
    await tick(other, "once.jpg")
    await other.get_by_role("button", name="Delete", exact=True).click()
    await other.get_by_role("link", name="Bin 1").wait_for()
    await choose(page, payload("again.jpg", pictures.photo(64, 48)))
    await reaches(page, "again.jpg", "done")
    await choose(page, payload("third.jpg", pictures.photo(64, 48)))
    await expect(card(page, "third.jpg").get_by_role("link", name="earlier upload")).to_be_visible()
    await expect(card(page, "again.jpg").get_by_role("link", name="earlier upload")).to_be_hidden()


async def test_what_failed_before_can_still_be_tried_again(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.route("**/api/v1/uploads", full)
    await choose(page, payload("failed.png", pictures.png()))
    await reaches(page, "failed.png", "failed")
    await page.unroute_all()
    await choose(page, payload("works.jpg", pictures.photo(64, 48)))
    await reaches(page, "works.jpg", "done")
    await expect(page.locator("#summary-text")).to_have_text(
        "1 image uploaded. 1 file was not uploaded; its card says why."
    )
    await page.get_by_role("button", name="Retry all").click()
    await expect(page.locator("#summary-text")).to_have_text("2 images uploaded.")
    met(page).clear()  # the status


async def test_copying_all_tells_how_many_there_are(open_page: OpenPage) -> None:
    page = await open_page("/", permissions=["clipboard-read", "clipboard-write"])
    await choose(page, payload("done.png", pictures.png()))
    await reaches(page, "done.png", "done")
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    await page.get_by_role("button", name="Copy all links").click()
    await expect(page.locator("#spoken")).to_have_text("1 link copied")
    await card(page, "slow.jpg").get_by_role("button", name="Cancel").click()
