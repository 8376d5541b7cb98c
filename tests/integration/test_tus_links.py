"""A link from the first byte: what it shows while the picture is on its way, and how it becomes the picture."""

import asyncio

import pytest

from tests.conftest import Host, problem
from tests.resuming import Tus


@pytest.fixture
def tus(host: Host) -> Tus:
    return Tus(host)


async def test_the_link_shows_how_far_the_upload_is(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg), filename="cat.jpg", title="My cat")
    await tus.patch(where, 0, jpeg[:50_000])
    image = (await tus.state(where))["image"]
    assert image["state"] == "receiving"
    assert image["url"].endswith(f"/i/{image['slug']}")
    page = await tus.host.get(f"/i/{image['slug']}", Accept="text/html")
    text = await page.text()
    assert page.status == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert "My cat" in text
    assert f'<progress id="arriving" value="50000" max="{len(jpeg)}">' in text
    assert 'http-equiv="refresh"' in text
    assert where not in text


async def test_an_upload_of_unknown_length_has_a_page_too(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(None)
    await tus.patch(where, 0, jpeg[:50_000])
    page = await tus.host.get(f"/i/{await tus.slug(where)}", Accept="text/html")
    assert '<progress id="arriving"></progress>' in await page.text()


async def test_sizes_and_the_original_say_that_they_are_not_here_yet(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    slug = await tus.slug(where)
    for path in ("medium.jpg", "medium", "original"):
        response = await tus.host.get(f"/i/{slug}/{path}")
        await problem(response, "not-here-yet")
        assert response.headers["Retry-After"] == "2"
    await tus.patch(where, 0, jpeg)
    for path in ("medium.jpg", "medium", "original", ""):
        assert (await tus.host.get(f"/i/{slug}/{path}".rstrip("/"))).status == 200


async def test_a_preview_waits_for_the_picture(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    slug = await tus.slug(where)
    page = await (await tus.host.get(f"/i/{slug}", Accept="text/html")).text()
    assert f"/i/{slug}/medium.jpg?wait" in page
    waiting = asyncio.create_task(tus.host.get(f"/i/{slug}/medium.jpg?wait"))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await tus.patch(where, 0, jpeg)
    response = await waiting
    assert (response.status, response.content_type) == (200, "image/jpeg")


async def test_the_link_of_a_refused_upload_says_that_nothing_will_come(tus: Tus) -> None:
    where = await tus.create(5)
    slug = await tus.slug(where)
    await problem(await tus.patch(where, 0, b"words"), "not-an-image")
    assert (await tus.host.get(f"/i/{slug}", Accept="text/html")).status == 410
    await problem(await tus.host.get(f"/i/{slug}/medium.jpg"), "gone")


async def test_a_link_that_nobody_was_given_is_unknown_all_the_same(host: Host) -> None:
    await problem(await host.get("/i/0000aaaaaaaaaaaaa/medium.jpg"), "not-found")
    await problem(await host.get("/i/0000aaaaaaaaaaaaa"), "not-found")
