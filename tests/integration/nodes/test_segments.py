"""Segments: what the store has of unfinished uploads, while it is away, when they end, and when nobody needs them."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

from appliance.domain.errors import Busy, StoreUnavailable
from appliance.domain.slugs import object_key
from appliance.http.keys import STATUS
from appliance.resumable import segment_writer
from appliance.resumable.segments import MEDIA_TYPE, PREFIX
from tests.support.gates import gated
from tests.support.host import problem
from tests.support.images import private_pictures
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost
from tests.support.segments import begun, content_of, id_of, is_empty, stored_at_least
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]


class AwayStore:
    """Makes the store of nodes fail until the block ends."""

    def __init__(self, *nodes: NodeHost) -> None:
        self._nodes = nodes
        self._patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        async def fail(*_arguments: object, **_more: Any) -> None:
            raise StoreUnavailable("The store is away.")

        for node in self._nodes:
            for operation in ("check", "put", "put_range", "put_bytes", "stat", "open"):
                self._patch.setattr(node.appliance.store, operation, fail)

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


async def waiting_at(node: NodeHost) -> int:
    status = await node.site[STATUS]()
    return int(json.loads(json.dumps(status))["segments_waiting_for_the_store"])


async def test_a_store_that_was_away_gets_what_it_lacks(segmented: Nodes) -> None:
    one, data = segmented[0], padded(500_000, 21)
    where = await Tus(one).create(len(data))
    with AwayStore(one):
        assert (await Tus(one).patch(where, 0, data[:350_000])).status == 204

        async def waits() -> bool:
            return await waiting_at(one) == 3

        await until(waits, "three segments to wait")
        assert await Tus(one).offset(where) == 350_000
    await stored_at_least(one, where, 300_000)

    async def waits_no_more() -> bool:
        return await waiting_at(one) == 0

    await until(waits_no_more)
    assert data.startswith(await content_of(one, where))


async def test_no_upload_moves_while_the_store_is_away(segmented: Nodes) -> None:
    """The node that is lost may be back before the store, and has more."""
    one, two = segmented
    data = padded(300_000, 22)
    where = await Tus(one).create(len(data))
    assert (await Tus(one).patch(where, 0, data[:250_000])).status == 204
    await stored_at_least(one, where, 200_000)
    async with one.lost():
        with AwayStore(two):
            await problem(await Tus(two).patch(where, 200_000, data[200_000:]), "store-unavailable")
    assert await Tus(one).offset(where) == 250_000
    assert (await Tus(two).patch(where, 250_000, data[250_000:])).status == 204


async def test_a_restarted_node_finds_which_segments_the_store_lacks(segmented: Nodes) -> None:
    one, data = segmented[0], padded(500_000, 23)
    where = await Tus(one).create(len(data))
    assert (await Tus(one).patch(where, 0, data[:250_000])).status == 204
    await stored_at_least(one, where, 200_000)
    assert one.appliance.resumable.writer is not None
    one.appliance.resumable.writer._followed.clear()
    one.appliance.resumable.writer._active.clear()
    key = f"{PREFIX}{id_of(where)}/{100_000:015}"
    await one.appliance.store.delete(key)
    await one.appliance.upload_janitor.run()
    await stored_at_least(one, where, 200_000)
    assert await content_of(one, where) == data[:200_000]


async def test_a_short_segment_is_replaced_by_a_whole_one(segmented: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_writer, "FLUSH_EVERY_S", 0.0)
    one, data = segmented[0], padded(400_000, 24)
    where = await Tus(one).create(len(data))
    for start, end in pairwise((0, 30_000, 60_000, 250_000)):
        assert (await Tus(one).patch(where, start, data[start:end])).status == 204
        assert await Tus(one).offset(where) == end
        assert await content_of(one, where) == data[:end]
    keys = [entry.key async for entry in one.appliance.store.list(f"{PREFIX}{id_of(where)}/")]
    assert len(keys) == 3


async def test_a_client_does_not_make_the_store_write_all_day(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_writer, "FLUSH_EVERY_S", 3600.0)
    one, data = segmented[0], padded(200_000, 25)
    where = await Tus(one).create(len(data))
    for end in (1000, 2000):
        assert (await Tus(one).patch(where, end - 1000, data[end - 1000 : end])).status == 204
        assert await Tus(one).offset(where) == end
    assert await content_of(one, where) == data[:1000]


async def test_an_upload_that_expires_leaves_no_segment(segmented: Nodes) -> None:
    one, data = segmented[0], padded(300_000, 26)
    where = await Tus(one).create(len(data))
    assert (await Tus(one).patch(where, 0, data[:250_000])).status == 204
    await stored_at_least(one, where, 200_000)
    one.clock.forward(2 * 86_400)
    await one.appliance.upload_janitor.run()
    await until(lambda: is_empty(one, where), "no segment")


async def test_segments_stay_of_an_overdue_upload_whose_bytes_all_came(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(250_000, 30)
    where = await begun(one, data, 240_000)

    async def busy(*_arguments: object, **_more: object) -> None:
        raise Busy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one.appliance.committer, "commit_upload", busy)
        await Tus(one).patch(where, 240_000, data[240_000:])
        one.clock.forward(2 * 86_400)
        await two.appliance.segment_sweep.run()
        assert await content_of(one, where) == data[:200_000]
    await one.appliance.upload_janitor.run()
    assert (await Tus(one).image(where))["sha256"] == sha256([data])
    await until(lambda: is_empty(one, where), "no segment")


async def test_segments_of_no_upload_are_swept(segmented: Nodes) -> None:
    one, two = segmented
    store, data = one.appliance.store, padded(300_000, 27)
    where = await Tus(one).create(len(data))
    assert (await Tus(one).patch(where, 0, data[:150_000])).status == 204
    await stored_at_least(one, where, 100_000)
    stray = f"{PREFIX}{'0' * 64}/{0:015}"
    await store.put_bytes(stray, b"nobody's", media_type=MEDIA_TYPE)
    assert await two.appliance.segment_sweep.run() >= 1
    assert [entry.key async for entry in store.list(stray)] == []
    assert await content_of(one, where) == data[:100_000]
    assert (await two.get(f"/{PREFIX}{id_of(where)}/{0:015}")).status == 404


async def test_what_was_to_be_cleaned_is_cleaned_by_the_node_that_took_over(segmented: Nodes) -> None:
    """Its former node had recorded what to overwrite, and may have begun to."""
    one, two = segmented
    data = private_pictures.jpeg()
    clean = await Tus(two).original(await Tus(two).slug(await Tus(two).whole(data)))
    where = await Tus(one).create(len(data))

    async def is_recorded() -> bool:
        row = await one.appliance.catalogue.uploads.get(id_of(where))
        return row is not None and row.edits != b""

    async def fail(*_arguments: object, **_more: Any) -> None:
        raise StoreUnavailable("It fails after the file was changed.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one.appliance.spool, "land", fail)
        await Tus(one).patch(where, 0, data)
        await until(is_recorded)
    async with one.lost():
        offset = await Tus(two).offset(where)
        assert (await Tus(two).patch(where, offset, data[offset:])).status == 204
        image = await Tus(two).image(where)
        assert (image["sha256"], image["private_data"]) == (sha256([clean]), "removed")


async def test_a_resumable_upload_is_in_the_store_before_its_row_is_complete(
    segmented: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client sends nothing once more after that, even if the node's disk is lost."""
    one, two = segmented
    held = gated(monkeypatch, one.appliance.catalogue.images, "add")
    where = await Tus(one).create(len(jpeg))
    sending = asyncio.create_task(Tus(one).patch(where, 0, jpeg))
    await held.reached.wait()
    row = await one.appliance.catalogue.uploads.get(id_of(where))
    assert row is not None
    assert row.slug is not None
    assert (await one.appliance.store.stat(object_key(row.slug))).bytes > 0
    held.open()
    assert (await sending).status == 204
    assert await Tus(two).slug(where) == row.slug
    await until(lambda: row.slug not in {file.name for file in one.files("spool/landed")}, "a shipped original")
    assert (await two.get(f"/i/{row.slug}/original")).status == 200


async def test_the_metrics_count_segments_that_wait(segmented: Nodes) -> None:
    one, data = segmented[0], padded(400_000, 29)
    where = await Tus(one).create(len(data))
    with AwayStore(one):
        assert (await Tus(one).patch(where, 0, data[:250_000])).status == 204
        await until(lambda: one.counted("waiting_segments") == 2, "two segments to wait")
    await until(lambda: one.counted("waiting_segments") == 0, "no segment to wait")
    assert (await Tus(one).delete(where)).status == 204
