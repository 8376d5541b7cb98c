"""404 and 410: of an image that has ended nothing answers any more, cached or not; GET brings nothing about."""

from typing import Any

import pytest

from appliance.domain.renditions import Format
from tests.support.host import DAY_S, Host, problem
from tests.support.images import pictures

PRESETS = ("thumbnail", "small", "medium", "large")


def urls(slug: str) -> list[str]:
    """Every address that an image has."""
    sizes = [f"/i/{slug}/{preset}" for preset in PRESETS]
    return [
        *(f"/i/{slug}", f"/i/{slug}/manage", f"/i/{slug}/original", f"/i/{slug}/original?download"),
        *(f"/i/{slug}.jpg", f"/i/{slug}.jpeg", f"/api/v1/images/{slug}"),
        *(f"/oembed?url=http://127.0.0.1:8080/i/{slug}", *sizes),
        *(f"{size}.{format_.value}" for size in sizes for format_ in Format),
    ]


async def all_answer(host: Host, slug: str, code: str | None) -> None:
    for url in urls(slug):
        for headers in ({}, {"If_None_Match": "*"}, {"Range": "bytes=0-0"}):
            response = await host.get(url, **headers)
            if code is None:
                assert response.status in (200, 206, 304), url
            else:
                await problem(response, code)
        assert ((await host.client.head(url)).status == 200) == (code is None)


async def test_of_a_deleted_image_nothing_answers_cached_or_not(host: Host, jpeg: bytes) -> None:
    resource = await host.upload(jpeg)
    await all_answer(host, resource["slug"], None)
    await host.all_cached()
    assert len(host.files("cache")) == len(PRESETS) * len(Format)
    await host.delete(resource["slug"], resource["delete_token"])
    await all_answer(host, resource["slug"], "gone")
    assert host.files("cache") == []
    await host.erase()
    await all_answer(host, resource["slug"], "gone")
    (tombstone,) = host.files("store/objects")
    assert tombstone.parts[-3:] == ("tombstones", resource["slug"][:4], f"{resource['slug']}.json")
    assert host.files("spool") == []


async def test_of_an_expired_image_nothing_answers_even_before_the_job_comes_by(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg, expires_in="60"))["slug"]
    await all_answer(host, slug, None)
    host.clock.forward(59)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    host.clock.forward(1)
    await all_answer(host, slug, "gone")
    assert await host.appliance.image_lifecycle.end() == 1
    await all_answer(host, slug, "gone")


async def test_a_tombstone_answers_410_for_a_year_and_404_then(host: Host, jpeg: bytes) -> None:
    resource = await host.upload(jpeg)
    await host.delete(resource["slug"], resource["delete_token"])
    await host.erase()
    host.clock.forward(364 * DAY_S)
    assert await host.appliance.image_lifecycle.forget() == 0
    await problem(await host.get(f"/i/{resource['slug']}"), "gone")
    host.clock.forward(2 * DAY_S)
    assert await host.appliance.image_lifecycle.forget() == 1
    await all_answer(host, resource["slug"], "not-found")


async def test_gone_stays_gone_over_a_restart(open_host: Any, jpeg: bytes) -> None:
    first = await open_host()
    resource = await first.upload(jpeg)
    await first.delete(resource["slug"], resource["delete_token"])
    await all_answer(await open_host(), resource["slug"], "gone")


async def test_people_get_a_page_about_it(host: Host, jpeg: bytes) -> None:
    resource = await host.upload(jpeg, expires_in="60")
    host.clock.forward(60)
    page = await host.get(f"/i/{resource['slug']}", Accept="text/html")
    text = await page.text()
    assert (page.status, page.content_type) == (410, "text/html")
    assert "This image has expired" in text
    assert 'value="restore"' in text  # within the grace, before the job has come by too
    await host.delete(resource["slug"], resource["delete_token"])
    text = await (await host.get(f"/i/{resource['slug']}", Accept="text/html")).text()
    assert "This image was deleted" in text
    assert 'value="restore"' not in text


async def test_one_of_two_images_with_the_same_bytes_is_deleted_and_the_other_stays(host: Host, jpeg: bytes) -> None:
    kept, deleted = await host.upload(jpeg), await host.upload(jpeg)
    for resource in (kept, deleted):
        await host.get(f"/i/{resource['slug']}/small.jpg")
    await host.all_cached()
    await host.delete(deleted["slug"], deleted["delete_token"])
    await host.erase()
    await all_answer(host, deleted["slug"], "gone")
    await all_answer(host, kept["slug"], None)
    for folder in ("store/objects", "spool/copies"):
        (path,) = (path for path in host.files(folder) if path.parts[-3] != "tombstones")
        assert path.name == kept["slug"]
        assert path.read_bytes() == jpeg
    assert {path.parent.name for path in host.files("cache")} == {kept["slug"]}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_get_and_head_change_no_row_and_no_original(host: Host, method: str) -> None:
    resource = await host.upload(pictures.photo(300, 200))
    slug = resource["slug"]
    before = await host.appliance.catalogue.images.get(slug)
    objects = {path: path.read_bytes() for path in host.files("store")}
    for url in urls(slug):
        for query in ("", "?token=" + resource["delete_token"], "?action=delete&delete=1"):
            await host.client.request(method, url + query if "?" not in url else url)
    assert await host.appliance.catalogue.images.get(slug) == before
    assert {path: path.read_bytes() for path in host.files("store")} == objects


EMBEDDED = {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site", "Accept": "image/avif,image/webp,*/*;q=0.8"}


@pytest.mark.parametrize("file", ["large.jpg", "large", "original", "preview.jpg"])
async def test_an_image_that_is_gone_is_a_drawing_where_other_sites_embed_it(
    host: Host, jpeg: bytes, file: str
) -> None:
    slug = (await host.upload(jpeg, expires_in="60"))["slug"]
    host.clock.forward(61)
    for path, status in ((f"/i/{slug}/{file}", 410), (f"/i/0000aaaaaaaaaaaaa/{file}", 404)):
        reply = await host.client.get(path, headers=EMBEDDED)
        assert (reply.status, reply.content_type) == (status, "image/svg+xml")
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert reply.headers["X-Robots-Tag"] == "noindex"
        assert (await reply.read()).startswith(b"<svg ")


@pytest.mark.parametrize(
    ("headers", "content_type"),
    [
        ({"Accept": "image/webp,image/*;q=0.8"}, "image/svg+xml"),  # a browser that doesn't say what it fetches
        ({"Accept": "*/*"}, "application/problem+json"),
        ({"Accept": "text/html,image/webp"}, "text/html"),
        (EMBEDDED | {"Sec-Fetch-Dest": "document", "Accept": "text/html,image/webp"}, "text/html"),
        (EMBEDDED | {"Sec-Fetch-Dest": "empty"}, "application/problem+json"),
        (EMBEDDED | {"Sec-Fetch-Site": "same-origin"}, "application/problem+json"),
    ],
)
async def test_who_asks_for_a_gone_image_decides_on_the_form_of_the_answer(
    host: Host, headers: dict[str, str], content_type: str
) -> None:
    reply = await host.client.get("/i/0000aaaaaaaaaaaaa/large.jpg", headers=headers)
    assert (reply.status, reply.content_type) == (404, content_type)


async def test_our_own_pages_get_the_error_without_tls_too(host: Host) -> None:
    headers = {"Accept": "image/webp,image/*;q=0.8", "Referer": f"http://127.0.0.1:{host.port}/images"}
    reply = await host.client.get("/i/0000aaaaaaaaaaaaa/large.jpg", headers=headers)
    assert reply.content_type == "application/problem+json"
