"""Browsing an album: by keys, links and fingers, and as a slideshow."""

from playwright.async_api import expect

from tests.support.browser.albums import album_of
from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met, screen


async def test_arrow_keys_and_links_lead_through_the_album_in_one_history_entry(
    site: Site, open_page: OpenPage
) -> None:
    album = await album_of(site, 3)
    base, slugs = f"/a/{album['slug']}", [image["slug"] for image in album["images"]]
    page = await open_page(base)
    await page.get_by_role("link", name="one.jpg").click()
    await page.get_by_text("1 of 3").wait_for()
    length = await page.evaluate("history.length")
    await page.keyboard.press("ArrowRight")
    await page.get_by_text("2 of 3").first.wait_for()
    assert page.url.endswith(f"{base}/{slugs[1]}")
    assert await page.title() == "two.jpg · A weekend · Image host"
    assert slugs[1] in str(await page.locator("#shown").get_attribute("src"))
    await page.get_by_role("link", name="Next").click()
    await page.get_by_role("status").get_by_text("three.jpg, 3 of 3").wait_for()
    assert await page.evaluate("document.activeElement.textContent") == "Previous"
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("ArrowLeft")
    await page.get_by_text("2 of 3").first.wait_for()
    assert await page.evaluate("history.length") == length
    await page.keyboard.press("Escape")
    await page.wait_for_url(f"**{base}")
    assert await page.evaluate("document.activeElement.closest('li').id") == slugs[1]
    assert await page.evaluate("history.length") == length


async def test_the_next_image_is_there_before_it_is_asked_for(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    second = album["images"][1]["slug"]
    page = await open_page()
    async with page.expect_response(lambda reply: f"/i/{second}/" in reply.url):
        await page.goto(f"/a/{album['slug']}/{album['images'][0]['slug']}")
    await page.wait_for_load_state("networkidle")
    await page.context.set_offline(True)
    await page.keyboard.press("ArrowRight")
    await page.get_by_text("2 of 3").first.wait_for()
    await page.wait_for_function("document.querySelector('#shown').naturalWidth > 0")
    met(page).clear()  # the image after that can't be loaded


async def test_a_finger_leads_through_the_album(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 2)
    page = await open_page(f"/a/{album['slug']}/{album['images'][0]['slug']}", **screen("phone"))
    await page.get_by_text("1 of 2").wait_for()
    box = await page.locator("figure").bounding_box()
    assert box is not None
    touch, y = await page.context.new_cdp_session(page), box["y"] + box["height"] / 2

    async def draw(start: int, end: int) -> None:
        await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": start, "y": y}]})
        for step in range(1, 6):
            point = {"x": start + (end - start) * step / 5, "y": y}
            await touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    await draw(300, 60)
    await page.get_by_text("2 of 2").first.wait_for()
    await draw(60, 300)
    await page.get_by_text("1 of 2").first.wait_for()
    assert page.url.endswith(album["images"][0]["slug"])


async def test_the_slideshow_goes_to_the_last_image_and_stops(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page()
    await page.clock.install()
    await page.goto(f"/a/{album['slug']}")
    await page.get_by_role("link", name="Slideshow").click()
    starts, stops = (page.get_by_role("button", name=name, exact=True) for name in ("Slideshow", "Stop slideshow"))
    await expect(stops).to_be_focused()
    for place in ("2 of 3", "3 of 3"):
        await page.clock.run_for(5100)
        await page.get_by_text(place).first.wait_for()
    await expect(stops).to_be_focused()
    await page.clock.run_for(5100)
    await expect(starts).to_be_focused()
    await page.get_by_role("link", name="Previous").click()
    await starts.press("Space")
    await stops.press("Space")
    await starts.click()
    await expect(stops).to_be_visible()
    await page.keyboard.press("ArrowLeft")
    await expect(starts).to_be_visible()


async def test_without_a_connection_the_image_stays(site: Site, open_page: OpenPage) -> None:
    album = await album_of(site, 3)
    page = await open_page(f"/a/{album['slug']}/{album['images'][0]['slug']}")
    await page.wait_for_load_state("networkidle")
    await page.context.set_offline(True)
    await page.keyboard.press("ArrowRight")
    await page.get_by_text("2 of 3").first.wait_for()
    await page.keyboard.press("ArrowRight")
    await page.get_by_text("The server can’t be reached.").wait_for()
    await page.context.set_offline(False)
    await page.keyboard.press("ArrowRight")
    await page.get_by_text("3 of 3").first.wait_for()
    met(page).clear()  # the requests that failed
