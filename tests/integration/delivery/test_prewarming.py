"""The offline service and prewarming: what is made before anybody looks, and when nothing is."""

import asyncio

import pytest

from appliance.config.model import Renditions
from appliance.http.localization.formatting import ENGLISH_FORMATTER
from tests.support.host import Host, OpenHost
from tests.support.images import pictures
from tests.support.waiting import until


async def opened_with_prewarm(open_host: OpenHost, *names: str) -> Host:
    return await open_host(renditions=Renditions(workers=1, prewarm=names))


async def test_the_prewarmer_makes_what_is_missing_newest_first_and_marks_it(
    open_host: OpenHost, monkeypatch: pytest.MonkeyPatch, jpeg: bytes
) -> None:
    host = await opened_with_prewarm(open_host, "small", "medium")
    monkeypatch.setattr(host.appliance.delivery, "prewarm_soon", lambda _image, _client: None)
    host.appliance.prewarmer.batch = 2
    images = []
    for _ in range(3):
        images.append(await host.upload(jpeg))
        host.clock.forward(60)
    newest = sorted((image["slug"] for image in images), reverse=True)
    assert await host.appliance.prewarmer.prewarm_batch() == 2
    assert [image.slug for image in await host.appliance.catalogue.images.unwarmed()] == newest[2:]

    async def is_cached() -> bool:
        made = await host.appliance.cache.names(newest[0])
        return made - {"medium.avif"} == {"small.jpg", "medium.jpg", "placeholder.webp"}  # which idle time may bring

    await until(is_cached)  # it is answered first and cached second
    assert await host.appliance.cache.names(newest[2]) == set()
    assert await host.appliance.prewarmer.prewarm_batch() == 1
    assert await host.appliance.prewarmer.prewarm_batch() == 0
    assert host.counted("renditions_total", preset="small", format="jpg") == 3


async def test_an_upload_is_prewarmed_at_once_from_one_decode(open_host: OpenHost, jpeg: bytes) -> None:
    host = await opened_with_prewarm(open_host, "thumbnail", "small")
    image = await host.upload(jpeg)
    await until(lambda: len(host.files("cache")) >= 3)  # two sizes and the placeholder
    await until(lambda: host.counted("rendition_seconds_count", priority="prewarm") > 0)  # once all of it is cached
    async with asyncio.timeout(20):
        while await host.appliance.catalogue.images.unwarmed():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.005)
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200
    assert host.counted("cache_lookups_total", layer="miss") == 0
    assert host.counted("rendition_seconds_count", priority="prewarm") == 1


async def test_without_prewarm_nothing_is_made_before_somebody_looks(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg)
    assert await host.appliance.prewarmer.prewarm_batch() == 0
    assert host.files("cache") == []
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200
    await until(lambda: len(host.files("cache")) == 1)


async def test_only_still_pictures_that_cover_it_have_a_placeholder(open_host: OpenHost, jpeg: bytes) -> None:
    host = await opened_with_prewarm(open_host, "thumbnail")
    for data, filename in ((pictures.alpha_png(), "a.png"), (pictures.animated("gif"), "a.gif"), (jpeg, "a.jpg")):
        image = await host.upload(data, filename)
        await host.appliance.prewarmer.prewarm_batch()
        names = await host.appliance.cache.names(image["slug"])
        assert ("placeholder.webp" in names) == (filename == "a.jpg")
        page = await (await host.get(f"/i/{image['slug']}")).text()
        assert ("data:image/webp;base64," in page) == (filename == "a.jpg")
        assert (await host.get(f"/i/{image['slug']}/placeholder.webp")).status == 404


async def test_the_share_page_tells_the_bytes_of_the_sizes_that_are_made(open_host: OpenHost, jpeg: bytes) -> None:
    host = await opened_with_prewarm(open_host, "medium")
    image = await host.upload(jpeg)
    await host.appliance.prewarmer.prewarm_batch()
    made = len(await (await host.get(f"/i/{image['slug']}/medium.jpg")).read())
    page = await (await host.get(f"/i/{image['slug']}")).text()
    assert f'/medium.jpg" aria-label="Medium as JPEG">JPEG</a> <small>{ENGLISH_FORMATTER.size(made)}</small>' in page
    assert 'aria-label="Small as JPEG">JPEG</a></span>' in page
