"""A real browser before a real server: Debian's chromium, driven by Playwright's async API on one loop for all tests.

The server is a process of its own, since the browser must reach it whatever loop a fixture was made on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.support.browser.accessibility import axe_source
from tests.support.browser.chromium import CHROMIUM_FLAGS, OpenPage
from tests.support.browser.pages import Site, watched
from tests.support.images import pictures
from tests.support.programs import chromium_program
from tests.support.server_process import serving

CLOSING_S = 30.0

expect.set_options(timeout=30_000)  # as long as locators wait: five seconds are short on a busy machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives on the session's loop, and so do the tests that use it."""
    for item in items:
        if "/tests/browser/" in item.path.as_posix() and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    program = chromium_program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One server for all tests that leave its settings alone."""
    folder = tmp_path_factory.mktemp("site")
    async with serving(folder / "data") as served, aiohttp.ClientSession() as session:
        yield Site(served.url, session)


@pytest_asyncio.fixture(loop_scope="session")
async def image(site: Site) -> dict[str, Any]:
    """The resource of a picture of 1600 x 1200 pixels with a title and a description."""
    return await site.upload(pictures.photo(1600, 1200), "cat.jpg", title="Cat", alt="A cat on a mat")


async def close(context: BrowserContext) -> None:
    """Close it, or leave it to the end of the browser: Chromium has been seen to keep one while its page reloads."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSING_S):
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, site: Site) -> AsyncIterator[OpenPage]:
    """Opens pages, each in a context of its own with Playwright's options (viewport, color_scheme, locale, …).

    Addresses may be paths. At the end no page may have met a script error, a message of the console at the level of
    errors, or a breach of the content policy; what a test expects of these it takes out of `page.met`.
    """
    async with AsyncExitStack() as stack:
        pages = []

        async def open_(address: str = "about:blank", **options: Any) -> Page:
            context = await browser.new_context(base_url=site.url, **({"locale": "en-GB"} | options))
            stack.push_async_callback(close, context)
            page = await context.new_page()
            pages.append(watched(page))
            await page.goto(address)
            return page

        yield open_
        assert [met for each in pages for met in each.met] == []


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script; may skip the test (see `require`)."""
    return axe_source()
