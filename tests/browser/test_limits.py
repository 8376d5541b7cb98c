"""What people see at a limit: a page that counts down and continues, and uploads that resume by themselves."""

import re

from playwright.async_api import Route

from appliance.domain.errors import RateLimited
from appliance.http.pages.localized_pages import LocalizedPages
from tests.support.browser.accessibility import violations
from tests.support.browser.cards import choose, link_of, payload, reaches, resource
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, overflow_px, screen
from tests.support.images import pictures
from tests.support.rendered_page import CONFIG


async def test_a_page_that_was_asked_for_too_often_counts_down_and_continues(open_page: OpenPage, axe: str) -> None:
    refusal = RateLimited("That was too much.", retry_after_s=600)
    refused = LocalizedPages(CONFIG).site.error_page(429, refusal, "r-1", continues=True)
    page = await open_page("about:blank", **screen("narrow"))
    await page.clock.install()
    await page.route("**/images", lambda route: route.fulfill(status=429, content_type="text/html", body=refused))
    await page.goto("/images")
    await page.get_by_role("timer").get_by_text("This page continues automatically in 10 min").wait_for()
    assert await violations(page, axe) == []
    assert await overflow_px(page) <= 0
    await page.unroute_all()
    await page.clock.run_for(601_000)
    await page.get_by_role("heading", name="My images").wait_for()
    met(page).clear()  # the status


async def test_an_upload_over_a_limit_says_when_it_resumes_and_does(site: Site, open_page: OpenPage) -> None:
    page = await open_page("/", locale="de-DE")

    async def limited(route: Route) -> None:
        if route.request.method != "PATCH":
            return await route.continue_()
        problem = {"status": 429, "code": "rate-limited", "policy": "key-uploads", "limit": 3000, "retry_after_s": 2}
        return await route.fulfill(
            status=429, content_type="application/problem+json", headers={"Retry-After": "2"}, json=problem
        )

    await page.route(re.compile(r"/api/v1/uploads/[\w-]+$"), limited)
    await choose(page, payload("many.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "many.jpg", "offline")
    said = (
        r"pro Minute 3.000 Uploads mit einem Zugangsschlüssel, .* Weiter geht es ab [\d:]+\. Geht automatisch weiter,"
    )
    await found.get_by_text(re.compile(said)).wait_for()
    await page.unroute_all()
    await reaches(page, "many.jpg", "done")
    assert (await resource(site, await link_of(found)))["state"] == "ready"
    met(page).clear()  # the statuses


async def test_an_english_page_says_what_the_api_tells_programmers_in_words_for_people(open_page: OpenPage) -> None:
    page = await open_page("/", timezone_id="Europe/Berlin")
    problem = {"status": 403, "code": "banned", "detail": "Banned until 02:35Z.", "until": "2026-12-01T02:35:00Z"}
    await page.route(
        "**/api/v1/uploads",
        lambda route: route.fulfill(status=403, content_type="application/problem+json", json=problem),
    )
    await choose(page, payload("cat.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "cat.jpg", "refused")
    await found.get_by_text("Your network or access key is banned until 1 December 2026 at 03:35.").wait_for()
    met(page).clear()  # the status


async def test_an_upload_without_a_proof_of_work_says_when_it_resumes_and_does(open_page: OpenPage) -> None:
    """As in a browser that can solve no challenge, because the page isn't on https."""
    page = await open_page("/")

    async def asked(route: Route) -> None:
        problem = {"status": 428, "code": "proof-required", "detail": "Solve the challenge."}
        await route.fulfill(
            status=428, content_type="application/problem+json", headers={"Retry-After": "2"}, json=problem
        )

    await page.route("**/api/v1/uploads", asked)
    await choose(page, payload("many.jpg", pictures.photo(64, 48)))
    found = await reaches(page, "many.jpg", "offline")
    await found.locator(".state", has_text=re.compile(r"Limit reached until .*\. Resumes automatically,")).wait_for()
    await page.unroute_all()
    await reaches(page, "many.jpg", "done")
    met(page).clear()  # the statuses
