"""Zooming large images: pyramids are built once, kept within their budget, and gone with their image."""

import asyncio
import os
import shutil
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.config.model import MB, CacheConfig
from appliance.domain.errors import CannotResize
from appliance.domain.regions import Cut, Material
from appliance.domain.renditions import PLACEHOLDER, Facts, Format, Preset
from appliance.workers import Worker
from tests.support.gates import gated, row
from tests.support.host import Host, OpenHost, problem, small_config
from tests.support.images import pictures
from tests.support.images.pictures import opened
from tests.support.rows import changed
from tests.support.waiting import until

SIDE = 1200
ZOOMING = replace(small_config(Path()).renditions, pyramid_pixels=1_000_000, presets=(Preset("small", 400),))
DEEP = f"{SIDE - 600},{SIDE - 600},512,512/512,512/0/default.jpg"
FAR = f"0,0,{SIDE},{SIDE}/300,300/0/default.jpg"


@pytest.fixture
async def open_large(open_host: OpenHost) -> Any:
    """Opens hosts to which every picture of more than a million pixels is a large one."""

    async def open_(**sections: Any) -> Host:
        return await open_host(**{"renditions": ZOOMING} | sections)

    return open_


@pytest.fixture
async def host(open_large: OpenHost) -> Host:
    return await open_large()


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The file that each order to build a pyramid is to fill."""
    seen: list[int] = []
    build = Worker.build_pyramid

    async def counting(worker: Worker, fd: int, output_fd: int) -> None:
        seen.append(output_fd)
        await build(worker, fd, output_fd)

    monkeypatch.setattr(Worker, "build_pyramid", counting)
    return seen


async def uploaded(host: Host, seed: int = 1) -> str:
    return f"/iiif/3/{(await host.upload(pictures.photo(SIDE, SIDE, seed=seed)))['slug']}"


def pyramids(host: Host) -> list[Path]:
    return host.files("cache/pyramids")


async def test_who_looks_closely_waits_for_the_pyramid_which_is_built_once(host: Host, builds: list[int]) -> None:
    base = await uploaded(host)
    replies = await asyncio.gather(*(host.get(f"{base}/{x},0,100,100/max/0/default.jpg") for x in range(0, 1000, 50)))
    assert {reply.status for reply in replies} == {200}
    assert len(builds) == len(pyramids(host)) == 1
    await host.get(f"{base}/{DEEP}")
    assert len(builds) == 1


async def test_the_whole_is_shown_from_a_rendition_while_the_pyramid_is_built(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = gated(monkeypatch, host.appliance.caches.pyramids, "admit")
    base = await uploaded(host)
    reply = await host.get(f"{base}/{FAR}")
    assert opened(await reply.read()).size == (300, 300)
    await held.reached.wait()
    assert not [path for path in pyramids(host) if path.suffix == ".tif"]
    host.appliance.tiles.pyramid_builder.patience_s = 0.01
    refused = await host.get(f"{base}/{DEEP}")
    await problem(refused, "busy")
    assert int(refused.headers["Retry-After"]) >= 1
    held.open()
    await until(lambda: [path.suffix for path in pyramids(host)] == [".tif"])
    assert (await host.get(f"{base}/{DEEP}")).status == 200


async def test_asking_for_the_information_has_the_pyramid_built(host: Host) -> None:
    base = await uploaded(host)
    assert pyramids(host) == []
    assert (await host.get(f"{base}/info.json")).status == 200
    await until(lambda: [path.suffix for path in pyramids(host)] == [".tif"])


async def test_an_uploads_pyramid_follows_its_presets(open_large: OpenHost) -> None:
    host = await open_large(renditions=replace(ZOOMING, prewarm=("small",)))
    await uploaded(host)
    await until(lambda: [path.suffix for path in pyramids(host)] == [".tif"])
    await host.all_cached()
    assert {path.name for path in host.files("cache/renditions")} == {"small.jpg", PLACEHOLDER.name}


async def test_an_image_of_ordinary_size_gets_none(host: Host, builds: list[int]) -> None:
    resource = await host.upload(pictures.photo(900, 900))
    assert (await host.get(f"/iiif/3/{resource['slug']}/0,0,512,512/max/0/default.jpg")).status == 200
    assert builds == []


async def test_what_is_slow_to_decode_gets_one_at_fewer_pixels_already(open_host: OpenHost) -> None:
    host = await open_host()
    is_eligible = host.appliance.tiles.pyramid_builder.is_eligible
    image = changed(await row(host, (await host.upload(pictures.png(9, 9)))["slug"]), width=5000, height=4000)
    assert not is_eligible(image)
    assert is_eligible(changed(image, width=7000))
    assert is_eligible(changed(image, media_type="image/heic"))
    assert not is_eligible(changed(image, width=500, height=400, media_type="image/gif", frames=1000))


async def test_a_pyramid_outlives_a_restart(open_large: OpenHost, builds: list[int]) -> None:
    first = await open_large()
    base = await uploaded(first)
    await first.get(f"{base}/{DEEP}")
    second = await open_large()
    assert (await second.get(f"{base}/5,5,100,100/max/0/default.jpg")).status == 200
    assert len(builds) == 1


async def test_half_a_pyramid_that_a_crash_left_is_removed_at_the_next_start(open_large: OpenHost) -> None:
    first = await open_large()
    folder = first.appliance.config.cache_dir / "pyramids" / "2"
    (folder / "0123456789abcdef.draft").write_bytes(b"half")
    second = await open_large()
    assert pyramids(second) == []


async def test_a_worker_that_is_killed_while_it_builds_costs_nobody_the_picture(
    host: Host, builds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    build = Worker.build_pyramid

    async def killed(worker: Worker, fd: int, output_fd: int) -> None:
        order = asyncio.ensure_future(build(worker, fd, output_fd))
        (slot,) = host.appliance.workers.queues["background"].slots
        await until(lambda: slot.process is not None and slot.process.has_order)
        assert slot.process is not None
        os.kill(slot.process.pid, signal.SIGKILL)
        await order

    monkeypatch.setattr(Worker, "build_pyramid", killed)
    base = await uploaded(host)
    reply = await host.get(f"{base}/{DEEP}")  # from the original, for once
    assert opened(await reply.read()).size == (512, 512)
    assert pyramids(host) == []
    await host.get(f"{base}/1,1,100,100/max/0/default.jpg")
    assert len(builds) == 1  # it is left alone for some minutes
    monkeypatch.setattr(Worker, "build_pyramid", build)
    host.clock.forward(601)
    await host.get(f"{base}/2,2,100,100/max/0/default.jpg")
    assert [path.suffix for path in pyramids(host)] == [".tif"]


async def test_deleting_an_image_while_its_pyramid_is_built_leaves_none(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = gated(monkeypatch, host.appliance.caches.pyramids, "admit")
    resource = await host.upload(pictures.photo(SIDE, SIDE))
    base = f"/iiif/3/{resource['slug']}"
    await host.get(f"{base}/info.json")
    await held.reached.wait()
    await host.delete(resource["slug"], resource["delete_token"])
    held.open()
    await until(lambda: len(host.appliance.tiles.pyramid_builder) == 0)
    assert pyramids(host) == []
    await problem(await host.get(f"{base}/{DEEP}"), "gone")


async def test_a_pyramid_goes_with_its_image(host: Host) -> None:
    resource = await host.upload(pictures.photo(SIDE, SIDE))
    await host.get(f"/iiif/3/{resource['slug']}/{DEEP}")
    assert len(pyramids(host)) == 1
    await host.delete(resource["slug"], resource["delete_token"])
    await host.erase()
    assert host.files("cache") == []


async def test_the_longest_unused_pyramid_makes_room(open_large: OpenHost) -> None:
    host = await open_large()
    bases = [await uploaded(host, seed) for seed in (1, 2, 3)]
    await host.get(f"{bases[0]}/{DEEP}")
    size = pyramids(host)[0].stat().st_size
    again = await open_large(cache=CacheConfig(pyramids_bytes=size * 5 // 2))
    await again.get(f"{bases[1]}/{DEEP}")
    await again.get(f"{bases[0]}/1,1,9,9/max/0/default.jpg")  # used again
    await again.get(f"{bases[2]}/{DEEP}")
    assert {path.stem for path in pyramids(again)} == {base.rpartition("/")[2] for base in (bases[0], bases[2])}
    assert again.appliance.caches.pyramids.bytes <= size * 5 // 2


@pytest.mark.parametrize("budget", [0, 1000])
async def test_without_room_for_pyramids_regions_come_from_the_original(
    open_large: OpenHost, budget: int, builds: list[int]
) -> None:
    host = await open_large(cache=CacheConfig(pyramids_bytes=budget))
    base = await uploaded(host)
    assert (await host.get(f"{base}/{DEEP}")).status == 200
    assert pyramids(host) == []
    assert len(builds) == (1 if budget else 0)
    await host.get(f"{base}/1,1,9,9/max/0/default.jpg")
    assert len(builds) <= 1  # what is too large for the budget is not built again and again


async def test_an_emptied_cache_is_filled_again(host: Host, builds: list[int]) -> None:
    base = await uploaded(host)
    await host.get(f"{base}/{DEEP}")
    shutil.rmtree(host.appliance.config.cache_dir)
    assert (await host.get(f"{base}/{DEEP}")).status == 200  # memory has it
    assert (await host.get(f"{base}/7,7,512,512/max/0/default.jpg")).status == 200
    assert len(builds) == 2
    assert len(pyramids(host)) == len(host.files("cache/tiles")) == 1


async def test_a_rotten_pyramid_is_built_again(host: Host, builds: list[int]) -> None:
    base = await uploaded(host)
    await host.get(f"{base}/{DEEP}")
    pyramids(host)[0].write_bytes(b"rotten")
    reply = await host.get(f"{base}/8,8,512,512/max/0/default.jpg")
    assert reply.status == 200
    assert len(builds) == 2


@pytest.fixture
def overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts that come as PNG meet the deadline."""
    make = Worker.cut

    async def late(worker: Worker, fd: int, facts: Facts, material: Material, cuts: Sequence[Cut]) -> list[bytes]:
        if any(cut.format is Format.PNG for cut in cuts):
            raise CannotResize("Resizing this image took longer than the limit of 20 seconds.")
        return await make(worker, fd, facts, material, cuts)

    monkeypatch.setattr(Worker, "cut", late)


@pytest.mark.usefixtures("overdue")
async def test_a_cut_that_meets_the_deadline_costs_no_pyramid(host: Host, builds: list[int]) -> None:
    base = await uploaded(host)
    await host.get(f"{base}/{DEEP}")
    for _ in range(4):
        await problem(await host.get(f"{base}/full/max/0/default.png"), "cannot-resize")
    assert [path.suffix for path in pyramids(host)] == [".tif"]
    assert (await host.get(f"{base}/9,9,512,512/max/0/default.jpg")).status == 200
    assert len(builds) == 1


@pytest.mark.usefixtures("overdue")
async def test_a_cut_that_meets_the_deadline_says_nothing_of_other_cuts(open_host: OpenHost) -> None:
    host = await open_host()
    base = await uploaded(host)
    for left in range(4):
        await problem(await host.get(f"{base}/{left},0,1000,1000/max/0/default.png"), "cannot-resize")
    assert (await host.get(f"{base}/full/max/0/default.jpg")).status == 200
    told = await problem(await host.get(f"{base}/1,0,1000,1000/max/0/default.png"), "cannot-resize")
    assert "a moment ago" in told["detail"]


@pytest.mark.usefixtures("overdue")
async def test_an_image_of_which_one_tile_after_another_is_overdue_is_left_alone(open_host: OpenHost) -> None:
    host = await open_host()
    base = await uploaded(host)
    for left in range(3):
        await problem(await host.get(f"{base}/{left},0,300,300/max/0/default.png"), "cannot-resize")
    await problem(await host.get(f"{base}/0,0,300,300/max/0/default.jpg"), "cannot-resize")
    host.clock.forward(601)
    assert (await host.get(f"{base}/0,0,300,300/max/0/default.jpg")).status == 200


@pytest.mark.parametrize("zooming", [True, False], ids=["from the pyramid", "from the original"])
async def test_who_asks_for_much_at_once_keeps_no_tile_waiting(
    open_host: OpenHost, zooming: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = await open_host(renditions=ZOOMING if zooming else small_config(Path()).renditions)
    base, make, goes_on = await uploaded(host), Worker.cut, asyncio.Event()
    await host.get(f"{base}/{DEEP}")
    held: list[Cut] = []

    async def slow(worker: Worker, fd: int, facts: Facts, material: Material, cuts: Sequence[Cut]) -> list[bytes]:
        if cuts[0].format is Format.PNG:
            held.append(cuts[0])
            await goes_on.wait()
        return await make(worker, fd, facts, material, cuts)

    monkeypatch.setattr(Worker, "cut", slow)
    much = [asyncio.create_task(host.get(f"{base}/0,0,{side},1200/max/0/default.png")) for side in (1100, 1200)]
    await until(lambda: bool(held))
    assert (await host.get(f"{base}/3,3,512,512/max/0/default.jpg")).status == 200
    goes_on.set()
    assert {reply.status for reply in await asyncio.gather(*much)} == {200}


async def test_a_crawler_of_tiles_leaves_the_presets_in_their_cache(open_large: OpenHost) -> None:
    host = await open_large(cache=CacheConfig(memory_bytes=1 * MB, tiles_memory_bytes=200_000, tiles_bytes=400_000))
    base = await uploaded(host)
    await host.get(f"/i/{base.rpartition('/')[2]}/small.jpg")
    for x in range(0, 600, 6):
        assert (await host.get(f"{base}/{x},0,200,200/max/0/default.jpg")).status == 200
    await until(lambda: host.appliance.caches.tiles.disk_bytes <= 400_000)
    assert host.appliance.caches.tiles.memory_bytes <= 200_000
    await host.get(f"/i/{base.rpartition('/')[2]}/small.jpg")
    assert host.counted("cache_lookups_total", layer="memory") == 1
