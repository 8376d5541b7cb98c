"""The guard of speed: what each path may cost, in counts. Each bound is what it costs today; its reason stands with it.

Seconds are the benchmarks' affair (docs/performance.md). A count that grows is a regression on every machine.
"""

import asyncio
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from urllib3 import HTTPResponse, PoolManager

from appliance.config.model import Renditions
from appliance.domain.formats import Format
from appliance.objectstore.minio import MinioStore
from tests.support.counts import Counts, Traffic, counting
from tests.support.host import Host, OpenHost
from tests.support.images import pictures
from tests.support.images.noise import padded
from tests.support.procfs import children_of, read_bytes
from tests.support.waiting import until

PRESETS = ("thumbnail", "small", "medium", "large")
SLACK_BYTES = 1_000_000  # of a file of 8 MB: pages of the catalogue, finished renditions, headers


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return counting(monkeypatch)


@pytest.fixture
async def host(counts: Counts, open_host: OpenHost) -> Host:
    """One that has taken an upload before, so that folders are there; nothing is prewarmed."""
    assert not counts.orders
    opened = await open_host()
    await shipped(opened, pictures.photo(320, 240))
    counts.forget()
    return opened


@cache
def large_photo() -> bytes:
    return pictures.photo(2600, 1800)


def padded_photo() -> bytes:
    return padded(8_000_000, 1)


async def shipped(host: Host, data: bytes) -> str:
    """The slug of an upload that the store has."""
    slug: str = (await host.upload(data))["slug"]
    await until(lambda: host.appliance.shipper.backlog == 0)
    return slug


async def view(host: Host, slug: str, *presets: str) -> None:
    """The sizes of an image, all asked for at once."""
    replies = await asyncio.gather(*(host.get(f"/i/{slug}/{preset}.jpg") for preset in presets))
    assert {reply.status for reply in replies} == {200}


# --- decodes ----------------------------------------------------------------------------------------------------------


async def test_all_four_sizes_at_once_cost_two_decodes_at_most(host: Host, counts: Counts) -> None:
    """Decoding is most of a view's work. Two, not one: the first may run before the others have come."""
    slug = (await host.upload(large_photo()))["slug"]
    await view(host, slug, *PRESETS)
    assert 1 <= counts.decodes <= 2


async def test_sizes_from_the_largest_down_cost_one_decode(host: Host, counts: Counts) -> None:
    """Each smaller one comes from its larger sibling: most of a decode is undoing the original's Huffman code."""
    slug = (await host.upload(large_photo()))["slug"]
    for preset in reversed(PRESETS):
        await view(host, slug, preset)
    assert counts.decodes == 1


async def test_an_upload_with_all_its_views_costs_one_decode(counts: Counts, open_host: OpenHost) -> None:
    """Prewarming makes all sizes, and the placeholder, of one decode; no view comes to a worker after that.

    Without AVIF and WebP nothing is made while the host is idle.
    """
    host = await open_host(renditions=Renditions(workers=1, formats=(Format.JPG, Format.PNG)))
    slug = (await host.upload(large_photo()))["slug"]
    await until(lambda: counts.queries("UPDATE images SET prewarmed") == 1)
    await view(host, slug, *PRESETS)
    assert [kind for kind, _ in counts.orders] == ["Examine", "Render"]


async def test_the_worker_reads_an_original_once_for_all_four_sizes(counts: Counts, open_host: OpenHost) -> None:
    """And once before that, to examine it. A second decode for the sizes would read the file again.

    A tenth more: headers are looked at beforehand.
    """
    host = await open_host(renditions=Renditions(workers=1, formats=(Format.JPG, Format.PNG)))
    photo = large_photo()
    workers = children_of(os.getpid())
    before = sum(map(read_bytes, workers))
    await host.upload(photo)
    await until(lambda: counts.queries("UPDATE images SET prewarmed") == 1)
    read = sum(map(read_bytes, workers)) - before
    assert read < 2.1 * len(photo)


# --- queries ----------------------------------------------------------------------------------------------------------


async def test_a_hot_view_asks_the_catalogue_nothing(host: Host, counts: Counts) -> None:
    """Row and rendition are in memory; most views are hot, and a query would cost more than all the rest of one."""
    slug = (await host.upload(large_photo()))["slug"]
    await view(host, slug, "small")
    counts.forget()
    before = Traffic.so_far()
    for _ in range(100):
        await view(host, slug, "small")
    assert counts == Counts()
    moved = Traffic.so_far().since(before)
    assert moved.read + moved.written < SLACK_BYTES, "it came from memory"


async def test_a_cold_view_asks_the_catalogue_once(counts: Counts, open_host: OpenHost) -> None:
    """Whether the image lives. Nothing is written: a view that writes would wait for the disk."""
    first = await open_host()
    slug = (await first.upload(large_photo()))["slug"]
    host = await open_host()  # which remembers no row
    counts.forget()
    await view(host, slug, "medium")
    assert len(counts.statements) == counts.queries("SELECT") == 1
    assert counts.decodes == 1
    assert counts.synced == []


async def test_a_share_page_asks_the_catalogue_once(counts: Counts, open_host: OpenHost) -> None:
    """The same; what there is of its sizes is told by the cache's folder."""
    first = await open_host()
    slug = (await first.upload(large_photo()))["slug"]
    host = await open_host()
    counts.forget()
    assert (await host.get(f"/i/{slug}", Accept="text/html")).status == 200
    assert len(counts.statements) == counts.queries("SELECT") == 1
    assert counts.orders == []


# --- an upload --------------------------------------------------------------------------------------------------------


async def test_an_upload_costs_two_commits(host: Host, counts: Counts) -> None:
    """Each is a sync of the log: one before the promise, one for its new place. Under load many uploads share them."""
    await shipped(host, large_photo())
    assert counts.queries("COMMIT") == 2
    assert counts.queries("SELECT") == 1, "whether the slug is a tombstone's"
    assert (counts.queries("INSERT"), counts.queries("UPDATE")) == (1, 1)


async def test_an_upload_costs_two_syncs_and_the_directory_store_four(host: Host, counts: Counts) -> None:
    """The file, and the folder that names it: in the spool, and in the store for the object and its attributes."""
    slug = await shipped(host, large_photo())
    data_dir = host.appliance.config.data_dir
    places = [path.relative_to(data_dir).parts[0] for path in counts.synced]
    assert sorted(places) == ["spool"] * 2 + ["store"] * 4
    assert counts.synced[0].name == slug


async def test_an_upload_is_written_once_and_not_read_again(host: Host) -> None:
    """Its hash is computed as it comes, and the directory store takes it by a second name."""
    data = padded_photo()
    before = Traffic.so_far()
    await shipped(host, data)
    moved = Traffic.so_far().since(before)
    assert moved.written < len(data) + SLACK_BYTES
    assert moved.read < SLACK_BYTES


async def test_an_upload_costs_one_order_to_a_worker(host: Host, counts: Counts) -> None:
    """It says what the file is and what of it is private, in one turn of a process that all uploads share."""
    await host.upload(large_photo())
    assert [kind for kind, _ in counts.orders] == ["Examine"]


async def test_an_object_is_read_twice_on_its_way_to_minio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for the MD5 that guards it on its way, once to be sent; both from the kernel's memory of what just came."""

    def take(_pool: PoolManager, _method: str, _url: str, body: Any, **_more: Any) -> HTTPResponse:
        while body.read(1 << 18):
            pass
        return HTTPResponse(b"", status=200)

    monkeypatch.setattr(PoolManager, "urlopen", take)
    path = tmp_path / "photo.jpg"
    path.write_bytes(data := padded_photo())
    store = MinioStore(
        endpoint="127.0.0.1:1", bucket="b" * 3, access_key="a", secret_key="s" * 8, journal=tmp_path, secure=False
    )
    before = Traffic.so_far()
    await store.put("key", path, media_type="image/jpeg", metadata={})
    await store.close()
    assert Traffic.so_far().since(before).read < 2 * len(data) + SLACK_BYTES
