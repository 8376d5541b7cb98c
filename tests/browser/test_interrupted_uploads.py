"""Uploads that meet a bad connection, a reload or a closed page: each continues where it stopped."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, full, link_of, payload, reaches, resource, slow_down, slowed
from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import has_stored
from tests.support.browser.pages import THEMES, Site, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.relay import Relay
from tests.support.waiting import until


async def test_an_upload_waits_for_a_lost_connection(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    session = await slowed(page)
    data = pictures.camera_photo()
    await choose(page, payload("slow.jpg", data))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    await found.get_by_role("button", name="Pause").click()
    await page.route("**/api/v1/uploads/*", lambda route: route.abort("internetdisconnected"))
    await found.get_by_role("button", name="Resume").click()
    await reaches(page, "slow.jpg", "offline")
    assert "Waiting for connection" in await found.locator(".state").inner_text()
    await page.unroute_all()
    await slow_down(session, -1)
    await reaches(page, "slow.jpg", "done")
    assert (await resource(site, await link_of(found)))["bytes"] == len(data)
    met(page).clear()  # the console tells of each request that failed


async def test_a_file_that_was_changed_meanwhile_fails_and_says_so(open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "edited.jpg"
    file.write_bytes(pictures.camera_photo())
    page = await open_page("/")
    await slowed(page)
    await page.set_input_files("#file", file)
    found = await reaches(page, "edited.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    await found.get_by_role("button", name="Pause").click()
    file.write_bytes(pictures.camera_photo() + bytes(1000))
    await found.get_by_role("button", name="Resume").click()
    failed = await reaches(page, "edited.jpg", "failed")
    assert "edited.jpg can’t be read." in await failed.locator(".state").inner_text()
    await failed.get_by_role("button", name="Cancel").click()
    await page.get_by_text("Upload cancelled. Its link no longer works.").wait_for()
    met(page).clear()  # the request that failed


async def _cut_deletions(route: Route) -> None:
    await (route.abort() if route.request.method == "DELETE" else route.continue_())


async def test_a_cancellation_of_which_the_server_knows_nothing_promises_nothing(open_page: OpenPage) -> None:
    page = await open_page("/")
    await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    await page.route("**/api/v1/uploads/*", _cut_deletions)
    await found.get_by_role("button", name="Cancel").click()
    await page.get_by_text("Upload cancelled.", exact=True).wait_for()
    met(page).clear()  # the requests that failed


async def test_an_upload_survives_cut_connections(site: Site, open_page: OpenPage) -> None:
    data = pictures.camera_photo()
    relay = Relay(int(site.url.rpartition(":")[2]), seed=5, share=1.0, least=60_000, most=300_000)
    async with relay.listening() as url:
        page = await open_page(url)
        await choose(page, payload("cut.jpg", data))
        found = await reaches(page, "cut.jpg", "done")
        assert relay.cut >= 2
        assert (await resource(site, await link_of(found)))["bytes"] == len(data)
        await page.close()
    met(page).clear()  # the console tells of each request that failed


async def test_an_upload_resumes_by_itself_after_a_reload(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    session = await slowed(page)
    data = pictures.camera_photo()
    await choose(page, payload("slow.jpg", data))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    link = await link_of(found)
    await until(lambda: has_stored(page, "begun", 1), "the browser has stored the file")
    await page.wait_for_timeout(1500)
    await page.reload()
    await slow_down(session, -1)
    again = await reaches(page, "slow.jpg", "done")
    assert await link_of(again) == link
    assert (await resource(site, link))["bytes"] == len(data)
    await page.reload()
    assert await page.locator("#uploads > li").count() == 0


async def test_queued_files_survive_a_reload(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    session = await slowed(page)
    names = [f"{number}.jpg" for number in range(6)]
    await choose(page, *(payload(name, pictures.camera_photo()) for name in names))
    await reaches(page, "5.jpg", "waiting")
    await until(lambda: has_stored(page, "begun", len(names)), "the browser has stored the files")
    await page.wait_for_timeout(1500)
    await page.reload()
    await slow_down(session, -1)
    for name in names:
        await reaches(page, name, "done")


async def test_files_resume_in_the_order_in_which_they_were_chosen(open_page: OpenPage) -> None:
    names = [f"{number}.jpg" for number in range(8)]
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    session = await slowed(page, 1000)
    await choose(page, *(payload(name, pictures.photo(300, 200)) for name in names))
    await until(lambda: has_stored(page, "begun", len(names)), "the browser has stored the files")
    await page.reload()
    await slow_down(session, -1)
    for name in names:
        await reaches(page, name, "done")
    assert await page.locator("#uploads .name").all_inner_texts() == names
    await page.get_by_role("button", name="Create an album").click()
    await page.wait_for_url("**/created*")
    await page.get_by_role("link", name="Manage this album").click()
    await expect(page.locator(".sortable .caption")).to_have_text(names)


async def test_a_page_closed_after_the_last_byte_loses_nothing(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    await page.route(re.compile(r"/api/v1/uploads/[\w-]+$"), no_news)
    await choose(page, payload("last.jpg", pictures.photo(64, 48)))
    await reaches(page, "last.jpg", "processing")
    await page.get_by_text(
        "All data has been sent, but the connection was lost. The upload finishes when you’re back online."
    ).wait_for()
    await page.unroute_all()
    await page.reload()
    await page.wait_for_function("async () => (await indexedDB.databases()).length > 0")
    await page.wait_for_timeout(500)
    await page.goto("/images")
    await page.locator(".image .name", has_text="last.jpg").wait_for()
    met(page).clear()


async def no_news(route: Route) -> None:
    """Nobody is told the upload's state; all else passes."""
    await (route.abort() if route.request.method == "GET" else route.continue_())


async def test_an_upload_that_is_gone_says_so(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.route(re.compile(r"/api/v1/uploads/[\w-]+$"), gone)
    await choose(page, payload("gone.jpg", pictures.photo(64, 48)))
    await reaches(page, "gone.jpg", "gone")
    met(page).clear()  # the statuses


async def gone(route: Route) -> None:
    await (route.fulfill(status=410, body="{}") if route.request.method == "GET" else route.continue_())


async def test_a_file_too_large_to_be_stored_has_to_be_chosen_again(
    site: Site, open_page: OpenPage, tmp_path: Path
) -> None:
    large = tmp_path / "large.jpg"
    large.write_bytes(pictures.camera_photo() + bytes(70_000_000))  # what follows the picture does not matter to it
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    session = await slowed(page, 8_000_000)
    await page.set_input_files("#file", large)
    found = await reaches(page, "large.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    link = await link_of(found)
    await page.wait_for_timeout(1500)
    await page.reload()
    question = page.locator("#interrupted > div")
    await question.get_by_text("uploaded. Choose the file again to resume.").wait_for()
    other = payload("other.jpg", pictures.photo(64, 48))
    await question.locator("input[type=file]").set_input_files([other])
    await page.get_by_role("status").get_by_text("That’s a different file").wait_for()
    await slow_down(session, -1)
    await question.locator("input[type=file]").set_input_files(large)
    again = await reaches(page, "large.jpg", "done")
    assert await link_of(again) == link
    assert await question.count() == 0
    assert await page.evaluate("document.activeElement !== document.body")


async def test_an_upload_without_disk_space_can_be_retried(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.route("**/api/v1/uploads", full)
    await choose(page, payload("full.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "full.jpg", "failed")
    await found.locator(".state.problem", has_text="no room").wait_for()
    await page.unroute_all()
    await found.get_by_role("button", name="Try again").click()
    await reaches(page, "full.jpg", "done")
    assert (await resource(site, await link_of(found)))["state"] == "ready"
    met(page).clear()  # the status


async def test_an_upload_that_waits_for_space_says_so_and_continues_by_itself(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/")
    parts = re.compile(r"/api/v1/uploads/[\w-]+$")

    async def pausing(route: Route) -> None:
        if route.request.method != "PATCH":
            return await route.continue_()
        problem = {"status": 423, "code": "upload-paused", "detail": "There is no room for more."}
        return await route.fulfill(status=423, content_type="application/problem+json", json=problem)

    await page.route(parts, pausing)
    await choose(page, payload("waits.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "waits.jpg", "offline")
    await found.locator(".state", has_text="Waiting for space on the server").wait_for()
    await page.unroute_all()
    await reaches(page, "waits.jpg", "done")
    assert (await resource(site, await link_of(found)))["state"] == "ready"
    met(page).clear()  # the status


async def test_my_images_mention_unfinished_uploads(open_page: OpenPage) -> None:
    page = await open_page("/")
    page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
    session = await slowed(page)
    await choose(page, payload("slow.jpg", pictures.camera_photo()))
    found = await reaches(page, "slow.jpg", "sending")
    await found.locator(".link:not([hidden])").wait_for()
    await until(lambda: has_stored(page, "begun", 1), "the browser has stored the file")
    await page.wait_for_timeout(1500)
    await page.goto("/images")
    await page.get_by_text("1 upload isn’t finished.").wait_for()
    await slow_down(session, -1)
    await page.get_by_role("link", name="Continue").click()
    await reaches(page, "slow.jpg", "done")
    await page.goto("/images")
    await page.locator(".image .name", has_text="slow.jpg").wait_for()
    assert await page.locator("#unfinished").is_hidden()


@pytest.mark.parametrize("theme", THEMES)
async def test_every_failure_of_a_card_is_accessible(open_page: OpenPage, axe: str, theme: str) -> None:
    page = await open_page("/", **screen("narrow", theme))
    begins, state = "**/api/v1/uploads", re.compile(r"/api/v1/uploads/[\w-]+$")
    await meets(page, begins, full, "failed")
    await page.unroute_all()
    await meets(page, state, gone, "gone")
    await page.unroute_all()
    await meets(page, state, no_news, "processing")
    await meets(page, begins, no_connection, "offline")
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    met(page).clear()  # the statuses


async def meets(page: Page, address: Any, answer: Any, phase: str) -> None:
    """From now on requests to that address are answered so, which brings a new file's card into that phase."""
    await page.route(address, answer)
    await choose(page, payload(f"{phase}.jpg", pictures.photo(64, 48)))
    await reaches(page, f"{phase}.jpg", phase)


async def no_connection(route: Route) -> None:
    await route.abort("internetdisconnected")
