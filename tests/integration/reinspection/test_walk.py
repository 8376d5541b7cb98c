"""The walk over all images: in steps, once for all of them, and continued where it was interrupted."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.errors import CommandFailed
from appliance.reinspection.steps import StepRequest
from tests.support.gates import gated, row
from tests.support.host import Host, OpenHost
from tests.support.managed_images import resource
from tests.support.shared_caches import stand_in
from tests.support.stored_before import set_columns
from tests.support.waiting import until

ALL = StepRequest(after="", max_examples=10)


async def test_an_image_over_todays_limits_becomes_original_only(open_host: OpenHost, config: Any, jpeg: bytes) -> None:
    slug = (await (await open_host()).upload(jpeg))["slug"]
    host = await open_host(uploads=replace(config.uploads, max_pixels=1000))
    assert (await host.appliance.reinspector.step(ALL)).counts == {"changed": 1, "original-only": 1}
    assert (await resource(host, slug))["state"] == "original-only"


async def test_a_dry_run_changes_nothing_and_says_what_would(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await set_columns(host, slug, frames=7)
    before = await row(host, slug)
    step = await host.appliance.reinspector.step(replace(ALL, dry_run=True))
    assert (step.counts, step.examples) == ({"changed": 1}, (f"{slug}: frames 7 -> 1",))
    assert await row(host, slug) == before
    assert (await host.appliance.reinspector.step(StepRequest())).counts == {"changed": 1}


async def test_a_run_that_was_interrupted_continues_where_it_stopped(open_host: OpenHost, jpeg: bytes) -> None:
    host = await open_host()
    slugs = sorted([(await host.upload(jpeg))["slug"] for _ in range(3)])
    first = await host.appliance.reinspector.step(StepRequest(max_images=2))
    assert (first.after, first.looked_at) == (slugs[1], 2)
    later = await open_host()
    second = await later.appliance.reinspector.step(StepRequest(max_images=2))
    assert (second.after, second.looked_at) == (slugs[2], 3)
    assert (await later.appliance.reinspector.step(StepRequest())).after is None
    assert (await later.appliance.reinspector.step(StepRequest())).looked_at == 3, (
        "a new run begins with the first image"
    )


async def test_a_run_that_cleans_does_not_continue_one_that_did_not(host: Host, jpeg: bytes) -> None:
    await host.upload(jpeg)
    await host.appliance.reinspector.step(StepRequest(max_images=1))
    assert (await host.appliance.reinspector.step(StepRequest(clean=True))).looked_at == 1


async def test_only_one_run_takes_steps(host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    await host.upload(jpeg)
    held = gated(monkeypatch, host.appliance.catalogue.images, "page")
    running = asyncio.create_task(host.appliance.reinspector.step(ALL))
    await held.reached.wait()
    with pytest.raises(CommandFailed, match="Another"):
        await host.appliance.reinspector.step(ALL)
    held.open()
    assert (await running).looked_at == 1


async def test_shared_caches_forget_what_changed_and_once_every_size_of_an_older_edition(
    open_host: OpenHost, jpeg: bytes
) -> None:
    async with stand_in("cloudflare") as cache:
        host = await open_host(cdn=cache.config())
        unchanged, wrong = [(await host.upload(jpeg))["slug"] for _ in range(2)]
        await host.appliance.reinspector.step(ALL)
        await until(lambda: set(cache.forgotten) == {unchanged, wrong})
        await host.appliance.reinspector.step(StepRequest(after=max(unchanged, wrong)))  # the end: the edition is noted
        host.clock.forward(61)
        await host.appliance.purger.purge_due()
        cache.calls.clear()
        await set_columns(host, wrong, frames=7)
        await host.appliance.reinspector.step(ALL)
        await until(lambda: bool(cache.forgotten))
        assert cache.forgotten == [wrong]
