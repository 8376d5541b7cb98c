"""IIIF manifests over HTTP: an image and an album as viewers open them, media types, caching, and what is gone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from aiohttp import ClientResponse, hdrs

from appliance.config.model import Server
from appliance.http.api.contract import build_contract
from appliance.http.iiif.manifest_resource import CONTEXT
from tests.support import albums
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images import pictures
from tests.support.images.pictures import opened

Manifest = dict[str, Any]
ORIGIN = {"Origin": "https://viewer.example"}


def address(slug: str) -> str:
    return f"/iiif/presentation/3/{slug}/manifest.json"


async def manifest_of(host: Host, slug: str) -> Manifest:
    """The manifest, held to the schema of the contract."""
    reply = await host.get(address(slug))
    assert reply.status == 200, await reply.text()
    manifest: Manifest = await reply.json(content_type="application/ld+json")
    contract = build_contract(host.appliance.config)
    schema = {"$ref": "#/components/schemas/Manifest", "components": contract["components"]}
    jsonschema_rs.validate(schema, manifest)
    assert next(iter(manifest)) == "@context", "the specification wants it first"
    return manifest


def bodies(manifest: Manifest) -> list[dict[str, Any]]:
    """What is painted on each canvas."""
    return [canvas["items"][0]["items"][0]["body"] for canvas in manifest["items"]]


def named(value: object) -> Iterator[str]:
    """The address of every manifest, canvas, page and annotation."""
    if isinstance(value, dict):
        if value.get("type") in ("Manifest", "Canvas", "AnnotationPage", "Annotation"):
            yield value["id"]
        for inner in value.values():
            yield from named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from named(inner)


def linked(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of every file and page, and what is said of it."""
    if isinstance(value, dict):
        if "format" in value:
            yield value["id"], value
        for inner in value.values():
            yield from linked(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from linked(inner)


async def fetched(host: Host, url: str) -> ClientResponse:
    base = host.appliance.config.server.base_url
    assert url.startswith(f"{base}/")
    return await host.get(url.removeprefix(base), Accept="*/*")


# --- what is in it ------------------------------------------------------------------------------------------------


async def test_an_image_is_a_manifest_of_one_canvas(open_host: OpenHost) -> None:
    host = await open_host(server=Server(public_url="https://pics.example"))
    image = await host.upload(pictures.photo(1600, 1200), "cat.jpg", title="A cat", alt="It sleeps")
    manifest = await manifest_of(host, image["slug"])
    assert manifest["id"] == f"https://pics.example{address(image['slug'])}"
    assert manifest["label"] == {"none": ["A cat"]}
    assert manifest["homepage"][0]["id"] == image["url"]
    (canvas,) = manifest["items"]
    assert (canvas["width"], canvas["height"], canvas["summary"]) == (1600, 1200, {"none": ["It sleeps"]})
    assert canvas["items"][0]["items"][0]["target"] == canvas["id"]
    assert bodies(manifest)[0]["service"][0]["id"] == f"https://pics.example/iiif/3/{image['slug']}"


async def test_an_image_without_a_title_is_named_by_its_file(host: Host) -> None:
    manifest = await manifest_of(host, (await host.upload(pictures.png(9, 9), "cat.png"))["slug"])
    assert manifest["label"] == manifest["items"][0]["label"] == {"none": ["cat.png"]}
    assert "summary" not in manifest["items"][0]


async def test_an_album_has_a_canvas_for_each_image_in_order(host: Host) -> None:
    images = await albums.uploaded(host, 3)
    album = await albums.made(host, images[::-1], title="Holidays")
    manifest = await manifest_of(host, album["slug"])
    assert manifest["label"] == {"none": ["Holidays"]}
    assert manifest["homepage"][0]["id"] == album["url"]
    assert manifest["rendering"][0]["id"] == album["zip"]
    assert [canvas["label"]["none"] for canvas in manifest["items"]] == [[f"photo-{n}.jpg"] for n in (3, 2, 1)]
    services = [body["service"][0]["id"].rpartition("/")[2] for body in bodies(manifest)]
    assert services == albums.slugs_of(images[::-1])
    assert manifest["thumbnail"] == manifest["items"][0]["thumbnail"]


async def test_an_album_without_a_title_is_called_one_in_every_language(host: Host) -> None:
    album = await albums.made(host, await albums.uploaded(host, 1))
    assert (await manifest_of(host, album["slug"]))["label"] == {"en": ["Album"], "de": ["Album"]}


async def test_every_address_has_one_meaning(host: Host) -> None:
    images = await albums.uploaded(host, 2)
    album = await albums.made(host, images)
    slugs = [album["slug"], *albums.slugs_of(images)]
    found = [each for slug in slugs for each in named(await manifest_of(host, slug))]
    assert len(found) == len(set(found)) == 3 + 3 * (2 + 1 + 1)


async def test_everything_it_links_is_there_and_what_it_says(host: Host) -> None:
    tall = await host.upload(pictures.photo(200, 900), "tall.jpg")
    see_through = await host.upload(pictures.alpha_png(), "glass.png")
    moving = await host.upload(pictures.animated("gif", frames=3), "moving.gif")
    album = await albums.made(host, [tall, see_through, moving])
    links = dict(linked(await manifest_of(host, album["slug"])))
    assert len(links) == 2 + 3 * 4
    for url, told in links.items():
        reply = await fetched(host, url)
        assert (reply.status, reply.content_type) == (200, told["format"]), url
        if "width" in told:
            assert opened(await reply.read()).size == (told["width"], told["height"]), url


async def test_an_image_larger_than_one_response_says_how_large_that_is(open_host: OpenHost) -> None:
    host = await open_host(renditions=replace(small_config(Path()).renditions, max_area=300_000))
    manifest = await manifest_of(host, (await host.upload(pictures.png(1600, 1200)))["slug"])
    (body,) = bodies(manifest)
    assert opened(await (await fetched(host, body["id"])).read()).size == (body["width"], body["height"]) == (632, 474)


async def test_an_image_that_can_not_be_resized_is_painted_as_its_original(open_host: OpenHost) -> None:
    host = await open_host(uploads=replace(small_config(Path()).uploads, max_pixels=1000))
    image = await host.upload(pictures.png(100, 80))
    manifest = await manifest_of(host, image["slug"])
    (body,) = bodies(manifest)
    assert (body["id"], body["format"], "service" in body) == (image["original"]["url"], "image/png", False)
    assert "thumbnail" not in manifest
    album = await albums.made(host, [image, await host.upload(pictures.png(20, 20))])
    mixed = await manifest_of(host, album["slug"])
    assert ["service" in body for body in bodies(mixed)] == [False, True]
    assert mixed["thumbnail"] == mixed["items"][1]["thumbnail"], "the first image that has one"


# --- how it comes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["image", "album"])
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", f'application/ld+json;profile="{CONTEXT}"'),
        ("application/ld+json, application/json", f'application/ld+json;profile="{CONTEXT}"'),
        ("application/json", "application/json"),
    ],
)
async def test_scripts_from_anywhere_get_the_media_type_that_they_ask_for(
    host: Host, kind: str, accept: str, media_type: str
) -> None:
    images = await albums.uploaded(host, 1)
    slug = (await albums.made(host, images))["slug"] if kind == "album" else images[0]["slug"]
    reply = await host.client.get(address(slug), headers={"Accept": accept, **ORIGIN})
    assert (reply.status, reply.headers[hdrs.CONTENT_TYPE]) == (200, media_type)
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert hdrs.ACCEPT in reply.headers.getall(hdrs.VARY)
    assert (CONTEXT in reply.headers.get(hdrs.LINK, "")) is (media_type == "application/json")
    etag = reply.headers[hdrs.ETAG]
    again = await host.get(address(slug), Accept=accept, If_None_Match=etag)
    assert (again.status, await again.read()) == (304, b"")
    other = await host.get(address(slug), Accept="text/html", If_None_Match=etag)
    assert other.status == (200 if media_type == "application/json" else 304)
    head = await host.client.head(address(slug), headers={"Accept": accept})
    assert (head.status, head.headers[hdrs.ETAG]) == (200, etag)


async def test_an_image_is_cached_as_its_information_is(host: Host) -> None:
    slug = (await host.upload(pictures.png(9, 9), expires_in="60"))["slug"]
    manifest, info = await host.get(address(slug)), await host.get(f"/iiif/3/{slug}/info.json")
    for header in (hdrs.CACHE_CONTROL, "Cache-Tag", "Surrogate-Key"):
        assert manifest.headers[header] == info.headers[header]
    assert manifest.headers[hdrs.CACHE_CONTROL] == "private, max-age=60"


async def test_an_album_is_cached_until_its_first_image_leaves_it(host: Host) -> None:
    short, long = await host.upload(pictures.png(9, 9), expires_in="60"), await host.upload(pictures.png(8, 8))
    album = await albums.made(host, [short, long])
    reply = await host.get(address(album["slug"]))
    assert reply.headers[hdrs.CACHE_CONTROL] == "private, max-age=60"
    assert reply.headers["Cache-Tag"] == album["slug"]
    host.clock.forward(61)
    assert len((await manifest_of(host, album["slug"]))["items"]) == 1


async def test_a_change_of_an_album_or_of_its_image_shows_at_once(host: Host) -> None:
    images = await albums.uploaded(host, 2)
    album = await albums.made(host, images)
    before = await host.get(address(album["slug"]))
    await albums.changed(host, album, title="Holidays", remove=[images[0]["slug"]])
    reply = await host.get(address(album["slug"]), If_None_Match=before.headers[hdrs.ETAG])
    assert reply.status == 200
    manifest = await manifest_of(host, album["slug"])
    assert (manifest["label"], len(manifest["items"])) == ({"none": ["Holidays"]}, 1)


# --- what is not there --------------------------------------------------------------------------------------------


async def test_what_is_gone_or_unknown_answers_as_the_information_does(host: Host) -> None:
    images = await albums.uploaded(host, 2)
    album, left = await albums.made(host, images), await albums.made(host, images[:1])
    await albums.delete(host, album)
    await problem(await host.get(address(album["slug"])), "album-gone")
    await host.delete(images[0]["slug"], images[0]["delete_token"])
    await problem(await host.get(address(images[0]["slug"])), "gone")
    await problem(await host.get(address(left["slug"])), "album-gone")
    await host.erase()
    await problem(await host.get(address(images[0]["slug"])), "gone")
    for unknown in ("00000000000000000", "x"):
        await problem(await host.get(address(unknown)), "not-found")


async def test_an_image_that_is_still_being_uploaded_has_no_manifest_yet(host: Host) -> None:
    created = await host.client.post(
        "/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "Content-Length": "0"}
    )
    state = await (await host.client.get(created.headers["Location"])).json()
    reply = await host.get(address(state["image"]["slug"]))
    await problem(reply, "not-here-yet")
    assert reply.headers["Retry-After"]


# --- how it is found ----------------------------------------------------------------------------------------------


async def test_the_pages_of_an_image_and_an_album_link_their_manifests(host: Host) -> None:
    images = await albums.uploaded(host, 1)
    album = await albums.made(host, images)
    for path, slug in ((f"/i/{images[0]['slug']}", images[0]["slug"]), (f"/a/{album['slug']}", album["slug"])):
        page = await (await host.get(path, Accept="text/html")).text()
        links = [line for line in page.splitlines() if address(slug) in line]
        assert links == [
            f'<link rel="alternate" type=\'application/ld+json;profile="{CONTEXT}"\' href="{address(slug)}">'
        ]
