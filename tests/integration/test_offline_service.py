"""The offline service and prewarming: what is made before anybody looks, and when nothing is."""

import asyncio

import pytest

from appliance.config import Renditions
from appliance.lifecycle import prewarming
from tests.conftest import Host, OpenHost, until


async def opened_with_prewarm(open_host: OpenHost, *names: str) -> Host:
    return await open_host(renditions=Renditions(workers=1, prewarm=names))


async def test_the_offline_service_makes_what_is_missing_newest_first_and_marks_it(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch, jpeg: bytes
) -> None:
    host = await opened_with_prewarm(open_host, "small", "medium")
    monkeypatch.setattr(host.appliance.ingest, "_prewarm", lambda _image: None)
    monkeypatch.setattr(prewarming, "BATCH", 2)
    images = []
    for _ in range(3):
        images.append(await host.upload(jpeg))
        host.clock.forward(60)
    newest = sorted((image["slug"] for image in images), reverse=True)
    assert await host.appliance.offline_service.run() == 2
    assert [image.slug for image in await host.appliance.catalogue.unwarmed()] == newest[2:]
    assert await host.appliance.cache.names(newest[0]) == {"small.jpg", "medium.jpg"}
    assert await host.appliance.cache.names(newest[2]) == set()
    assert await host.appliance.offline_service.run() == 1
    assert await host.appliance.offline_service.run() == 0
    assert host.counted("renditions_total", preset="small", format="jpg") == 3


async def test_an_upload_is_prewarmed_at_once_from_one_decode(open_host: OpenHost, jpeg: bytes) -> None:
    host = await opened_with_prewarm(open_host, "thumbnail", "small")
    image = await host.upload(jpeg)
    await until(lambda: len(host.files("cache")) == 2)
    assert host.counted("rendition_seconds_count", priority="prewarm") == 1
    async with asyncio.timeout(20):
        while await host.appliance.catalogue.unwarmed():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.005)
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200
    assert host.counted("cache_lookups_total", layer="miss") == 0


async def test_without_prewarm_nothing_is_made_before_somebody_looks(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    assert await host.appliance.offline_service.run() == 0
    assert host.files("cache") == []
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200
    await until(lambda: len(host.files("cache")) == 1)
