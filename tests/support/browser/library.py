"""A browser's list of its own uploads."""

from typing import Any

from playwright.async_api import Page

from tests.support.browser.cards import choose, link_of, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.images import pictures

NAMES = ("one.jpg", "two.jpg", "three.jpg")


async def with_pictures(open_page: OpenPage, **options: Any) -> tuple[Page, dict[str, str]]:
    """The list of a browser that uploaded three pictures, and their links by name."""
    page = await open_page("/", **options)
    await choose(page, *(payload(name, pictures.photo(120 + at, 90)) for at, name in enumerate(NAMES)))
    links = {name: await link_of(await reaches(page, name, "done")) for name in NAMES}
    await page.goto("/images")
    await page.locator(".image").nth(2).wait_for()
    return page, links
