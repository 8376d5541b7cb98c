"""The browser's flags, and the type of the fixture that opens pages in it."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
OpenPage = Callable[..., Awaitable[Page]]
