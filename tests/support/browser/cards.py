"""Uploads on the upload page: files are chosen, and each is followed by its card."""

from typing import Any

from playwright.async_api import CDPSession, FilePayload, Locator, Page, Route

from tests.support.browser.pages import Site

SLOW_BYTES_S = 120_000


def payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


async def choose(page: Page, *files: FilePayload, by: str = "#file") -> None:
    await page.set_input_files(by, list(files))


def card(page: Page, name: str) -> Locator:
    return page.locator("#uploads > li").filter(has_text=name)


async def reaches(page: Page, name: str, phase: str) -> Locator:
    """The file's card, once it is in that phase."""
    await page.locator(f'#uploads > li[data-phase="{phase}"]').filter(has_text=name).wait_for()
    return card(page, name)


async def link_of(found: Locator) -> str:
    return await found.get_by_label("Link", exact=True).input_value()


async def slowed(page: Page, bytes_s: int = SLOW_BYTES_S) -> CDPSession:
    """A connection on which an upload takes its time; `bytes_s` -1 makes it fast."""
    session = await page.context.new_cdp_session(page)
    await slow_down(session, bytes_s)
    return session


async def slow_down(session: CDPSession, bytes_s: int) -> None:
    conditions = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_s}
    await session.send("Network.emulateNetworkConditions", conditions)


async def resource(site: Site, url: str) -> dict[str, Any]:
    async with site.session.get(url.replace("/i/", "/api/v1/images/")) as reply:
        body: dict[str, Any] = await reply.json()
        return body


async def full(route: Route) -> None:
    """A server without space answers."""
    problem = {"status": 507, "code": "out-of-space", "detail": "There is no room now."}
    await route.fulfill(status=507, content_type="application/problem+json", json=problem)
