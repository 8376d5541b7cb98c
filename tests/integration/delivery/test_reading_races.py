"""Races of readers with what moves, evicts or deletes the original under them."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from appliance.delivery import service
from tests.support.gates import gated, gone_everywhere
from tests.support.host import Host, OpenHost, problem
from tests.support.images.pictures import opened
from tests.support.waiting import until


@asynccontextmanager
async def between_resolve_and_open(
    host: Host, monkeypatch: pytest.MonkeyPatch, path: str
) -> AsyncIterator[asyncio.Task[Any]]:
    """A view that has resolved its image and opens nothing before the block ends."""
    held = gated(monkeypatch, host.appliance.delivery, "resolve", after=True)
    view = asyncio.create_task(host.get(path))
    await held.reached.wait()
    yield view
    held.open()


@pytest.mark.parametrize("rest", ["/original", "/small.jpg"])
@pytest.mark.parametrize("evicted", [False, True])
async def test_a_reader_whose_file_moves_or_is_evicted_after_it_resolved_gets_the_bytes(
    patient: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, rest: str, evicted: bool
) -> None:
    shipping = gated(monkeypatch, patient.appliance.store, "put")
    image = await patient.upload(jpeg)
    await shipping.reached.wait()
    async with between_resolve_and_open(patient, monkeypatch, f"/i/{image['slug']}{rest}") as view:
        shipping.open()
        await until(lambda: not patient.appliance.shipper.backlog)
        assert patient.files("spool/landed") == []
        if evicted:
            patient.appliance.spool.copy_path(image["slug"]).unlink()
    response = await view
    assert response.status == 200
    body = await response.read()
    if rest == "/original":
        assert body == jpeg
    else:
        assert opened(body).size == (512, 384)


async def test_a_copy_that_is_evicted_before_it_is_opened_is_fetched_again(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    copy = host.appliance.spool.copy_path(image["slug"])
    copy.unlink()
    real, fetched = host.appliance.spool.count_copy, []

    def count_and_evict(slug: str) -> None:
        real(slug)
        fetched.append(copy.exists())
        if len(fetched) == 1:
            copy.unlink()

    monkeypatch.setattr(host.appliance.spool, "count_copy", count_and_evict)
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200
    assert fetched == [True, True]


async def test_originals_larger_than_the_whole_spool_budget_are_shown_in_every_size(
    open_host: OpenHost, config: Any, jpeg: bytes
) -> None:
    host = await open_host(uploads=replace(config.uploads, spool_bytes=0))
    image = await host.upload(jpeg)
    for preset in ("small", "medium", "large"):
        assert (await host.get(f"/i/{image['slug']}/{preset}.png")).status == 200
    await until(lambda: not host.files("spool"))


async def test_a_view_waits_only_so_long_for_a_catalogue_that_does_not_answer(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    monkeypatch.setattr(service, "FOUND_WITHIN_S", 0.05)

    async def never(_: str) -> None:
        await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(host.appliance.catalogue.images, "get", never)
        for rest in ("/small.jpg", "/original"):
            await problem(await host.get(f"/i/{image['slug']}{rest}"), "catalogue-unavailable")
    assert (await host.get(f"/i/{image['slug']}/small.jpg")).status == 200


async def test_a_full_disk_that_the_store_notices_first_is_said(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    host.appliance.spool.copy_path(image["slug"]).unlink()

    async def fetch(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(host.appliance.store, "fetch", fetch)
    reply = await host.get(f"/i/{image['slug']}/small.jpg")
    assert "disk space" in (await problem(reply, "busy"))["detail"]


async def test_a_deletion_while_the_original_is_fetched_leaves_no_copy(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = await host.upload(jpeg)
    host.appliance.spool.copy_path(image["slug"]).unlink()
    held = gated(monkeypatch, host.appliance.store, "fetch", after=True)
    view = asyncio.create_task(host.get(f"/i/{image['slug']}/small.jpg"))
    await held.reached.wait()
    assert len(host.files("spool/copies")) == 1
    await host.delete(image["slug"], image["delete_token"])
    assert await host.erase() == 1
    os.link(__file__, host.appliance.spool.copy_path(image["slug"]))  # as if the fetch had ended only now
    held.open()
    await problem(await view, "gone")
    await gone_everywhere(host, image["slug"])
