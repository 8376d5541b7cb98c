"""A link from the first byte: what it shows while the picture is on its way, and how it becomes the picture."""

import asyncio
import re

import pytest

from tests.support.host import DAY_S, Host, problem
from tests.support.tus_client import Tus


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
    assert re.search(f'<progress id="pending" [^>]* value="50000" max="{len(jpeg)}">', text)
    assert f'data-events="/api/v1/images/{image["slug"]}/events"' in text
    assert '<noscript><meta http-equiv="refresh" content="2"></noscript>' in text  # scripts are told as it comes
    assert where not in text


async def test_the_image_resource_says_that_it_is_being_received(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg), filename="cat.jpg", title="My cat")
    await tus.patch(where, 0, jpeg[:50_000])
    slug = await tus.slug(where)
    response = await tus.host.get(f"/api/v1/images/{slug}")
    image = await response.json()
    assert (response.status, response.headers["Cache-Control"]) == (200, "no-store")
    assert (image["slug"], image["state"], image["title"]) == (slug, "receiving", "My cat")
    assert (image["offset"], image["length"]) == (50_000, len(jpeg))
    assert image["url"].endswith(f"/i/{slug}")
    assert "delete_token" not in image
    await tus.patch(where, 50_000, jpeg[50_000:])
    image = await (await tus.host.get(f"/api/v1/images/{slug}")).json()
    assert (image["state"], image["bytes"]) == ("ready", len(jpeg))


async def test_the_token_deletes_what_is_still_arriving(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:50_000])
    image = (await tus.state(where))["image"]
    slug, token = image["slug"], image["delete_token"]
    await problem(await tus.host.delete(slug, None), "token-required")
    await problem(await tus.host.delete(slug, "x" * 22), "token-wrong")
    await problem(await tus.host.patch(slug, token, title="Soon"), "not-here-yet")
    assert (await tus.host.delete(slug, token)).status == 204
    await problem(await tus.host.get(f"/api/v1/images/{slug}"), "gone")
    await problem(await tus.patch(where, 50_000, jpeg[50_000:]), "upload-gone")
    assert tus.host.files("spool/uploads") == []
    await problem(await tus.host.delete("0000aaaaaaaaaaaaa", token), "not-found")


@pytest.mark.parametrize("given_up", [False, True], ids=["before the job", "after the job"])
async def test_the_link_of_an_abandoned_upload_says_so(tus: Tus, jpeg: bytes, given_up: bool) -> None:
    where = await tus.create(len(jpeg))
    await tus.patch(where, 0, jpeg[:1000])
    slug = await tus.slug(where)
    tus.host.clock.forward(DAY_S)
    if given_up:
        assert await tus.host.appliance.upload_janitor.run() == 1
    page = await tus.host.get(f"/i/{slug}", Accept="text/html")
    assert page.status == 410
    assert "The upload was never completed" in await page.text()
    for path in (f"/api/v1/images/{slug}", f"/api/v1/images/{slug}/events", f"/i/{slug}/medium.jpg", f"/i/{slug}"):
        told = await problem(await tus.host.get(path), "gone")
        assert "never completely uploaded" in told["detail"]


async def test_an_upload_of_unknown_length_has_a_page_too(tus: Tus, jpeg: bytes) -> None:
    where = await tus.create(None)
    await tus.patch(where, 0, jpeg[:50_000])
    page = await tus.host.get(f"/i/{await tus.slug(where)}", Accept="text/html")
    assert re.search('<progress id="pending" data-events="[^"]*" data-image="[^"]*"></progress>', await page.text())


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
    assert f"/i/{slug}/preview.jpg?wait" in page
    waiting = asyncio.create_task(tus.host.get(f"/i/{slug}/preview.jpg?wait"))
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
