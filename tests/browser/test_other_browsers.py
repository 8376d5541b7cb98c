"""The pages in Firefox and WebKit: one way through all of them, and the German ones."""

from pathlib import Path

import pytest

from tests.support.browser.firefox import firefox
from tests.support.browser.pages import Site
from tests.support.browser.visitor import Browser, Visitor
from tests.support.browser.webkit import webkit
from tests.support.images import pictures

NAMES = ("one.jpg", "two.jpg")
DONE = "#uploads > li[data-phase=done]"


async def uploads(visitor: Visitor, folder: Path) -> None:
    files = [folder / name for name in NAMES]
    for number, file in enumerate(files):
        file.write_bytes(pictures.photo(1200, 800, seed=number))
    await visitor.open("/")
    await visitor.browser.choose("#file", files)
    await visitor.sees(DONE, count=2)


async def zooms(visitor: Visitor) -> None:
    await visitor.sees("#summary progress", count=0)  # the cards have moved to their place
    await visitor.press("Open", ".upload a")
    await visitor.press(selector="#shown")
    await visitor.sees("dialog [role=application]:focus")
    await visitor.key("Escape")
    await visitor.sees("dialog", count=0)


async def deletes_and_restores(visitor: Visitor) -> None:
    await visitor.open("/images")
    await visitor.sees(".image", count=2)
    await visitor.press("Select one.jpg")
    await visitor.press("Delete", "button")
    await visitor.sees("[role=status]", "1 image moved to the bin.")
    await visitor.press("Bin")
    await visitor.press("Restore: one.jpg")
    await visitor.sees("[role=status]", "1 image restored.")
    await visitor.press("Images 2")
    await visitor.sees(".image", count=2)


async def browses_an_album(visitor: Visitor) -> None:
    await visitor.press("All", "input")
    await visitor.press("Create an album")
    await visitor.press("Open", "a")
    await visitor.press(".jpg", "main li img")
    await visitor.sees(".pager .muted", "1 of 2")
    await visitor.key("ArrowRight")
    await visitor.sees(".pager .muted", "2 of 2")
    await visitor.press("Previous")
    await visitor.sees(".pager .muted", "1 of 2")


async def goes_through_all_pages(browser: Browser, site: Site, folder: Path) -> None:
    visitor = Visitor(browser, site.url)
    await uploads(visitor, folder)
    await zooms(visitor)
    await deletes_and_restores(visitor)
    await browses_an_album(visitor)
    assert await browser.faults() == []


async def is_refused_in_german(browser: Browser, site: Site, folder: Path) -> None:
    file = folder / "cat.bmp"
    file.write_bytes(b"BM" + bytes(500))
    visitor = Visitor(browser, site.url)
    await visitor.open("/")
    await visitor.sees("h1", "Ein Bild teilen")
    await browser.choose("#file", [file])
    await visitor.sees("#uploads .state", "BMP wird nicht unterstützt")
    assert await browser.faults() == []


async def test_all_pages_work_in_firefox(site: Site, tmp_path: Path) -> None:
    async with firefox(tmp_path, "en-GB") as browser:
        await goes_through_all_pages(browser, site, tmp_path)


async def test_firefox_shows_german_pages(site: Site, tmp_path: Path) -> None:
    async with firefox(tmp_path, "de") as browser:
        await is_refused_in_german(browser, site, tmp_path)


@pytest.mark.long
async def test_all_pages_work_in_webkit(site: Site, tmp_path: Path) -> None:
    async with webkit(tmp_path, "en_GB") as browser:
        await goes_through_all_pages(browser, site, tmp_path)


@pytest.mark.long
async def test_webkit_shows_german_pages(site: Site, tmp_path: Path) -> None:
    async with webkit(tmp_path, "de_DE") as browser:
        await is_refused_in_german(browser, site, tmp_path)
