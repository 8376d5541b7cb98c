"""Large resumable uploads that were answered before their originals were shipped: the store has all of their segments.

When their node is lost, another one makes the originals of them.
"""

from dataclasses import replace
from typing import Any

import pytest

from appliance.domain.errors import Busy, StoreUnavailable
from appliance.domain.model import Image, Location
from appliance.domain.resumable_uploads import UploadState
from appliance.resumable import finisher
from appliance.resumable.segments import MEDIA_TYPE, PREFIX
from tests.support.gates import Gate, gated
from tests.support.host import DAY_S
from tests.support.images import private_pictures
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost, let_fall_silent
from tests.support.segments import SEGMENT_BYTES, content_of, id_of, is_empty
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes", "all_large")]


@pytest.fixture
def held(segmented: Nodes, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The first original that the first node ships waits before the store."""
    return gated(monkeypatch, segmented[0].appliance.store, "put")


async def rescued(node: NodeHost) -> int:
    """How many originals its job rescues."""
    assert node.appliance.resumable.rescue is not None
    return await node.appliance.resumable.rescue.run()


async def is_shipped(node: NodeHost, slug: str) -> bool:
    row = await node.appliance.catalogue.images.get(slug)
    return isinstance(row, Image) and row.location is Location.STORE


async def assembled(node: NodeHost, data: bytes) -> tuple[str, list[str]]:
    """An upload of two parts, and these."""
    parts = [await Tus(node).part(data[:150_000]), await Tus(node).part(data[150_000:])]
    return await Tus(node).created(await Tus(node).post(headers={"Upload-Concat": f"final;{' '.join(parts)}"})), parts


async def test_an_original_that_a_lost_node_alone_had_comes_back_from_its_segments(
    segmented: Nodes, held: Gate
) -> None:
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 71)
    where = await Tus(one).whole(data)
    image = await Tus(one).image(where)
    assert not await is_shipped(two, image["slug"])
    assert await content_of(one, where) == data
    assert await rescued(two) == 0  # its node is there
    async with one.lost(), one.silent():
        await two.appliance.segment_sweep.run()
        assert await rescued(two) == 1
        await until(lambda: is_shipped(two, image["slug"]), "a shipped original")
        assert sha256([await Tus(two).original(image["slug"])]) == image["sha256"] == sha256([data])
    held.open()
    await until(lambda: is_empty(two, where), "no segment")
    assert sha256([await Tus(one).original(image["slug"])]) == sha256([data])


async def test_the_store_gets_again_what_a_sweep_took_from_a_node_that_was_silent_for_a_day(
    segmented: Nodes, held: Gate
) -> None:
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 70)

    async def busy(*_arguments: object, **_more: object) -> None:
        raise Busy

    async def has_all() -> bool:
        return await content_of(two, where) == data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one.appliance.committer, "commit_upload", busy)
        where = await Tus(one).create(len(data))
        await Tus(one).patch(where, 0, data)
        await until(has_all, "all segments")
        one.clock.forward(2 * DAY_S)
        async with one.lost():
            await two.appliance.segment_sweep.run()
            assert await has_all()
            let_fall_silent(one.appliance.config.catalogue.url or "", one.name, DAY_S)
            await two.appliance.segment_sweep.run()
            assert await is_empty(two, where)
    await one.appliance.upload_janitor.run()
    image = await Tus(one).image(where)
    assert not await is_shipped(two, image["slug"])
    assert await has_all()
    held.open()
    await until(lambda: is_empty(two, where), "no segment")


async def test_an_original_comes_back_without_its_private_data(segmented: Nodes, held: Gate) -> None:
    one, two = segmented
    where = await Tus(one).whole(private_pictures.jpeg())
    image = await Tus(one).image(where)
    assert await content_of(one, where) == private_pictures.jpeg()
    async with one.lost(), one.silent():
        assert await rescued(two) == 1
        assert sha256([await Tus(two).original(image["slug"])]) == image["sha256"]
    held.open()
    await until(lambda: is_empty(two, where), "no segment")


async def test_an_original_comes_back_from_the_parts_that_it_was_assembled_from(segmented: Nodes, held: Gate) -> None:
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 72)
    where, parts = await assembled(one, data)
    slug = await Tus(one).slug(where)
    async with one.lost(), one.silent():
        await two.appliance.segment_sweep.run()
        assert await rescued(two) == 1
        assert sha256([await Tus(two).original(slug)]) == sha256([data])
    held.open()
    for part in parts:
        await until(lambda part=part: is_empty(two, part), "no segment")  # type: ignore[misc]
    assert (await Tus(one).head(parts[0])).status == 410


async def test_an_original_comes_back_whose_upload_was_deleted_once_it_was_an_image(
    segmented: Nodes, held: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 75)
    where = await Tus(one).whole(data)
    slug = await Tus(one).slug(where)
    assert one.appliance.resumable.writer is not None
    judged = gated(monkeypatch, one.appliance.resumable.writer, "_delete_ended", after=True)
    judged.open()
    assert (await Tus(one).delete(where)).status == 204
    await judged.reached.wait()
    assert await content_of(one, where) == data
    async with one.lost(), one.silent():
        await two.appliance.segment_sweep.run()
        assert await rescued(two) == 1
        await until(lambda: is_shipped(two, slug), "a shipped original")
        assert sha256([await Tus(two).original(slug)]) == sha256([data])
    held.open()
    await until(lambda: is_empty(two, where), "no segment")


@pytest.mark.parametrize("is_finished_late", [False, True])
async def test_an_original_comes_back_from_its_parts_though_their_upload_was_deleted(
    segmented: Nodes, held: Gate, is_finished_late: bool
) -> None:
    """Also if a node that had the upload before learns only then how it ended."""
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 76 + 10 * is_finished_late)
    where, parts = await assembled(one, data)
    slug, row = await Tus(one).slug(where), await two.appliance.catalogue.uploads.get(id_of(where))
    assert row is not None
    assert (await Tus(one).delete(where)).status == 204
    if is_finished_late:
        await two.appliance.resumable.finisher.begin(replace(row, state=UploadState.RECEIVING))
    async with one.lost(), one.silent():
        await two.appliance.segment_sweep.run()
        assert await rescued(two) == 1
        await until(lambda: is_shipped(two, slug), "a shipped original")
        assert sha256([await Tus(two).original(slug)]) == sha256([data])
    held.open()
    for part in parts:
        await until(lambda part=part: is_empty(two, part), "no segment")  # type: ignore[misc]


@pytest.mark.parametrize("is_deleted", [False, True], ids=["overdue", "deleted"])
async def test_an_original_comes_back_from_parts_that_have_ended_themselves(
    segmented: Nodes, held: Gate, is_deleted: bool
) -> None:
    """They expired, or their client deleted them, before the store had what was assembled from them."""
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 90 + is_deleted)
    where, parts = await assembled(one, data)
    slug = await Tus(one).slug(where)
    if is_deleted:
        for part in parts:
            assert (await Tus(one).delete(part)).status == 204
    one.clock.forward(3 * DAY_S)
    await one.appliance.upload_janitor.run()
    await two.appliance.upload_janitor.run()
    async with one.lost(), one.silent():
        await two.appliance.segment_sweep.run()
        assert await rescued(two) == 1
        assert sha256([await Tus(two).original(slug)]) == sha256([data])
    held.open()
    await until(lambda: is_shipped(two, slug), "a shipped original")

    async def are_gone() -> bool:
        await two.appliance.segment_sweep.run()
        return all([await is_empty(two, part) for part in parts])

    await until(are_gone, "no segment")


async def test_an_original_whose_segments_are_not_all_there_is_left_to_its_node(segmented: Nodes, held: Gate) -> None:
    one, two = segmented
    data = padded(2 * SEGMENT_BYTES + 50_000, 73)
    where = await Tus(one).whole(data)
    await one.appliance.store.delete(f"{PREFIX}{id_of(where)}/{SEGMENT_BYTES:015}")
    async with one.lost(), one.silent():
        assert await rescued(two) == 0
    held.open()
    slug = await Tus(one).slug(where)
    await until(lambda: is_shipped(two, slug), "a shipped original")


async def test_parts_go_once_their_original_is_shipped_though_an_attempt_failed(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = segmented[0]
    monkeypatch.setattr(finisher, "LOOK_AGAIN_S", 0.01)
    put, faults = one.appliance.store.put, [StoreUnavailable()]

    async def fail_once(*what: Any, **more: Any) -> None:
        if faults:
            raise faults.pop()
        await put(*what, **more)

    monkeypatch.setattr(one.appliance.store, "put", fail_once)
    where, parts = await assembled(one, padded(2 * SEGMENT_BYTES + 50_000, 77))
    slug = await Tus(one).slug(where)
    await until(lambda: is_shipped(one, slug), "a shipped original")
    for part in parts:
        await until(lambda part=part: is_empty(one, part), "no segment")  # type: ignore[misc]
        assert (await Tus(one).head(part)).status == 410


async def test_parts_go_once_their_image_has_ended_and_their_segments_once_it_is_erased(
    segmented: Nodes, held: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then it can be restored."""
    one = segmented[0]
    monkeypatch.setattr(finisher, "LOOK_AGAIN_S", 0.01)
    where, parts = await assembled(one, padded(2 * SEGMENT_BYTES + 50_000, 78))
    now_s = int(one.clock())
    await one.appliance.catalogue.images.end(await Tus(one).slug(where), now_s=now_s, erase_after_s=now_s + 60)
    held.open()

    async def have_ended() -> bool:
        return all([(await Tus(one).head(part)).status == 410 for part in parts])

    await until(have_ended, "no part")
    await one.appliance.segment_sweep.run()
    assert not any([await is_empty(one, part) for part in parts])
    one.clock.forward(61)
    assert await one.appliance.image_lifecycle.erase() >= 1
    await one.appliance.segment_sweep.run()
    assert all([await is_empty(one, part) for part in parts])


async def test_segments_of_a_shipped_original_are_swept(segmented: Nodes, held: Gate) -> None:
    one, two = segmented
    held.open()
    data = padded(SEGMENT_BYTES + 50_000, 74)
    where = await Tus(one).whole(data)
    await until(lambda: is_empty(two, where), "no segment")
    key = f"{PREFIX}{id_of(where)}/{0:015}"
    await one.appliance.store.put_bytes(key, data, media_type=MEDIA_TYPE)
    assert await two.appliance.segment_sweep.run() == 1
    assert await is_empty(two, where)
