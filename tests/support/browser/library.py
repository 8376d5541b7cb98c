"""A browser's list of its own uploads."""

from collections.abc import Sequence
from typing import Any

from playwright.async_api import Page, Route

from tests.support.browser.cards import choose, link_of, payload, reaches
from tests.support.browser.chromium import OpenPage
from tests.support.images import pictures

NAMES = ("one.jpg", "two.jpg", "three.jpg")
STORE = """([store, entries]) => new Promise((done, failed) => {
    const opening = indexedDB.open("appliance");
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
        const change = opening.result.transaction(store, "readwrite");
        for (const entry of entries) change.objectStore(store).put(entry);
        change.oncomplete = () => done(opening.result.close());
    };
})"""


COUNT = """(store) => new Promise((done) => {
    indexedDB.open("appliance").onsuccess = ({ target: { result } }) => {
        result.transaction(store).objectStore(store).count().onsuccess = (counted) => {
            done(counted.target.result);
            result.close();
        };
    };
})"""


async def has_stored(page: Page, store: str, count: int) -> bool:
    """Whether the browser remembers so many pictures (`pictures`), or uploads to continue (`begun`)."""
    stored: int = await page.evaluate(COUNT, store)
    return stored == count


async def with_pictures(open_page: OpenPage, **options: Any) -> tuple[Page, dict[str, str]]:
    """The list of a browser that uploaded three pictures, and their links by name."""
    page = await open_page("/", **options)
    await choose(page, *(payload(name, pictures.photo(120 + at, 90)) for at, name in enumerate(NAMES)))
    links = {name: await link_of(await reaches(page, name, "done")) for name in NAMES}
    await page.goto("/images")
    await page.locator(".image").nth(2).wait_for()
    return page, links


def invented(count: int) -> list[dict[str, Any]]:
    """Entries of images that no host has, without thumbnails, from the last months: image-1.jpg is the oldest."""
    return [
        {
            "slug": f"{number:017}",
            "url": f"http://127.0.0.1/i/{number:017}",
            "filename": f"image-{number}.jpg",
            "title": None,
            "thumbnail": None,
            "delete_token": f"{number:022}",
            "uploaded_at": f"2026-{1 + number // 100 % 11:02}-{1 + number % 100 // 4:02}T07:{number % 4:02}:00.000Z",
            "expires_at": "2999-01-01T00:00:00Z",
        }
        for number in range(1, count + 1)
    ]


async def with_invented(open_page: OpenPage, count: int, **options: Any) -> tuple[Page, list[str]]:
    """The list of a browser that has stored invented entries, and the slugs of which it asks the host from now on.

    The host's answers are invented too, since it has no such images.
    """
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url.rpartition("/")[2])
        await route.fulfill(json={"title": None, "expires_at": "2999-01-01T00:00:00Z"})

    page = await open_page("/images", **options)
    await page.route("**/api/v1/images/*", answer)
    await page.locator("#empty").wait_for()
    await page.evaluate(STORE, ["pictures", invented(count)])
    await page.reload()
    await page.locator(".image" if count else "#empty").first.wait_for()
    return page, asked


async def with_uploads(open_page: OpenPage, images: Sequence[dict[str, Any]], **options: Any) -> Page:
    """The list of a browser that has uploaded these, one a minute."""
    entries = [
        invented(1)[0]
        | {key: image[key] for key in ("slug", "url", "filename", "title", "delete_token", "expires_at")}
        | {"thumbnail": image["renditions"]["thumbnail"]["url"], "uploaded_at": f"2026-11-24T07:{minute:02}:00.000Z"}
        for minute, image in enumerate(images)
    ]
    page = await open_page("/images", **options)
    await page.locator("#empty").wait_for()
    await page.evaluate(STORE, ["pictures", entries])
    await page.reload()
    await page.locator(".image").nth(len(images) - 1).wait_for()
    return page


async def tick(page: Page, *names: str) -> None:
    for name in names:
        await page.get_by_label(f"Select {name}", exact=True).check()
