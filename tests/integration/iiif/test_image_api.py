"""The IIIF Image API over HTTP: information, regions, headers, errors, and images that are not there to be shown."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import hdrs
from PIL import Image

from appliance.config.model import Server
from appliance.domain.errors import CannotResize
from appliance.workers import Worker
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images import pictures
from tests.support.images.pictures import opened

WHOLE = "full/max/0/default.jpg"


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The cuts of each order that a worker carries out."""
    seen: list[list[str]] = []
    cut = Worker.cut

    async def counting(worker: Worker, fd: int, facts: Any, material: Any, cuts: Any) -> Any:
        seen.append([each.name for each in cuts])
        return await cut(worker, fd, facts, material, cuts)

    monkeypatch.setattr(Worker, "cut", counting)
    return seen


async def uploaded(host: Host, data: bytes | None = None) -> str:
    return f"/iiif/3/{(await host.upload(data or pictures.png(1600, 1200)))['slug']}"


async def test_the_base_address_leads_to_the_information(host: Host) -> None:
    base = await uploaded(host)
    reply = await host.get(base)
    assert (reply.status, reply.headers["Location"]) == (303, f"{base}/info.json")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"


async def test_the_information_tells_size_tiles_and_limits(open_host: OpenHost) -> None:
    host = await open_host(server=Server(public_url="https://pics.example"))
    base = await uploaded(host)
    reply = await host.get(f"{base}/info.json")
    info = await reply.json(content_type="application/ld+json")
    assert (info["id"], info["type"], info["profile"]) == (f"https://pics.example{base}", "ImageService3", "level2")
    assert (info["width"], info["height"]) == (1600, 1200)
    assert info["tiles"] == [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4]}]
    assert info["sizes"] == [{"width": 1600 // by, "height": 1200 // by} for by in (4, 2, 1)]
    assert info["maxArea"] == host.appliance.config.renditions.max_area
    assert next(iter(info)) == "@context"
    assert reply.headers[hdrs.CONTENT_TYPE].endswith(f'profile="{info["@context"]}"')
    assert "level2.json" in reply.headers[hdrs.LINK]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/ld+json"),
        ("*/*", "application/ld+json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/ld+json"),
        ("application/ld+json, application/json", "application/ld+json"),
        ("application/json", "application/json"),
    ],
)
async def test_the_information_comes_as_the_media_type_that_is_asked_for(
    host: Host, accept: str | None, media_type: str
) -> None:
    base = await uploaded(host, pictures.png(9, 9))
    reply = await host.get(f"{base}/info.json", **({"Accept": accept} if accept else {}))
    assert reply.content_type == media_type
    assert reply.headers[hdrs.VARY] == "Accept"
    assert json.loads(await reply.text())["width"] == 9
    again = await host.get(
        f"{base}/info.json", If_None_Match=reply.headers[hdrs.ETAG], **({"Accept": accept} if accept else {})
    )
    assert again.status == 304


async def test_a_region_comes_with_all_that_views_come_with(host: Host) -> None:
    base = await uploaded(host)
    reply = await host.get(f"{base}/0,0,800,600/!200,200/90/color.webp")
    assert (reply.status, reply.content_type) == (200, "image/webp")
    picture = opened(await reply.read())
    assert picture.size == (150, 200)
    assert picture.getpixel((75, 100))[:3] == pytest.approx(pictures.RED, abs=8)  # type: ignore[index]
    assert f'{base}/0,0,800,600/200,150/90/default.webp>;rel="canonical"' in reply.headers[hdrs.LINK]
    assert reply.headers[hdrs.CACHE_CONTROL] == "public, max-age=3600"
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    again = await host.get(f"{base}/0,0,800,600/200,150/90/default.webp", If_None_Match=reply.headers[hdrs.ETAG])
    assert (again.status, await again.read()) == (304, b"")
    head = await host.client.head(f"{base}/0,0,800,600/200,150/90/default.webp")
    assert head.headers[hdrs.CONTENT_LENGTH] == reply.headers[hdrs.CONTENT_LENGTH]


async def test_percent_signs_carets_and_marks_may_be_escaped(host: Host) -> None:
    base = await uploaded(host)
    one = await (await host.get(f"{base}/pct%3A0,0,50,50/%5E%21100,100/%2190/default.png")).read()
    other = await (await host.get(f"{base}/0,0,800,600/100,75/!90/default.png")).read()
    assert one == other
    assert opened(one).size == (75, 100)


async def test_the_whole_at_a_presets_size_is_that_preset(host: Host, orders: list[list[str]]) -> None:
    base = await uploaded(host, pictures.photo(1600, 1200))
    preset = await host.get(f"/i/{base.rpartition('/')[2]}/small.jpg")
    for size in ("512,384", "512,", "!512,512"):
        reply = await host.get(f"{base}/full/{size}/0/default.jpg")
        assert await reply.read() == await preset.read()
    assert orders == []


async def test_a_region_that_was_made_is_kept_in_memory_and_on_disk(
    open_host: OpenHost, orders: list[list[str]]
) -> None:
    first = await open_host()
    base = await uploaded(first)
    tile = f"{base}/512,512,512,512/512,512/0/default.jpg"
    before = await (await first.get(tile)).read()
    await first.get(tile)
    assert first.counted("tile_lookups_total", layer="memory") == 1
    second = await open_host()
    assert await (await second.get(tile)).read() == before
    assert second.counted("tile_lookups_total", layer="disk") == 1
    assert len(orders) == 1


async def test_a_hundred_viewers_of_one_tile_cost_one_cut(host: Host, orders: list[list[str]]) -> None:
    base = await uploaded(host)
    replies = await asyncio.gather(*(host.get(f"{base}/512,0,512,512/max/0/default.jpg") for _ in range(100)))
    assert {reply.status for reply in replies} == {200}
    assert [name for order in orders for name in order] == ["512,0,512,512-512,512-0-default.jpg"]


async def test_the_tiles_of_one_view_cost_few_decodes(host: Host, orders: list[list[str]]) -> None:
    base = await uploaded(host)
    places = [f"{x},{y},100,100" for x in range(0, 500, 100) for y in range(0, 500, 100)]
    replies = await asyncio.gather(*(host.get(f"{base}/{place}/max/0/default.jpg") for place in places))
    assert {reply.status for reply in replies} == {200}
    assert len(orders) <= 3
    assert sum(map(len, orders)) == 25


async def test_the_largest_answer_keeps_within_the_limit(open_host: OpenHost) -> None:
    host = await open_host(renditions=replace(small_config(Path()).renditions, max_area=300_000))
    base = await uploaded(host)
    assert opened(await (await host.get(f"{base}/{WHOLE}")).read()).size == (632, 474)
    told = await problem(await host.get(f"{base}/full/1000,/0/default.jpg"), "invalid-image-request")
    assert (told["limit"], told["actual"]) == (300_000, 750_000)


async def test_a_gone_image_is_gone_from_every_address(host: Host) -> None:
    resource = await host.upload(pictures.png(1600, 1200))
    base = f"/iiif/3/{resource['slug']}"
    tile = f"{base}/0,0,512,512/max/0/default.jpg"
    assert (await host.get(tile)).status == 200
    assert len(host.files("cache/tiles")) == 1
    await host.delete(resource["slug"], resource["delete_token"])
    for path in (base, f"{base}/info.json", tile):
        await problem(await host.get(path), "gone")
    await host.erase()
    assert host.files("cache") == []
    assert (await host.get(tile)).status == 410


async def test_an_expired_image_is_gone(host: Host) -> None:
    resource = await host.upload(pictures.png(600, 600), expires_in="60")
    tile = f"/iiif/3/{resource['slug']}/0,0,512,512/max/0/default.jpg"
    reply = await host.get(tile)
    assert reply.headers[hdrs.CACHE_CONTROL] == "public, max-age=60"
    host.clock.forward(61)
    await problem(await host.get(tile), "gone")
    await host.appliance.image_lifecycle.end()
    assert host.files("cache/tiles") == []


async def test_an_image_that_can_not_be_resized_has_no_regions(open_host: OpenHost) -> None:
    host = await open_host(uploads=replace(small_config(Path()).uploads, max_pixels=1000))
    base = await uploaded(host)
    for rest in ("info.json", WHOLE, "0,0,10,10/max/0/default.jpg"):
        await problem(await host.get(f"{base}/{rest}"), "cannot-resize")


async def test_pixels_that_turn_out_broken_are_remembered(host: Host, orders: list[list[str]]) -> None:
    base = await uploaded(host, pictures.damaged_png())
    for _ in range(3):
        await problem(await host.get(f"{base}/0,0,200,200/max/0/default.jpg"), "cannot-resize")
    assert len(orders) == 1


async def test_a_zoom_that_fails_by_bad_luck_takes_no_size_away(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    base = await uploaded(host)

    async def unlucky(_worker: Worker, *_: Any) -> list[bytes]:
        raise CannotResize("Resizing this image took longer than the limit of 20 seconds.")

    with monkeypatch.context() as patch:
        patch.setattr(Worker, "cut", unlucky)
        for second in range(3):
            tiles = [f"{base}/{x},{second},100,100/max/0/default.jpg" for x in range(5)]
            for reply in await asyncio.gather(*map(host.get, tiles)):
                await problem(reply, "cannot-resize")
            host.clock.forward(601)
    slug = base.rpartition("/")[2]
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    assert (await host.get(f"{base}/0,0,100,100/max/0/default.jpg")).status == 200
    assert (await (await host.get(f"/api/v1/images/{slug}")).json())["state"] == "ready"


async def test_a_picture_that_is_still_arriving_has_no_regions_yet(host: Host) -> None:
    created = await host.client.post(
        "/api/v1/uploads", headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "Content-Length": "0"}
    )
    state = await (await host.client.get(created.headers["Location"])).json()
    for rest in ("", "/info.json", f"/{WHOLE}"):
        reply = await host.get(f"/iiif/3/{state['image']['slug']}{rest}")
        await problem(reply, "not-here-yet")
        assert reply.headers["Retry-After"]


async def test_a_square_of_a_tall_picture_is_all_of_it_and_not_its_top(host: Host) -> None:
    """As asked for; its thumbnail is a square too, and shows something else."""
    picture = Image.new("RGB", (300, 1200), "red")
    picture.paste("blue", (0, 600, 300, 1200))
    base = await uploaded(host, pictures.saved(picture, "png"))
    shown = opened(await (await host.get(f"{base}/full/256,256/0/default.jpg")).read()).convert("RGB")
    assert shown.getpixel((128, 200)) == pytest.approx((0, 0, 255), abs=20)
    slug = base.rpartition("/")[2]
    top = opened(await (await host.get(f"/i/{slug}/thumbnail.jpg")).read()).convert("RGB")
    assert top.size == (256, 256)
    assert top.getpixel((128, 200)) == pytest.approx((255, 0, 0), abs=20)
    card = opened(await (await host.get(f"/i/{slug}/preview.jpg")).read())
    assert card.size == (256, 256)
