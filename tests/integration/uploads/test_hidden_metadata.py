"""Private means private, through the real app: what hides in any place of any format, judged by exiftool."""

import hashlib
from typing import Any

import pytest
from PIL import ImageOps

from tests.support.allowed_tags import ALWAYS, CREDITS, listed
from tests.support.host import Host
from tests.support.images import hidden_places, rich_pictures
from tests.support.images.hidden_places import PLACES
from tests.support.images.leftovers import LEFTOVERS, MARKS, Leftover, with_mark
from tests.support.images.pictures import opened
from tests.support.metadata import holds
from tests.support.tus_client import Tus

RICH = ("jpg", "tif", "png", "webp")
JUDGED = ("IFD", "ExifIFD", "GPS", "InteropIFD", "IPTC", "Photoshop", "XMP", "JFIF", "PNG", "MakerNotes")
"""Groups of exiftool that tell of metadata; the others tell how the file is made."""
_OF_A_PNG = (
    "BitDepth",
    "ColorType",
    "Compression",
    "Filter",
    "ImageHeight",
    "ImageWidth",
    "Interlace",
    "PixelsPerUnitX",
)
HOW_IT_IS_MADE = {f"PNG:{name}" for name in _OF_A_PNG}


async def original(host: Host, image: dict[str, Any]) -> bytes:
    """The stored bytes, which are those that the resource tells of."""
    reply = await host.get(f"/i/{image['slug']}/original")
    stored = await reply.read()
    assert (reply.status, len(stored)) == (200, image["bytes"])
    assert hashlib.sha256(stored).hexdigest() == image["sha256"]
    return stored


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "webp", "avif"])
@pytest.mark.parametrize("keep", ["false", "credits"])
async def test_what_hides_in_any_place_is_gone_and_its_loss_is_said(host: Host, ending: str, keep: str) -> None:
    said, expected = {}, {}
    for place in PLACES:
        if place.ending != ending:
            continue
        reply = await host.post(place.make(), f"a.{ending}", keep_metadata=keep)
        image = await reply.json()
        said[place.where] = (
            holds(await original(host, image)),
            image["private_data"],
            image["content_credentials"],
            (await host.get(f"/i/{image['slug']}/small.jpg")).status,
        )
        expected[place.where] = (False, "removed", "removed" if place.signed else "none", 200)
    assert said == expected


@pytest.mark.parametrize("format", RICH)
@pytest.mark.parametrize(("keep", "allowed"), [("false", listed(ALWAYS)), ("credits", listed(ALWAYS, CREDITS))])
async def test_what_is_said_is_what_exiftool_finds(host: Host, format: str, keep: str, allowed: set[str]) -> None:
    data = rich_pictures.rich(format)
    image = await host.upload(data, f"a.{format}", keep_metadata=keep)
    assert (image["private_data"], image["keep_metadata"]) == ("removed", keep)
    told = rich_pictures.told(await original(host, image), format)
    judged = {tag for tag in told if tag.startswith(JUDGED)}
    assert judged - allowed - HOW_IT_IS_MADE == set()
    values = " ".join(value for tag in judged for value in told[tag])
    assert "(c) somebody" in values


@pytest.mark.parametrize("format", RICH)
async def test_whoever_wants_all_of_it_gets_all_of_it(host: Host, format: str) -> None:
    data = rich_pictures.rich(format)
    image = await host.upload(data, f"a.{format}", keep_metadata="true")
    assert await original(host, image) == data


async def test_what_lies_behind_the_end_is_cut_by_every_way_in(host: Host) -> None:
    data = hidden_places.in_header() + b"PK\3\4" + hidden_places.SECRET * 1000
    raw = await (await host.client.post("/api/v1/images?filename=a.jpg", data=data)).json()
    put = (await host.client.put("/a.jpg", data=data)).headers["Location"][3:]
    tus = await Tus(host).slug(await Tus(host).whole(data))
    for slug in (raw["slug"], put, tus):
        image = await (await host.get(f"/api/v1/images/{slug}")).json()
        assert await original(host, image) == hidden_places.in_header()
        assert image["private_data"] == "removed"
    assert [path for path in host.files("spool") + host.files("store") if holds(path.read_bytes())] == []


async def test_a_repeat_of_a_file_that_was_cut_is_known(host: Host) -> None:
    data = hidden_places.in_header() + hidden_places.SECRET
    key = {"Idempotency-Key": "a-key-of-sixteen-and-more"}
    first, again = [await (await host.client.post("/api/v1/images", data=data, headers=key)).json() for _ in range(2)]
    assert (again["slug"], again["bytes"]) == (first["slug"], first["bytes"])
    assert first["bytes"] < len(data)


@pytest.mark.parametrize("leftover", LEFTOVERS, ids=lambda each: f"{each.ending}: {each.what}")
async def test_what_a_phone_or_a_program_left_behind_a_picture_is_gone(host: Host, leftover: Leftover) -> None:
    image = await host.upload(leftover.make(), f"a.{leftover.ending}")
    assert image["private_data"] == "removed"
    assert await original(host, image) == leftover.clean()


@pytest.mark.parametrize("mark", MARKS)
async def test_exif_under_a_wrong_mark_is_gone_and_the_image_stays_as_it_was_shown(host: Host, mark: bytes) -> None:
    image = await host.upload(with_mark(mark), "a.jpg")
    assert image["private_data"] == "removed"
    assert not [tag for tag in rich_pictures.told(await original(host, image), "jpg") if tag.startswith("GPS")]
    size = image["width"], image["height"]
    assert opened(await (await host.get(f"/i/{image['slug']}/small.jpg")).read()).size == size
    assert ImageOps.exif_transpose(opened(await original(host, image))).size == size
