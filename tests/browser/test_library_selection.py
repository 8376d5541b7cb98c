"""Many images in My images: selected in ranges and all at once, and the host is asked about those on screen alone."""

from playwright.async_api import Page, expect

from tests.support.browser.chromium import OpenPage
from tests.support.browser.library import with_invented
from tests.support.browser.pages import screen

SHIFTS = """globalThis.shift = 0;
new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) globalThis.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


async def selected(page: Page) -> list[int]:
    boxes = await page.locator(".image :checked").all()
    names = [str(await box.get_attribute("aria-label")) for box in boxes]
    return sorted(int(name.removeprefix("Select image-").removesuffix(".jpg")) for name in names)


async def test_a_range_is_selected_with_shift(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 9)
    await page.get_by_label("Select image-8.jpg").check()
    await page.get_by_label("Select image-5.jpg").click(modifiers=["Shift"])
    assert await selected(page) == [5, 6, 7, 8]
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowRight")
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(page.get_by_label("Select image-4.jpg")).to_be_focused()
    assert await selected(page) == [4, 5, 6, 7, 8]
    await page.get_by_text("5 selected").wait_for()


async def test_the_arrow_that_points_to_the_next_image_selects_it(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 3)
    await page.evaluate("document.documentElement.dir = 'rtl'")
    await page.get_by_label("Select image-3.jpg").focus()
    await page.keyboard.press("Shift+ArrowLeft")
    assert await selected(page) == [2, 3]
    await expect(page.get_by_label("Select image-2.jpg")).to_be_focused()


async def test_shift_and_an_arrow_select_the_line_below(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 9, **screen("narrow"))
    await page.get_by_label("Select image-9.jpg").focus()
    await page.keyboard.press("Shift+ArrowDown")
    found = await selected(page)
    assert found[-1] == 9 and len(found) > 1
    await expect(page.get_by_label(f"Select image-{found[0]}.jpg")).to_be_focused()


async def tabbed(page: Page) -> list[str]:
    """What Tab reaches in the list."""
    found: list[str] = await page.evaluate("""() => [...document.querySelectorAll("#images *")]
        .filter((each) => each.tabIndex >= 0 && each.checkVisibility())
        .map((each) => each.getAttribute("aria-label") ?? each.textContent)""")
    return found


async def test_tab_reaches_one_image_and_arrow_keys_the_others(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 9)
    assert await tabbed(page) == ["Select image-9.jpg", "image-9.jpg", "Manage: image-9.jpg", "Copy: image-9.jpg"]
    await expect(page.get_by_text("Use the arrow keys")).not_to_be_visible()
    await page.get_by_label("All", exact=True).focus()
    while "Select" not in str(await page.evaluate("document.activeElement.ariaLabel")):
        await page.keyboard.press("Tab")
    await expect(page.get_by_text("Use the arrow keys")).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator(".image", has_text="image-8.jpg").locator(".open")).to_be_focused()
    assert len(await tabbed(page)) == 4
    await page.keyboard.press("Shift+Tab")
    await expect(page.get_by_label("Select image-8.jpg")).to_be_focused()
    for key, number in {"End": 1, "ArrowRight": 1, "ArrowLeft": 2, "Home": 9}.items():
        await page.keyboard.press(key)
        await expect(page.get_by_label(f"Select image-{number}.jpg")).to_be_focused()
    await page.keyboard.press("Space")
    assert await selected(page) == [9]


async def test_the_tab_stop_moves_to_an_image_that_is_there(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 9)
    await page.get_by_label("Select image-9.jpg").focus()
    await page.get_by_label("Select image-9.jpg").check()
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Remove from list").click()
    await expect(page.locator(".image")).to_have_count(8)
    assert "Select image-8.jpg" in await tabbed(page)
    await page.get_by_role("searchbox").fill("image-3")
    await expect(page.locator(".image")).to_have_count(1)
    assert "Select image-3.jpg" in await tabbed(page)


async def test_all_means_all_and_the_list_stays_where_it_is(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 1000)
    await page.get_by_label("All", exact=True).check()
    await page.get_by_text("1000 selected").wait_for()
    await page.get_by_label("Select image-999.jpg").uncheck()
    await page.get_by_text("999 selected").wait_for()
    await page.locator(".image").nth(999).wait_for(state="attached")
    await page.get_by_label("All", exact=True).check()
    await page.get_by_label("All", exact=True).uncheck()
    last = page.locator(".image", has_text="image-20.jpg")
    await last.scroll_into_view_if_needed()
    await page.get_by_label("Select image-20.jpg", exact=True).check()
    before = await page.evaluate("scrollY")
    await page.get_by_text("More", exact=True).click()
    await page.get_by_role("button", name="Remove from list").click()
    await last.wait_for(state="detached")
    assert await page.evaluate("scrollY") > before - 400
    assert await page.locator(".image").count() == 999


async def test_the_host_is_asked_only_about_what_is_on_screen(open_page: OpenPage) -> None:
    page, asked = await with_invented(open_page, 1000)
    await page.add_init_script(SHIFTS)
    asked.clear()
    await page.reload()
    await page.locator(".image").nth(999).wait_for(state="attached")
    await page.wait_for_load_state("networkidle")
    on_screen = await page.evaluate("""() => [...document.querySelectorAll(".image")].filter((each) => {
        const { top, bottom } = each.getBoundingClientRect();
        return top < innerHeight && bottom > 0;
    }).length""")
    assert 0 < len(asked) == len(set(asked)) <= on_screen
    assert await page.evaluate("globalThis.shift") < 0.01


async def test_the_actions_stay_in_sight_on_a_phone(open_page: OpenPage) -> None:
    page, _ = await with_invented(open_page, 60, **screen("phone"))
    box = page.get_by_label("Select image-30.jpg")
    await box.scroll_into_view_if_needed()
    await box.check()
    await expect(page.get_by_text("1 selected")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="Delete", exact=True)).to_be_in_viewport()
    assert (await page.locator("#actions").bounding_box() or {"height": 999})["height"] < 844 / 4
