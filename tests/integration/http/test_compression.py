"""Texts are sent compressed to whoever takes it, and nothing else is."""

import gzip
import re

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDictProxy

from tests.support.host import Host

TAKES = "gzip, deflate, br, zstd"


async def fetched(
    host: Host, path: str, accepted: str = TAKES, **headers: str
) -> tuple[int, CIMultiDictProxy[str], bytes]:
    """Status, headers and the bytes as they travel."""
    async with (
        ClientSession(auto_decompress=False) as session,
        session.get(host.client.make_url(path), headers={"Accept-Encoding": accepted} | headers) as reply,
    ):
        return reply.status, reply.headers, await reply.read()


async def addresses(host: Host, jpeg: bytes) -> dict[str, str]:
    image = await host.upload(jpeg)
    pages = (await fetched(host, "/"))[2]
    style = gzip.decompress(pages).decode().partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    return {"page": "/", "share": f"/i/{image['slug']}", "json": "/api/v1/openapi.json", "style": style}


def without_key(text: bytes) -> bytes:
    """The text without the key of its form, which is another one each time."""
    return re.sub(rb'name="form_key" value="[^"]*"', b"", text)


@pytest.mark.parametrize("kind", ["page", "share", "json", "style"])
async def test_texts_are_compressed_for_whoever_takes_gzip(host: Host, jpeg: bytes, kind: str) -> None:
    path = (await addresses(host, jpeg))[kind]
    status, headers, short = await fetched(host, path)
    _, plain_headers, plain = await fetched(host, path, "identity")
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    assert "Content-Encoding" not in plain_headers
    assert without_key(gzip.decompress(short)) == without_key(plain)
    assert len(short) < len(plain) / 2
    assert int(headers["Content-Length"]) == len(short)
    assert "Accept-Encoding" in headers.getall("Vary")
    assert "Accept-Encoding" in plain_headers.getall("Vary")


@pytest.mark.parametrize("kind", ["share", "style"])
async def test_a_compressed_text_is_known_again_by_its_tag(host: Host, jpeg: bytes, kind: str) -> None:
    path = (await addresses(host, jpeg))[kind]
    etag = (await fetched(host, path))[1]["ETag"]
    assert etag.startswith('W/"')
    for accepted in (TAKES, "identity"):
        status, _, body = await fetched(host, path, accepted, **{"If-None-Match": etag})
        assert (status, body) == (304, b"")


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0, *", "*;q=0"])
async def test_who_does_not_take_gzip_gets_none(host: Host, accepted: str) -> None:
    assert "Content-Encoding" not in (await fetched(host, "/", accepted))[1]


@pytest.mark.parametrize("accepted", ["GZIP", "br, gzip;q=0.5", "*", "identity;q=0, *;q=1"])
async def test_gzip_is_found_however_it_is_asked_for(host: Host, accepted: str) -> None:
    assert (await fetched(host, "/", accepted))[1]["Content-Encoding"] == "gzip"


async def test_pictures_and_what_may_hold_a_secret_stay_as_they_are(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    slug = image["slug"]
    for path in (f"/i/{slug}/original", f"/i/{slug}/small.jpg", f"/i/{slug}/manage", f"/api/v1/images/{slug}"):
        status, headers, body = await fetched(host, path)
        assert (status, "Content-Encoding" in headers) == (200, False), path
        assert len(body) == int(headers["Content-Length"])


async def test_a_text_that_fits_into_a_packet_stays_as_it_is(host: Host) -> None:
    assert "Content-Encoding" not in (await fetched(host, "/robots.txt"))[1]
