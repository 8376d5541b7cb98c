"""Verdicts on images: whose fault a failed rendition is, and that every answer agrees on it at once."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from appliance.cache import Rendition
from appliance.delivery.failures import LONG_RETRY_AFTER_S, MAX_TRIES, RETRY_AFTER_S
from appliance.domain import refusals
from appliance.domain.clients import Clients
from appliance.domain.errors import CannotResize
from appliance.domain.renditions import Priority
from appliance.workers import Worker
from tests.support.gates import gated, row, target
from tests.support.host import Host
from tests.support.images import pictures
from tests.support.waiting import until


def failing_once(patch: pytest.MonkeyPatch, fault: CannotResize) -> list[int]:
    """Makes the first rendering fail; gives the sizes in bytes of the files that workers were handed."""
    handed: list[int] = []
    render = Worker.render

    async def first_fails(worker: Worker, fd: int, facts: Any, targets: Any) -> Any:
        handed.append(fd)
        if len(handed) == 1:
            raise fault
        return await render(worker, fd, facts, targets)

    patch.setattr(Worker, "render", first_fails)
    return handed


def final() -> CannotResize:
    fault = CannotResize("The pixels can't be decoded.")
    fault.final = True
    return fault


async def test_the_page_of_a_cleaned_original_without_sizes_does_not_say_that_it_is_as_it_was(host: Host) -> None:
    source = pictures.jpeg_with_gps()
    image = await host.upload(source[: source.index(b"\xff\xda") + 14])
    assert (image["state"], image["private_data"]) == ("original-only", "removed")
    page = await (await host.get(f"/i/{image['slug']}")).text()
    assert "You can download the original." in page
    assert "Metadata that could be private" in page
    assert "unchanged" not in page


async def test_a_verdict_on_a_cached_rendition_is_none_on_the_image(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await host.upload(pictures.photo(1600, 1200)))["slug"]
    await host.get(f"/i/{slug}/large.jpg")
    handed = failing_once(monkeypatch, final())
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    assert len(handed) == 2
    assert (await row(host, slug)).original_only is None


async def test_a_fault_that_is_not_final_is_permanent_only_the_second_time(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await host.upload(jpeg))["slug"]
    failing_once(monkeypatch, CannotResize("There was no memory."))
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 422
    assert (await row(host, slug)).original_only is None
    host.clock.forward(3600)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200


def failing_always(patch: pytest.MonkeyPatch, fault: CannotResize) -> None:
    async def fails(*_: Any) -> Any:
        raise fault

    patch.setattr(Worker, "render", fails)


async def test_a_workers_death_never_changes_a_state(host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    slug = (await host.upload(jpeg))["slug"]
    with monkeypatch.context() as patch:
        failing_always(patch, CannotResize("Decoding it crashed."))
        for _ in range(MAX_TRIES):
            assert (await host.get(f"/i/{slug}/small.jpg")).status == 422
            host.clock.forward(RETRY_AFTER_S + 1)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 422  # left alone for longer
    host.clock.forward(LONG_RETRY_AFTER_S)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 200
    assert (await row(host, slug)).original_only is None


async def test_a_decode_that_is_too_slow_twice_makes_its_image_original_only(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await host.upload(jpeg))["slug"]
    fault = CannotResize("Resizing this image took longer than the limit of 10 seconds.")
    fault.is_too_slow = True
    failing_always(monkeypatch, fault)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 422
    assert (await row(host, slug)).original_only is None
    host.clock.forward(RETRY_AFTER_S + 1)
    assert (await host.get(f"/i/{slug}/small.jpg")).status == 422
    assert (await row(host, slug)).original_only == refusals.TOO_SLOW


async def test_a_verdict_is_in_the_catalogue_before_it_is_told(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = (await host.upload(jpeg))["slug"]
    failing_once(monkeypatch, final())
    writing = gated(monkeypatch, host.appliance.catalogue.images, "mark_original_only")
    view = asyncio.create_task(host.get(f"/i/{slug}/small.jpg"))
    await writing.reached.wait()
    await asyncio.wait([view], timeout=0.3)
    assert not view.done()
    writing.open()
    assert (await view).status == 422
    assert (await (await host.get(f"/api/v1/images/{slug}")).json())["state"] == "original-only"


async def test_a_slow_cache_delays_no_size_of_a_batch(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    image = await row(host, (await host.upload(pictures.photo(1600, 1200)))["slug"])
    keeping = gated(monkeypatch, host.appliance.cache, "admit_all")
    renderer = host.appliance.delivery.renderer
    sizes = [renderer.order(image, target(host, preset), Priority.VIEW, Clients()) for preset in ("small", "medium")]
    await keeping.reached.wait()
    assert all(size.done() for size in sizes)
    keeping.open()
    await until(lambda: not len(renderer.batches))


async def test_a_large_rendition_is_summed_off_the_event_loop(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: dict[str, str] = {}
    summed = Rendition.of

    def noted(data: bytes) -> Rendition:
        threads["large" if len(data) > 1_000_000 else "small"] = threading.current_thread().name
        return summed(data)

    monkeypatch.setattr(Rendition, "of", noted)
    slug = (await host.upload(pictures.photo(1600, 1200)))["slug"]
    for name in ("large.png", "thumbnail.jpg"):
        assert (await host.get(f"/i/{slug}/{name}")).status == 200
    assert threads["large"].startswith("renderer")
    assert threads["small"] == threading.main_thread().name


async def test_an_original_is_read_while_all_other_threads_are_taken(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    done = threading.Event()
    taken = [asyncio.create_task(asyncio.to_thread(done.wait)) for _ in range(64)]
    try:
        async with asyncio.timeout(10):
            assert await (await host.get(f"/i/{slug}/original")).read() == jpeg
    finally:
        done.set()
        await asyncio.gather(*taken)


async def test_prewarming_that_fails_in_an_unforeseen_way_is_logged_and_ends_nothing(
    host: Host, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    image = await row(host, (await host.upload(jpeg))["slug"])

    async def broken(_slug: str) -> frozenset[str]:
        raise OSError("The disk can't be read.")

    monkeypatch.setattr(host.appliance.cache, "names", broken)
    with caplog.at_level(logging.ERROR):
        await host.appliance.delivery.prewarm(image)
    assert "prewarming failed" in caplog.text
