"""Images that the server was too busy to make appear by themselves, and the page says so meanwhile."""

from typing import Any

from playwright.async_api import Route

from tests.support.browser.chromium import OpenPage


async def test_an_image_that_the_server_was_too_busy_for_appears_by_itself(
    image: dict[str, Any], open_page: OpenPage
) -> None:
    refused: list[str] = []

    async def busy_twice(route: Route) -> None:
        if len(refused) == 2:
            await route.continue_()
            return
        refused.append(route.request.method)
        await route.fulfill(status=503, headers={"Retry-After": "1"})

    page = await open_page()
    await page.route(f"**/i/{image['slug']}/*.*", busy_twice)
    await page.goto(f"/i/{image['slug']}")
    await page.get_by_text("The server is busy. The image appears by itself in a moment.").wait_for()
    await page.wait_for_function("() => document.querySelector('#shown').naturalWidth > 0")
    assert refused == ["GET", "HEAD"]
    page.met.clear()  # type: ignore[attr-defined]  # the requests that were refused
