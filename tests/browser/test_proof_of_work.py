"""A host that receives a lot of uploads: the page solves the challenge and continues by itself."""

import re
from pathlib import Path

import aiohttp
from playwright.async_api import Page, Route

from tests.support.browser.cards import choose, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import met
from tests.support.images import pictures
from tests.support.server_process import ServerProcess, serving

ALWAYS = {"APPLIANCE_LIMITS_PROOF_OF_WORK": "always", "APPLIANCE_LIMITS_PROOF_OF_WORK_COST": "1"}


async def use_slow_lane(served: ServerProcess) -> None:
    async with aiohttp.ClientSession() as session:
        status = 201
        while status == 201:
            async with session.post(f"{served.url}/api/v1/images", data=pictures.png(9, 9)) as reply:
                status = reply.status
        assert status == 428


async def close_slow_lane(page: Page) -> None:
    """The page learns that it is long until the slow lane lets it in."""

    async def answer(route: Route) -> None:
        reply = await route.fetch()
        headers = reply.headers | ({"retry-after": "600"} if reply.status == 428 else {})
        await route.fulfill(response=reply, headers=headers)

    await page.route("**/api/v1/uploads", answer)


async def test_the_page_solves_the_challenge_of_each_file_and_uploads_it(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path / "data", **ALWAYS) as served:
        page = await open_page(served.url)
        await close_slow_lane(page)
        await use_slow_lane(served)
        await choose(page, *(payload(f"{number}.jpg", pictures.photo(64, 48 + number)) for number in range(3)))
        for number in range(3):
            await reaches(page, f"{number}.jpg", "done")
        met(page).clear()  # the statuses


async def test_a_page_that_cannot_solve_it_waits_for_the_slow_lane(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path / "data", **ALWAYS) as served:
        page = await open_page(served.url)
        await page.evaluate("() => { delete globalThis.Worker; }")
        await close_slow_lane(page)
        await use_slow_lane(served)
        await choose(page, payload("one.jpg", pictures.photo(64, 48)))
        found = await reaches(page, "one.jpg", "offline")
        await found.locator(".state", has_text=re.compile(r"Limit reached until .+\. Resumes automatically")).wait_for()
        met(page).clear()  # the status
