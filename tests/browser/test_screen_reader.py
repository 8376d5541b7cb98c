"""What a screen reader is told: live regions that hold the words, and say each thing once it is so."""

from playwright.async_api import Page, expect

from tests.support.browser.cards import choose, payload, reaches, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import FORBID_COPYING, Site, met
from tests.support.images import pictures

LISTEN = """() => {
    globalThis.heard = [];
    const live = "[role=status], [role=alert], [aria-live]";
    new MutationObserver((changes) => {
        for (const { target } of changes) {
            const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
            if (region?.textContent.trim()) globalThis.heard.push(region.textContent.trim());
        }
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


async def heard(page: Page, words: str) -> None:
    """Waits until a live region has said something with these words."""
    await page.wait_for_function("words => globalThis.heard.some((said) => said.includes(words))", arg=words)


async def test_every_step_of_an_upload_is_announced(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(LISTEN)
    session = await slowed(page, 90_000)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await heard(page, "KB sent.")
    await page.route("**/api/v1/uploads/*", lambda route: route.abort("internetdisconnected"))
    await found.get_by_role("button", name="Pause").click()
    await found.get_by_role("button", name="Resume").click()
    await heard(page, "Connection lost. slow.jpg resumes when you’re back online.")
    await page.unroute_all()
    await slow_down(session, -1)
    await heard(page, "slow.jpg uploaded.")
    met(page).clear()  # the console tells of each request that failed


async def test_a_refusal_is_announced_with_its_reason(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.evaluate(LISTEN)
    await choose(page, payload("cat.bmp", b"BM" + bytes(500)))
    await heard(page, "cat.bmp: BMP isn’t supported")
    await choose(page, payload("torn.jpg", pictures.photo(64, 48)[:40]))
    await heard(page, "torn.jpg was not uploaded. ")
    met(page).clear()  # the status of the refusal


async def test_progress_has_a_name_and_a_value(open_page: OpenPage) -> None:
    page = await open_page("/")
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    bar = page.get_by_role("progressbar", name="slow.jpg")
    await page.wait_for_function("bar => bar.position > 0", arg=await bar.element_handle())
    assert 0 < float(await bar.evaluate("bar => bar.position")) < 1
    await found.get_by_role("button", name="Cancel").click()


async def test_a_problem_of_the_plain_form_is_an_alert(open_page: OpenPage) -> None:
    page = await open_page("/", java_script_enabled=False)
    await page.set_input_files("#file", [payload("cat.bmp", b"BM" + bytes(500))])
    await page.get_by_role("button", name="Upload").click()
    await expect(page.get_by_role("alert")).to_contain_text("JPEG")
    met(page).clear()  # the status of the refusal


async def test_a_copy_is_announced_and_its_button_says_so_for_a_while(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    page = await open_page(f"/i/{image['slug']}", permissions=["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy: Markdown")
    await button.click()
    await page.get_by_role("status").get_by_text("Markdown copied").wait_for()
    await expect(button).to_have_text("Copied")
    await button.click()
    await expect(button).to_have_text("Copy")  # and not for ever


async def test_a_browser_that_forbids_copying_selects_the_text(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    page = await open_page(f"/i/{image['slug']}")
    await page.evaluate(FORBID_COPYING)
    await page.get_by_role("button", name="Copy: Page link").click()
    await page.get_by_role("status").get_by_text("Couldn’t copy").wait_for()
    assert await page.evaluate("document.getSelection().toString()") == image["url"]
