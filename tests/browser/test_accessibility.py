"""Every page on every screen in both themes: nothing for axe-core to find, nothing wider than the screen."""

import pytest

from tests.support.browser.accessibility import violations
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import LOOKS, Site, met, overflow_px, screen
from tests.support.images import pictures


async def addresses(site: Site) -> dict[str, str]:
    """Each kind of page that an address alone leads to."""
    image = await site.upload(pictures.photo(1200, 800), "a-rather-long-name-without-any-blank-in-it.jpg")
    gone = await site.upload(pictures.photo(64, 48))
    headers = {"Authorization": f"Bearer {gone['delete_token']}"}
    async with site.session.delete(f"{site.url}/api/v1/images/{gone['slug']}?bin=true", headers=headers) as reply:
        assert reply.status == 200
    slug, locked = image["slug"], await site.upload(pictures.photo(64, 48), passphrase="open sesame", one_view="true")
    return {
        "upload": "/",
        "share": f"/i/{slug}",
        "details": f"/i/{slug}/details",
        "manage": f"/i/{slug}/manage",
        "gone": f"/i/{gone['slug']}",
        "locked": f"/i/{locked['slug']}",
        "unknown": "/i/1yNqEvM1Xh6dnaz5k",
        "nothing": "/nothing-here",
    }


@pytest.mark.parametrize(("size", "theme"), LOOKS)
async def test_every_page_is_accessible(site: Site, open_page: OpenPage, axe: str, size: str, theme: str) -> None:
    for name, address in (await addresses(site)).items():
        page = await open_page(address, **screen(size, theme))
        met(page).clear()  # the statuses of pages that say something is not there
        assert await violations(page, axe) == [], name
        assert await overflow_px(page) <= 0, name


async def test_an_inaccessible_page_would_be_noticed(open_page: OpenPage, axe: str) -> None:
    page = await open_page("/")
    await page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=/favicon.ico>')")
    assert [each.partition(":")[0] for each in await violations(page, axe)] == ["image-alt"]


async def test_pages_need_no_script(site: Site, open_page: OpenPage) -> None:
    for name, address in (await addresses(site)).items():
        page = await open_page(address, java_script_enabled=False)
        met(page).clear()
        assert await page.locator("main h1").is_visible(), name


async def test_longer_words_fit_the_narrowest_screen_too(site: Site, open_page: OpenPage) -> None:
    for name, address in (await addresses(site)).items():
        page = await open_page(address, locale="de-DE", **screen("narrow"))
        met(page).clear()
        assert await overflow_px(page) <= 0, name


async def test_a_german_browser_gets_german_pages_and_scripts(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", locale="de-DE")
    assert await page.locator("h1").inner_text() == "Ein Bild teilen"
    assert await page.evaluate("globalThis.applianceMessages['Copied']") == "Kopiert"


async def test_a_text_is_copied_with_one_press_which_is_announced(site: Site, open_page: OpenPage) -> None:
    image = await site.upload(pictures.photo(64, 48))
    page = await open_page(f"/i/{image['slug']}", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy: Page link").click()
    await page.get_by_role("status").get_by_text("Page link copied").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == image["url"]
