"""A host that receives a lot of uploads: the page solves the challenge and continues by itself."""

import re
from pathlib import Path

import aiohttp
from playwright.async_api import Page, Request, Route

from tests.support.browser.cards import choose, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import met
from tests.support.images import pictures
from tests.support.invites import token_of
from tests.support.server_process import ServerProcess, serving

ALWAYS = {"APPLIANCE_LIMITS_PROOF_OF_WORK": "always", "APPLIANCE_LIMITS_PROOF_OF_WORK_COST": "1"}
CHALLENGE = "/api/v1/challenge"


async def use_slow_lane(served: ServerProcess) -> None:
    async with aiohttp.ClientSession() as session:
        status = 201
        while status == 201:
            async with session.post(f"{served.url}/api/v1/images", data=pictures.png(9, 9)) as reply:
                status = reply.status
        assert status == 428


async def guest_token(served: ServerProcess) -> str:
    """The token of a guest link to a new album."""
    async with aiohttp.ClientSession(served.url, raise_for_status=True) as session:
        image = await (await session.post("/api/v1/images", data=pictures.png(9, 9))).json()
        album = await (await session.post("/api/v1/albums", json={"images": [image["slug"]]})).json()
        owner = {"Authorization": f"Bearer {album['delete_token']}"}
        made = await session.post(f"/api/v1/albums/{album['slug']}/invites", json={}, headers=owner)
        return token_of(await made.json())


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
        await page.add_init_script("delete globalThis.Worker;")
        await page.reload()
        await close_slow_lane(page)
        await use_slow_lane(served)
        await choose(page, payload("one.jpg", pictures.photo(64, 48)))
        found = await reaches(page, "one.jpg", "offline")
        await found.locator(".state", has_text=re.compile(r"Limit reached until .+\. Resumes automatically")).wait_for()
        met(page).clear()  # the status


def creations(page: Page) -> list[Request]:
    """The requests that begin uploads, as they come."""
    found = list[Request]()
    page.on("request", lambda sent: found.append(sent) if is_creation(sent) else None)
    return found


def is_creation(sent: Request) -> bool:
    return sent.method == "POST" and sent.url.endswith("/api/v1/uploads")


def challenges(page: Page) -> list[Request]:
    """The requests for challenges, as they come."""
    found = list[Request]()
    page.on("request", lambda sent: found.append(sent) if sent.url.endswith(CHALLENGE) else None)
    return found


async def test_the_first_request_has_the_solution_of_a_challenge_that_was_fetched_ahead(
    tmp_path: Path, open_page: OpenPage
) -> None:
    async with serving(tmp_path / "data", **ALWAYS) as served:
        await use_slow_lane(served)
        page = await open_page("about:blank")
        begun = creations(page)
        async with page.expect_response(f"**{CHALLENGE}"):
            await page.goto(served.url)
        await choose(page, *(payload(f"{number}.jpg", pictures.photo(64, 48 + number)) for number in range(3)))
        for number in range(3):
            await reaches(page, f"{number}.jpg", "done")
        assert len({sent.headers["proof-of-work"] for sent in begun}) == len(begun) == 3
        assert met(page) == []  # nothing was refused


async def test_guests_solve_challenges_ahead_too(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path / "data", **ALWAYS) as served:
        token = await guest_token(served)
        await use_slow_lane(served)
        page = await open_page("about:blank")
        begun = creations(page)
        async with page.expect_response(f"**{CHALLENGE}"):
            await page.goto(f"{served.url}/c/{token}")
        await choose(page, *(payload(f"{number}.jpg", pictures.photo(64, 48 + number)) for number in range(2)))
        for number in range(2):
            await reaches(page, f"{number}.jpg", "done")
        assert len({sent.headers["proof-of-work"] for sent in begun}) == len(begun) == 2
        assert met(page) == []


async def test_a_solution_that_does_not_count_is_replaced_by_one_that_does(tmp_path: Path, open_page: OpenPage) -> None:
    """As when the server was started again meanwhile."""
    async with serving(tmp_path / "data", **ALWAYS) as served:
        await use_slow_lane(served)
        page = await open_page("about:blank")
        await close_slow_lane(page)
        begun = creations(page)

        async def forge(route: Route) -> None:
            body = await (await route.fetch()).json()
            body["challenge"]["signature"] = "0" * 64
            await route.fulfill(json=body)

        await page.route(f"**{CHALLENGE}", forge)
        await page.goto(served.url)
        await choose(page, payload("one.jpg", pictures.photo(64, 48)))
        await reaches(page, "one.jpg", "done")
        assert len({sent.headers["proof-of-work"] for sent in begun}) == len(begun) == 2
        met(page).clear()  # the status


async def test_a_solution_that_is_too_old_is_not_sent(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path / "data", **ALWAYS) as served:
        await use_slow_lane(served)
        page = await open_page("about:blank")
        await page.clock.install()
        asked = challenges(page)
        async with page.expect_response(f"**{CHALLENGE}"):
            await page.goto(served.url)
        await page.clock.fast_forward("10:00")
        async with page.expect_response(f"**{CHALLENGE}"):
            await choose(page, payload("one.jpg", pictures.photo(64, 48)))
        await page.clock.resume()
        await reaches(page, "one.jpg", "done")
        assert len(asked) >= 2
        assert met(page) == []


async def test_a_page_asks_for_nothing_while_nothing_is_hot(tmp_path: Path, open_page: OpenPage) -> None:
    async with serving(tmp_path / "data", APPLIANCE_LIMITS_MODE="on") as served:
        page = await open_page("about:blank")
        asked, begun = challenges(page), creations(page)
        await page.goto(served.url)
        await choose(page, payload("one.jpg", pictures.photo(64, 48)))
        await reaches(page, "one.jpg", "done")
        assert (asked, len(begun)) == ([], 1)
        assert "proof-of-work" not in begun[0].headers
