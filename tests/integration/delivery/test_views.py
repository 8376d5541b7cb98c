"""Views: every size in every format, negotiation, validators, HEAD, and the headers that caches and browsers read."""

import re
from typing import Any
from urllib.robotparser import RobotFileParser

import pytest
import pytest_asyncio

from appliance.domain.renditions import Format
from tests.support.host import Host, problem
from tests.support.images import pictures
from tests.support.images.pictures import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
BOXES = {"thumbnail": 256, "small": 512, "medium": 1024, "medium-large": 1536, "large": 2048}
CHROME = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def photo(shared: Host) -> dict[str, Any]:
    return await shared.upload(pictures.photo(1600, 1100), "beach.jpg")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moving(shared: Host) -> dict[str, Any]:
    return await shared.upload(pictures.animated("gif"), "moving.gif")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def see_through(shared: Host) -> dict[str, Any]:
    return await shared.upload(pictures.alpha_png(), "disc.png")


@pytest.fixture
def kinds(photo: dict[str, Any], moving: dict[str, Any], see_through: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {"photo": photo, "moving": moving, "see_through": see_through}


@pytest.mark.parametrize("preset", BOXES)
@pytest.mark.parametrize("format_", list(Format))
async def test_each_size_comes_in_each_format(
    shared: Host, photo: dict[str, Any], preset: str, format_: Format
) -> None:
    response = await shared.get(f"/i/{photo['slug']}/{preset}.{format_.value}")
    data = await response.read()
    assert (response.status, response.content_type) == (200, format_.media_type)
    assert response.headers["Content-Length"] == str(len(data))
    assert max(opened(data).size) == min(1600, BOXES[preset])


async def test_jpeg_is_an_alias_of_jpg(shared: Host, photo: dict[str, Any]) -> None:
    assert (await shared.get(f"/i/{photo['slug']}/small.jpeg")).content_type == "image/jpeg"
    assert (await shared.get(f"/i/{photo['slug']}.jpeg")).content_type == "image/jpeg"


@pytest.mark.parametrize(
    ("kind", "accept", "media_type"),
    [
        ("photo", CHROME, "image/avif"),
        ("photo", "image/webp,*/*", "image/webp"),
        ("photo", "image/avif;q=0, image/webp", "image/webp"),
        ("photo", "image/avif; Q=0.000, */*", "image/jpeg"),
        ("photo", "*/*", "image/jpeg"),
        ("photo", "", "image/jpeg"),
        ("photo", ";;q=;,=,", "image/jpeg"),
        ("moving", CHROME, "image/webp"),
        ("moving", "image/avif", "image/avif"),
        ("photo", "image/png", "image/png"),
        ("photo", "image/avif;q=0.1, image/webp;q=0.9", "image/webp"),
        ("photo", "image/webp;q=NaN, image/*", "image/jpeg"),
        ("see_through", "image/jpeg", "image/jpeg"),
        ("moving", "*/*", "image/gif"),
        ("see_through", CHROME, "image/avif"),
        ("see_through", "*/*", "image/png"),
    ],
)
async def test_the_format_is_negotiated(
    shared: Host, kinds: dict[str, dict[str, Any]], kind: str, accept: str, media_type: str
) -> None:
    slug = kinds[kind]["slug"]
    response = await shared.get(f"/i/{slug}/thumbnail", Accept=accept)
    assert response.content_type == media_type
    assert response.headers["Vary"] == "Accept"
    assert response.headers["Cache-Control"].startswith("private, ")


async def test_a_negotiated_animation_still_moves(shared: Host, moving: dict[str, Any]) -> None:
    for accept in ("image/webp", "image/gif"):
        data = await (await shared.get(f"/i/{moving['slug']}/thumbnail", Accept=accept)).read()
        assert getattr(opened(data), "n_frames", 1) == 6


async def test_what_images_say_to_caches_and_browsers(shared: Host, photo: dict[str, Any]) -> None:
    for path in ("small.jpg", "original"):
        headers = (await shared.get(f"/i/{photo['slug']}/{path}")).headers
        assert headers["Cache-Control"] == "public, max-age=3600"
        assert headers["Cache-Tag"] == headers["Surrogate-Key"] == photo["slug"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert headers["Access-Control-Allow-Origin"] == "*"
        assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert headers["Content-Disposition"].startswith("inline; ")
        assert "Vary" not in headers


async def test_no_cache_may_keep_an_image_past_its_expiry(shared: Host, jpeg: bytes) -> None:
    slug = (await shared.upload(jpeg, expires_in="100"))["slug"]
    assert "no-cache" in (await shared.get(f"/i/{slug}")).headers["Cache-Control"]
    for path in ("/small.jpg", "/small", "/original"):
        header = (await shared.get(f"/i/{slug}{path}")).headers["Cache-Control"]
        assert int(re.findall(r"max-age=(\d+)", header)[0]) <= 100
    reply = await shared.get(f"/oembed?url=http://127.0.0.1:8080/i/{slug}")
    assert (await reply.json())["cache_age"] <= 100


@pytest.mark.parametrize("path", ["/small.jpg", "/small", "/original", ".jpg"])
async def test_who_has_it_already_gets_304(shared: Host, photo: dict[str, Any], path: str) -> None:
    first = await shared.get(f"/i/{photo['slug']}{path}")
    etag = first.headers["ETag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', f'"other",W/{etag},"more"', "*"):
        again = await shared.get(f"/i/{photo['slug']}{path}", If_None_Match=known)
        assert (again.status, await again.read()) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary"):
            assert again.headers.get(name) == first.headers.get(name)
    for unknown in ('"other"', etag.strip('"'), ""):
        assert (await shared.get(f"/i/{photo['slug']}{path}", If_None_Match=unknown)).status == 200


async def test_etags_differ_between_versions_and_not_between_repeats(shared: Host, photo: dict[str, Any]) -> None:
    paths = [f"{preset}.{format_.value}" for preset in BOXES for format_ in Format] + ["original"]
    tags = [(await shared.get(f"/i/{photo['slug']}/{path}")).headers["ETag"] for path in paths]
    again = [(await shared.get(f"/i/{photo['slug']}/{path}")).headers["ETag"] for path in paths]
    assert tags == again
    assert len(set(tags)) == len(tags)


PATHS = (
    *("", "/manage", "/original", "/small.jpg", "/small", ".jpg"),
    *("//", "//healthz", "//readyz", "//robots.txt", "//sharex.sxcu", "//api/v1/limits", "//api/v1/openapi.json"),
)


@pytest.mark.parametrize("path", PATHS)
async def test_head_says_what_get_would(shared: Host, photo: dict[str, Any], path: str) -> None:
    url = path.removeprefix("/") if path.startswith("//") else f"/i/{photo['slug']}{path}"
    plain = {"Accept-Encoding": "identity"}  # else the client unpacks what it counts
    got, asked = await shared.client.get(url, headers=plain), await shared.client.head(url, headers=plain)
    assert (asked.status, await asked.read()) == (200, b"")
    assert int(asked.headers["Content-Length"]) == len(await got.read())
    for name in ("Content-Type", "ETag", "Cache-Control", "Content-Disposition", "Accept-Ranges"):
        assert asked.headers.get(name) == got.headers.get(name)


async def test_head_of_a_problem_has_its_headers(shared: Host, photo: dict[str, Any]) -> None:
    assert (await shared.client.head(f"/i/{photo['slug']}/huge.jpg")).status == 404
    assert (await shared.client.head("/i/00000000000000000")).status == 404


async def test_download_makes_it_an_attachment(shared: Host, photo: dict[str, Any]) -> None:
    for path in ("/original?download", ".jpg?download=1"):
        response = await shared.get(f"/i/{photo['slug']}{path}")
        assert response.headers["Content-Disposition"] == 'attachment; filename="beach.jpg"'


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/huge", "thumbnail, small, medium, medium-large, large, original"),
        ("/huge.jpg", "thumbnail, small, medium, medium-large, large, original"),
        ("/small.bmp", "jpg, webp, avif, png, gif"),
        ("/small.tiff", "jpg, webp, avif, png, gif"),
        (".png", "a .jpg file"),
        (".exe", "a .jpg file"),
    ],
)
async def test_what_is_not_made_says_what_is(shared: Host, photo: dict[str, Any], path: str, words: str) -> None:
    told = await problem(await shared.get(f"/i/{photo['slug']}{path}"), "unknown-rendition")
    assert words in told["detail"]


@pytest.mark.parametrize("path", ["", "/manage", "/original", ".jpg", "/small", "/small.webp"])
@pytest.mark.parametrize("slug", ["00000000000000000", "short", "x" * 64])
async def test_an_unknown_link_is_not_found(shared: Host, slug: str, path: str) -> None:
    await problem(await shared.get(f"/i/{slug}{path}"), "not-found")


async def test_a_small_picture_is_never_enlarged(shared: Host) -> None:
    resource = await shared.upload(pictures.png(40, 30), "tiny.png")
    assert resource["renditions"]["large"]["width"] == 40
    assert opened(await (await shared.get(f"/i/{resource['slug']}/large.png")).read()).size == (40, 30)


async def test_no_file_of_an_image_is_for_search_engines(shared: Host, photo: dict[str, Any]) -> None:
    """The pages promise it; a forum that shows a file would lead image search to it."""
    slug = photo["slug"]
    paths = [f"/i/{slug}{rest}" for rest in ("/small.jpg", "/small", "/original", ".jpg", "/preview.jpg", "/qr.svg")]
    for path in (*paths, f"/iiif/3/{slug}/info.json", f"/iiif/3/{slug}/full/64,/0/default.jpg"):
        response = await shared.get(path)
        assert (response.status, response.headers.get("X-Robots-Tag")) == (200, "noindex"), path


async def test_image_searches_are_kept_out_and_link_previews_are_not(shared: Host) -> None:
    rules = await (await shared.get("/robots.txt")).text()
    robots = RobotFileParser()
    robots.parse(rules.splitlines())
    assert not robots.can_fetch("Googlebot-Image", "/i/abc/large.jpg")
    assert robots.can_fetch("Twitterbot", "/i/abc/preview.jpg")
    assert not robots.can_fetch("Twitterbot", "/api/v1/images/abc")
