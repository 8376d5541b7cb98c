"""Races around making renditions: with deletions, with failures, with the stop of the server."""

import asyncio
from typing import Any

import pytest

from appliance.cache import Rendition
from appliance.domain.clients import Clients
from appliance.domain.errors import CatalogueUnavailable, Stopping, StoreUnavailable
from appliance.domain.model import Image
from appliance.domain.renditions import Priority
from tests.support.gates import gated, gone_everywhere, row, target
from tests.support.host import Host
from tests.support.waiting import until


async def test_no_cache_keeps_a_rendition_whose_image_ended_while_it_was_made(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    held = gated(monkeypatch, host.appliance.cache, "admit_all")
    view = asyncio.create_task(host.get(f"/i/{image['slug']}/small.jpg"))
    await held.reached.wait()
    await host.delete(image["slug"], image["delete_token"])
    held.open()
    await view
    await until(lambda: not host.appliance.cache.images_in_progress)
    assert host.files("cache") == []
    assert host.appliance.cache.memory_bytes == 0
    assert await host.erase() == 1
    await gone_everywhere(host, image["slug"])


async def test_links_of_a_deleted_image_are_gone_even_where_memory_holds_their_bytes(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    path = f"/i/{image['slug']}/small.jpg"
    etag = (await host.get(path)).headers["ETag"]
    await until(lambda: len(host.files("cache")) == 1)

    async def forgetful(_slug: str) -> None:
        """An eviction that has not come yet."""

    monkeypatch.setattr(host.appliance.cache, "evict", forgetful)
    await host.delete(image["slug"], image["delete_token"])
    assert host.appliance.cache.peek(image["slug"], "small.jpg")
    assert (await host.get(path)).status == 410
    assert (await host.get(path, If_None_Match=etag)).status == 410


async def test_a_size_that_joins_a_failing_batch_is_made_by_the_next(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await row(host, (await host.upload(jpeg))["slug"])
    renderer = host.appliance.delivery.renderer
    closing = host.appliance.cache.end
    joined: list[asyncio.Future[Rendition]] = []

    def join_at_the_last_moment(ticket: Any) -> None:
        if not joined:
            joined.append(renderer.order(image, target(host, "medium"), Priority.VIEW, Clients()))
        closing(ticket)

    real, calls = host.appliance.delivery.originals.file, []

    async def faulty_once(wanted: Image, clients: Clients) -> Any:
        calls.append(wanted.slug)
        if len(calls) == 1:
            raise StoreUnavailable("The store is away.")
        return await real(wanted, clients)

    monkeypatch.setattr(host.appliance.delivery.originals, "file", faulty_once)
    monkeypatch.setattr(host.appliance.cache, "end", join_at_the_last_moment)
    first = renderer.order(image, target(host, "small"), Priority.VIEW, Clients())
    async with asyncio.timeout(20):
        with pytest.raises(StoreUnavailable):
            await first
        with pytest.raises(StoreUnavailable):
            await joined[0]  # it was in time to fail with the others, and is told so
        assert (await renderer.render(image, target(host, "medium"), Priority.VIEW, Clients())).data


async def test_a_size_wanted_while_a_failure_is_remembered_is_not_left_waiting(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verdict is being written, and the catalogue can't: who came meanwhile is served all the same."""
    image = await row(host, (await host.upload(jpeg))["slug"])
    renderer = host.appliance.delivery.renderer
    path = host.appliance.spool.copy_path(image.slug)
    path.unlink()  # the store's object shares its blocks
    path.write_bytes(jpeg[:200])
    host.appliance.spool.originals.note_copy(image.slug, image.sha256)  # as where the disk has damaged it since

    async def refused(_slug: str, _reason: str) -> None:
        joined.append(renderer.order(image, target(host, "medium"), Priority.VIEW, Clients()))
        path.write_bytes(jpeg)
        raise CatalogueUnavailable("The catalogue does not answer.")

    joined: list[asyncio.Future[Rendition]] = []
    renderer.failures.max_failures = 1
    monkeypatch.setattr(host.appliance.catalogue.images, "mark_original_only", refused)
    assert (await host.get(f"/i/{image.slug}/small.jpg")).status == 422
    async with asyncio.timeout(20):
        assert (await joined[0]).data
    assert (await host.get(f"/i/{image.slug}/large.jpg")).status == 200


async def test_stopping_tells_those_whose_size_still_waits_for_its_batch(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    held = gated(monkeypatch, host.appliance.cache, "admit_all")
    running = asyncio.create_task(host.get(f"/i/{image['slug']}/small.jpg"))
    await held.reached.wait()
    renderer = host.appliance.delivery.renderer
    collecting = renderer.order(await row(host, image["slug"]), target(host, "medium"), Priority.VIEW, Clients())
    await renderer.close()
    assert (await running).status == 200
    async with asyncio.timeout(20):
        with pytest.raises(Stopping):
            await collecting
