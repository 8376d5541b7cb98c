"""Making renditions: one decode for many, from a larger one where there is one, and images that can't be resized."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from appliance.config.model import Renditions
from appliance.delivery import render_sessions
from appliance.domain import refusals
from appliance.domain.clients import Clients
from appliance.domain.errors import Busy, StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.renditions import Priority
from appliance.workers import Worker
from tests.support.gates import gated, row, target
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images import pictures
from tests.support.images.pictures import opened
from tests.support.waiting import until

PRESETS = ("thumbnail", "small", "medium", "large")


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The sizes of each order that a worker carries out."""
    orders: list[list[str]] = []
    render = Worker.render

    async def counting(worker: Worker, fd: int, facts: Any, targets: Any) -> Any:
        orders.append([target.name for target in targets])
        return await render(worker, fd, facts, targets)

    monkeypatch.setattr(Worker, "render", counting)
    return orders


async def statuses(host: Host, slug: str, names: list[str]) -> set[int]:
    replies = await asyncio.gather(*(host.get(f"/i/{slug}/{name}") for name in names))
    return {reply.status for reply in replies}


async def test_a_hundred_viewers_of_all_sizes_cost_one_decode(host: Host, decodes: list[list[str]]) -> None:
    slug = (await host.upload(pictures.photo(2600, 1800)))["slug"]
    names = [f"{preset}.jpg" for preset in PRESETS]
    assert await statuses(host, slug, names * 25) == {200}
    # The first to come starts the work; who comes while it runs shares the next order.
    assert len(decodes) <= 2
    assert sorted(name for order in decodes for name in order) == sorted(names)
    assert sum(host.counted("renditions_total", preset=preset, format="jpg") for preset in PRESETS) == 4


async def test_a_view_waits_for_no_larger_size_that_nobody_looks_at(
    host: Host, decodes: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await row(host, (await host.upload(pictures.photo(2600, 1800)))["slug"])
    ahead = Ahead(host, image, monkeypatch)
    await ahead.held.reached.wait()
    assert (await host.get(f"/i/{image.slug}/medium.jpg")).status == 200
    assert [sorted(order) for order in decodes] == [["medium.jpg", "small.jpg", "thumbnail.jpg"]]
    await ahead.made()
    assert decodes[1:] == [["large.jpg"]]


async def test_views_of_all_sizes_while_all_wait_cost_two_decodes(
    host: Host, decodes: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await row(host, (await host.upload(pictures.photo(2600, 1800)))["slug"])
    ahead = Ahead(host, image, monkeypatch)
    await ahead.held.reached.wait()
    assert await statuses(host, image.slug, [f"{preset}.jpg" for preset in PRESETS]) == {200}
    await ahead.made()
    assert len(decodes) <= 2


async def test_a_view_of_what_is_expensive_to_decode_takes_all_that_waits(
    host: Host, decodes: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await row(host, (await host.upload(pictures.photo(2600, 1800)))["slug"])
    monkeypatch.setattr(host.appliance.workers, "is_expensive", lambda facts: facts == image.facts)
    ahead = Ahead(host, image, monkeypatch)
    await ahead.held.reached.wait()
    assert (await host.get(f"/i/{image.slug}/thumbnail.jpg")).status == 200
    await ahead.made()
    assert [sorted(order) for order in decodes] == [sorted(f"{preset}.jpg" for preset in PRESETS)]


async def test_a_view_that_finds_no_place_fails_nothing_that_waits(
    host: Host, decodes: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await row(host, (await host.upload(pictures.photo(2600, 1800)))["slug"])
    ahead = Ahead(host, image, monkeypatch)
    await ahead.held.reached.wait()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host.appliance.workers, "lease", _full)
        await problem(await host.get(f"/i/{image.slug}/large.jpg"), "busy")
    await ahead.made()
    assert [sorted(order) for order in decodes] == [sorted(f"{preset}.jpg" for preset in PRESETS)]


def _full(*_: object, **__: object) -> None:
    raise Busy("Too many wait.")


async def test_a_view_that_waits_is_answered_by_what_runs_ahead_of_it(
    host: Host, decodes: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await row(host, (await host.upload(pictures.photo(2600, 1800)))["slug"])
    renderer = host.appliance.delivery.renderer
    held = gated(monkeypatch, render_sessions, "nearest_source")
    view = renderer.order(image, target(host, "small"), Priority.VIEW, Clients())
    await held.reached.wait()
    ahead = renderer.order(image, target(host, "small"), Priority.PREWARM, Clients())
    assert (await ahead).data == (await view).data
    held.open()
    await until(lambda: not len(renderer.batches))
    assert decodes == [["small.jpg"]]


class Ahead:
    """All sizes of an image, ordered ahead of any view and held back before they are made."""

    def __init__(self, host: Host, image: Image, patch: pytest.MonkeyPatch) -> None:
        self._renderer = host.appliance.delivery.renderer
        self.held = gated(patch, render_sessions, "nearest_source")
        self._futures = [
            self._renderer.order(image, target(host, preset), Priority.PREWARM, Clients()) for preset in PRESETS
        ]

    async def made(self) -> None:
        self.held.open()
        assert all([(await future).data for future in self._futures])
        await until(lambda: not len(self._renderer.batches))


async def test_a_size_that_was_made_is_not_made_again(host: Host, jpeg: bytes, decodes: list[list[str]]) -> None:
    slug = (await host.upload(jpeg))["slug"]
    for _ in range(3):
        await host.get(f"/i/{slug}/small.jpg")
    assert decodes == [["small.jpg"]]
    assert host.counted("cache_lookups_total", layer="memory") == 2
    assert host.counted("cache_lookups_total", layer="miss") == 1


async def test_a_size_on_disk_survives_a_restart(open_host: OpenHost, jpeg: bytes, decodes: list[list[str]]) -> None:
    first = await open_host()
    slug = (await first.upload(jpeg))["slug"]
    before = await (await first.get(f"/i/{slug}/small.jpg")).read()
    await first.all_cached()
    second = await open_host()
    assert await (await second.get(f"/i/{slug}/small.jpg")).read() == before
    assert second.counted("cache_lookups_total", layer="disk") == 1
    assert len(decodes) == 1


async def test_a_small_size_is_made_from_a_larger_one_without_the_original(host: Host) -> None:
    slug = (await host.upload(pictures.photo(1600, 1200)))["slug"]
    await host.get(f"/i/{slug}/large.jpg")
    await host.appliance.spool.remove(slug)
    await host.appliance.store.delete(f"originals/{slug[:4]}/{slug}")
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    told = await problem(await host.get(f"/i/{slug}/small.png"), "store-unavailable")  # never lossless from lossy
    assert told["detail"]
    await problem(await host.get(f"/i/{slug}/original"), "store-unavailable")


async def test_sizes_that_the_source_can_not_give_join_and_all_are_made(host: Host) -> None:
    slug = (await host.upload(pictures.photo(1600, 1200)))["slug"]
    await host.get(f"/i/{slug}/large.jpg")
    names = ["thumbnail.jpg", "small.png", "medium.webp", "large.avif"]
    assert await statuses(host, slug, names) == {200}


async def test_renditions_are_made_from_the_store_when_the_spool_has_no_copy(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await host.appliance.spool.remove(slug)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    assert [path.name for path in host.files("spool/copies")] == [slug]
    assert host.appliance.spool.room.promised_bytes == 0


async def test_a_store_that_is_away_is_a_fault_and_not_the_images(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await host.appliance.spool.remove(slug)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host.appliance.store, "fetch", _away)
        reply = await host.get(f"/i/{slug}/small.jpg")
        await problem(reply, "store-unavailable")
        assert int(reply.headers["Retry-After"]) >= 1
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200  # nothing was held against the image


async def _away(*_: object, **__: object) -> None:
    raise StoreUnavailable("The store does not answer.")


async def test_more_than_may_wait_is_told_to_come_back(open_host: OpenHost) -> None:
    host = await open_host(renditions=Renditions(workers=1, queue=1, prewarm=()))
    slugs = [(await host.upload(pictures.photo(1500, 1000, seed=seed)))["slug"] for seed in range(6)]
    replies = await asyncio.gather(*(host.get(f"/i/{slug}/large.avif") for slug in slugs))
    refused = [reply for reply in replies if reply.status != 200]
    assert refused
    for reply in refused:
        await problem(reply, "busy")
        assert reply.headers["Retry-After"] == "2"
    assert len(refused) < 6
    assert (await host.get(f"/i/{slugs[-1]}/small.jpg")).status == 200


async def test_an_image_over_the_pixel_limit_is_kept_shown_and_downloadable(open_host: OpenHost, jpeg: bytes) -> None:
    limits = replace(small_config(Path()).uploads, max_pixels=1000)
    host = await open_host(uploads=limits)
    resource = await host.upload(jpeg, "big.jpg")
    slug = resource["slug"]
    assert (resource["state"], resource["renditions"]) == ("original-only", {})
    assert resource["problem"]["code"] == "cannot-resize"
    assert "1,000" in resource["problem"]["detail"]
    assert await (await host.get(f"/i/{slug}/original")).read() == jpeg
    page = await (await host.get(f"/i/{slug}", Accept="text/html")).text()
    assert "1,000" in page
    for name in ("small", "small.jpg", "large.avif"):
        told = await problem(await host.get(f"/i/{slug}/{name}"), "cannot-resize")
        assert "1,000" in told["detail"]
    oembed = await (await host.get(f"/oembed?url=http://127.0.0.1:8080/i/{slug}")).json()
    assert oembed["type"] == "link"


async def test_pixels_that_can_not_be_decoded_are_remembered(host: Host, decodes: list[list[str]]) -> None:
    data = pictures.damaged_png()
    image = await host.upload(data)
    slug = image["slug"]
    assert (image["state"], image["incomplete"]) == ("ready", False)
    for _ in range(3):
        await problem(await host.get(f"/i/{slug}/small.jpg"), "cannot-resize")
    assert len(decodes) == 1
    assert (await (await host.get(f"/api/v1/images/{slug}")).json())["state"] == "original-only"
    assert (
        'became_original_only_total{reason="pixels"} 1.0' in generate_latest(host.appliance.metrics.registry).decode()
    )
    assert await (await host.get(f"/i/{slug}/original")).read() == data


async def test_a_png_cut_short_is_original_only_from_the_first_answer_on(host: Host, decodes: list[list[str]]) -> None:
    data = pictures.interlaced_png(300, 300)
    image = await host.upload(data[: len(data) // 2])
    assert (image["state"], image["incomplete"]) == ("original-only", True)
    assert image["problem"]["detail"] == refusals.CUT_SHORT
    page = await (await host.get(f"/i/{image['slug']}", accept_language="de")).text()
    assert "Die Datei ist abgeschnitten" in page
    assert "Ihr Ende fehlt" in page
    assert decodes == []


async def test_a_first_frame_is_shown_where_the_format_can_not_move(host: Host) -> None:
    slug = (await host.upload(pictures.animated("gif")))["slug"]
    assert getattr(opened(await (await host.get(f"/i/{slug}/small.jpg")).read()), "n_frames", 1) == 1
