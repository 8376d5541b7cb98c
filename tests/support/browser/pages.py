"""What browser tests share: the server as they know it, and an eye on what goes wrong in a page."""

import io
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from playwright.async_api import FloatRect, Page

from tests.support.waiting import until

SIZES = {"narrow": (320, 640), "phone": (390, 844), "desk": (1280, 800)}
"""The screens that every page has to fit."""
FORBID_COPYING = """() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error("forbidden"));
    document.execCommand = () => false;
}"""
"""A browser that lets no page copy."""
STYLE = """() => Promise.all([...document.querySelectorAll("link[rel=stylesheet]")].filter(link => !link.sheet).map(
    link => new Promise(end => ["load", "error"].forEach(type => link.addEventListener(type, end))),
)).then(() => {})"""
THEMES = ("light", "dark")
LOOKS = [
    pytest.param(size, theme, id=f"{size}-{theme}", marks=[pytest.mark.long] * ((size == "phone") != (theme == "dark")))
    for size in SIZES
    for theme in THEMES
]
"""Each screen in both themes: for every run one of them, and the others for the long tests."""


@dataclass
class Site:
    """A running server, and uploads to it by API."""

    url: str
    session: aiohttp.ClientSession

    async def upload(self, data: bytes, filename: str = "photo.jpg", **fields: str) -> dict[str, Any]:
        """An accepted upload's resource."""
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename=filename, content_type="application/octet-stream")
        for name, value in fields.items():
            form.add_field(name, value)
        async with self.session.post(f"{self.url}/api/v1/images", data=form) as reply:
            assert reply.status == 201, await reply.text()
            resource: dict[str, Any] = await reply.json()
            return resource

    async def delete(self, image: dict[str, Any]) -> None:
        """Move the image to the bin."""
        address = f"{self.url}/api/v1/images/{image['slug']}?bin=true"
        async with self.session.delete(address, headers={"Authorization": f"Bearer {image['delete_token']}"}) as reply:
            assert reply.status == 200, await reply.text()


@dataclass
class Watched:
    """A page, and what went wrong in it. A test that provokes a fault clears the list after it looked."""

    page: Page
    met: list[str] = field(default_factory=list)


def watched(page: Page) -> Watched:
    eye = Watched(page)
    page.on("pageerror", lambda error: eye.met.append(f"{page.url}: {error}"))
    page.on("console", lambda said: eye.met.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.met = eye.met  # type: ignore[attr-defined]
    return eye


def met(page: Page) -> list[str]:
    """What went wrong in a page so far; the list is the one that is looked at in the end."""
    found: list[str] = page.met  # type: ignore[attr-defined]
    return found


async def leave(page: Page) -> None:
    """Close the page and forget what it met, where that may be said late: a closed page says no more."""
    await page.close()
    met(page).clear()


def screen(size: str, theme: str = "light") -> dict[str, Any]:
    """Options of a page for one of the screens."""
    width, height = SIZES[size]
    touch = size != "desk"
    return {
        "viewport": {"width": width, "height": height},
        "color_scheme": theme,
        "has_touch": touch,
        "is_mobile": touch,
        "device_scale_factor": 2 if touch else 1,
    }


async def styled(page: Page) -> None:
    """Wait for the page's style sheets: a page that is measured before them has no layout yet."""
    await page.evaluate(STYLE)


async def overflow_px(page: Page) -> int:
    """How far the page is wider than its screen."""
    await styled(page)
    wider: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


async def copied(page: Page, press: Awaitable[None]) -> str:
    """What a press copies: the clipboard has it a moment after the press. The page has to have the permissions."""
    await page.evaluate("navigator.clipboard.writeText('')")
    await press
    found = [""]

    async def has_text() -> bool:
        found.append(str(await page.evaluate("navigator.clipboard.readText()")))
        return found[-1] != ""

    await until(has_text, "a text that was copied")
    return found[-1]


async def box_of(page: Page, selector: str) -> FloatRect:
    await styled(page)
    box = await page.locator(selector).bounding_box()
    assert box is not None
    return box
