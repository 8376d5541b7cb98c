"""Page formats: AVIF and WebP that pages name once they are made, which happens while nobody waits for anything."""

import asyncio
from typing import Any

import pytest

from appliance.config.model import Renditions
from appliance.delivery import idle_renderer
from appliance.delivery.idle_renderer import IdleRenderer
from appliance.delivery.page_formats import page_targets
from appliance.domain.renditions import Priority, RenderedFile
from appliance.workers import Worker
from tests.imaging.test_gain_maps import ultra_hdr
from tests.support.gates import row
from tests.support.host import Host, OpenHost
from tests.support.images import pictures
from tests.support.rendered_page import Page
from tests.support.waiting import until

SIZES = ("thumbnail", "small", "medium", "large")
FOR_PHONES = "medium-large.avif"
ALL = {FOR_PHONES, "medium.avif", "large.avif", "medium-large.webp"}


async def opened_with_prewarm(open_host: OpenHost, sizes: tuple[str, ...] = SIZES) -> Host:
    return await open_host(renditions=Renditions(workers=1, prewarm=sizes))


async def made(host: Host, slug: str) -> set[str]:
    """The page formats in the cache."""
    return {name for name in await host.appliance.cache.names(slug) if name.endswith("avif") or "-" in name}


def left(idle: IdleRenderer) -> int:
    """How many renditions are being made, or wait for an idle moment."""
    return idle.running + idle.waiting


async def idle_again(host: Host) -> None:
    delivery = host.appliance.delivery
    await until(lambda: delivery.prewarming == 0 and left(delivery.idle_renderer) == 0, "nothing left to do")


async def shown(host: Host, slug: str) -> Page:
    return Page(await (await host.get(f"/i/{slug}")).text())


async def test_pages_name_lighter_formats_once_they_are_made(open_host: OpenHost) -> None:
    host = await opened_with_prewarm(open_host)
    slug = (await host.upload(pictures.photo(2400, 1600)))["slug"]

    async def has_one_for_phones() -> bool:
        return await made(host, slug) == {FOR_PHONES}

    async def has_all() -> bool:
        return await made(host, slug) == ALL

    await until(has_one_for_phones, "an AVIF for phones, ahead of anybody who looks")
    (source,) = (await shown(host, slug)).all("source")
    assert source["srcset"] == f"/i/{slug}/medium-large.avif 1536w"
    assert source["media"] == "(max-width: 768px) and (min-resolution: 1.5dppx)"
    await until(has_all, "the other formats, because the page was shown")
    avif, webp = (await shown(host, slug)).all("source")
    assert [each.split()[1] for each in avif["srcset"].split(", ")] == ["1024w", "1536w", "2048w"]
    assert "max-width" not in avif["media"]
    assert webp["srcset"] == f"/i/{slug}/medium-large.webp 1536w"
    await idle_again(host)  # a file is in the cache a moment before its rendering is over
    assert host.counted("worker_cpu_seconds_total", lane="background") > 0


async def test_only_what_nobody_waits_for_is_made_patiently(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, bool] = {}
    render = Worker.render

    async def noted(*order: Any, patient: bool = False) -> list[RenderedFile]:
        asked.update((target.name, patient) for target in order[-1])
        return await render(*order, patient=patient)

    monkeypatch.setattr(Worker, "render", noted)
    host = await opened_with_prewarm(open_host, ("medium",))
    slug = (await host.upload(pictures.photo(1040, 700)))["slug"]
    await idle_again(host)
    await host.get(f"/i/{slug}/small.avif")
    assert asked == {"medium.jpg": False, "placeholder.webp": False, FOR_PHONES: True, "small.avif": False}


async def test_nothing_is_made_while_somebody_waits(open_host: OpenHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_renderer, "CHECK_S", 0.001)
    host = await opened_with_prewarm(open_host)
    workers, idle = host.appliance.workers, host.appliance.delivery.idle_renderer
    slug = (await host.upload(pictures.photo(1700, 1200)))["slug"]
    await idle_again(host)
    before = await made(host, slug)
    async with workers.lease((await row(host, slug)).facts, Priority.VIEW):
        await shown(host, slug)
        waiting = idle.waiting
        assert host.counted("idle_waiting_jobs") == waiting
        await asyncio.sleep(0.05)  # some fifty looks
        assert idle.waiting == waiting == len(ALL - before)
        assert idle.running == host.counted("idle_running_jobs") == 0
        assert await made(host, slug) == before
    await idle_again(host)
    assert await made(host, slug) == ALL


async def test_an_image_that_ends_meanwhile_gets_none(open_host: OpenHost, jpeg: bytes) -> None:
    host = await opened_with_prewarm(open_host)
    image = await host.upload(jpeg)
    await idle_again(host)
    async with host.appliance.workers.lease((await row(host, image["slug"])).facts, Priority.VIEW):
        await shown(host, image["slug"])
        await host.delete(image["slug"], image["delete_token"])
    await idle_again(host)
    assert await host.appliance.cache.names(image["slug"]) == set()


@pytest.mark.parametrize("sizes", [SIZES, ("thumbnail",)])
async def test_an_image_of_high_dynamic_range_is_shown_as_jpeg(open_host: OpenHost, sizes: tuple[str, ...]) -> None:
    """Its JPEGs have a gain map, which the other formats here have not; a thumbnail is too small for it."""
    host = await opened_with_prewarm(open_host, sizes)
    slug = (await host.upload(ultra_hdr()))["slug"]
    await until(lambda: host.appliance.delivery.prewarming == 0)
    assert not (await shown(host, slug)).all("source")
    await idle_again(host)
    assert await made(host, slug) == set()


async def test_what_pages_show_in_webp_has_no_other_formats(open_host: OpenHost) -> None:
    host = await opened_with_prewarm(open_host)
    for data in (pictures.alpha_png(), pictures.animated("gif"), pictures.photo(300, 2000)):
        image = await row(host, (await host.upload(data))["slug"])
        assert page_targets(image, host.appliance.config.renditions) == []


async def test_without_prewarming_everything_is_on_demand(host: Host, jpeg: bytes) -> None:
    image = await row(host, (await host.upload(jpeg))["slug"])
    assert page_targets(image, host.appliance.config.renditions) == []
