"""A node that is gone for good is forgotten, and nothing is given up with it that the store has."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from appliance.app import control_commands
from appliance.domain.errors import DiskFull, StoreUnavailable
from appliance.domain.model import Image, Location
from appliance.domain.slugs import object_key
from tests.integration.nodes.conftest import OPERATIONS, Nodes
from tests.support.gates import gated
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost
from tests.support.segments import SEGMENT_BYTES, is_empty
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]


async def row_of(node: NodeHost, slug: str) -> Image:
    row = await node.appliance.catalogue.images.get(slug)
    assert isinstance(row, Image)
    return row


async def only_on(lost: NodeHost, node: NodeHost) -> list[str]:
    """What `appliance forget-node` at `node` finds that only the lost one has."""
    return await control_commands(node.appliance).only_on_node(lost.name)


async def away(*_arguments: object, **_more: object) -> None:
    raise StoreUnavailable("The store is away.")


async def rescued(node: NodeHost) -> int:
    """How many originals its job rescues."""
    assert node.appliance.resumable.rescue is not None
    return await node.appliance.resumable.rescue.run()


@pytest.mark.parametrize("by_job", [True, False], ids=["job", "command"])
async def test_an_original_that_was_put_ahead_is_noted_as_stored_when_its_node_is_lost(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch, by_job: bool
) -> None:
    """Its node was killed before the row said so."""
    one, two = nodes
    data = padded(200_000, 81 + by_job)
    held = gated(monkeypatch, one.appliance.catalogue.images, "mark_shipped")
    slug = await Tus(one).slug(await Tus(one).whole(data))
    assert (await row_of(two, slug)).location is Location.SPOOL
    async with one.lost(), one.silent():
        if by_job:
            assert await rescued(two) == 1
        assert await only_on(one, two) == []
        assert (await row_of(two, slug)).location is Location.STORE
        assert sha256([await Tus(two).original(slug)]) == sha256([data])
    held.open()


async def test_it_is_not_given_up_while_the_store_is_away(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = nodes
    held = gated(monkeypatch, one.appliance.catalogue.images, "mark_shipped")
    slug = await Tus(one).slug(await Tus(one).whole(padded(200_000, 83)))

    async def fail(*_arguments: object) -> None:
        raise StoreUnavailable

    async with one.lost(), one.silent():
        with monkeypatch.context() as patch:
            patch.setattr(two.appliance.store, "stat", fail)
            with pytest.raises(StoreUnavailable):
                await only_on(one, two)
        assert await only_on(one, two) == []
    held.open()
    assert (await row_of(two, slug)).location is Location.STORE


async def test_what_the_store_does_not_have_is_named(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = nodes
    held = gated(monkeypatch, one.appliance.store, "put")
    sending = asyncio.create_task(one.client.post("/api/v1/images", data=padded(200_000, 84)))
    await held.reached.wait()
    async with one.lost(), one.silent():
        found = await only_on(one, two)
        assert len(found) == 1
        assert await rescued(two) == 0
    held.open()
    assert (await (await sending).json())["slug"] == found[0]


async def uploaded_and_binned(node: NodeHost, data: bytes) -> dict[str, Any]:
    """An image that was deleted, and can be restored, before the store had its original."""
    with pytest.MonkeyPatch.context() as patch:
        for operation in OPERATIONS:
            patch.setattr(node.appliance.store, operation, away)
        image = await node.upload(data)
        await node.bin(image)
    await until(lambda: not node.appliance.shipper.backlog, "a shipper that has noticed")
    assert (await row_of(node, image["slug"])).location is Location.SPOOL
    return image


async def is_stored(node: NodeHost, slug: str) -> bool:
    return [entry.key async for entry in node.appliance.store.list(object_key(slug))] != []


async def waiting_at(node: NodeHost) -> object:
    return (await control_commands(node.appliance).status())["waiting_for_the_store"]


async def test_a_node_that_is_drained_ships_what_is_in_the_bin(nodes: Nodes) -> None:
    one, two = nodes
    data = padded(200_000, 87)
    image = await uploaded_and_binned(one, data)
    ended_originals = one.appliance.ended_originals
    assert (await waiting_at(one), await ended_originals.run()) == (0, 0)
    await control_commands(one.appliance).drain(True, False)
    try:
        assert (await waiting_at(one), await ended_originals.run(), await waiting_at(one)) == (1, 1, 0)
        async with one.lost(), one.silent():
            assert await only_on(one, two) == []
            assert (await two.patch(image["slug"], image["delete_token"], deleted=False)).status == 200
            assert sha256([await Tus(two).original(image["slug"])]) == sha256([data])
    finally:
        await control_commands(one.appliance).drain(False, False)


async def test_what_is_taken_down_while_it_is_shipped_from_the_bin_is_not_left_in_the_store(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    image = await uploaded_and_binned(one, padded(200_000, 88))
    ended_originals = one.appliance.ended_originals
    held = gated(monkeypatch, one.appliance.catalogue.images, "mark_shipped")
    await control_commands(one.appliance).drain(True, False)
    try:
        shipping = asyncio.create_task(ended_originals.run())
        await held.reached.wait()
        assert await is_stored(one, image["slug"])
        await control_commands(two.appliance).take_down(image["slug"])
        held.open()
        assert await shipping == 0
        assert not await is_stored(one, image["slug"])
    finally:
        await control_commands(one.appliance).drain(False, False)


@pytest.mark.usefixtures("all_large")
async def test_a_large_original_comes_back_from_its_segments_unless_this_node_has_no_room_for_it(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = segmented
    put, released = one.appliance.store.put, asyncio.Event()

    async def put_late(*what: Any, **more: Any) -> None:
        await released.wait()
        await put(*what, **more)

    monkeypatch.setattr(one.appliance.store, "put", put_late)
    sent = {number: padded(SEGMENT_BYTES + 50_000, number) for number in (85, 86)}
    wheres = [await Tus(one).whole(data) for data in sent.values()]
    slugs = [await Tus(one).slug(where) for where in wheres]
    room_for, faults = two.appliance.spool.room_for, [DiskFull()]

    def have_no_room_once(needed: int) -> AbstractAsyncContextManager[Any]:
        if faults:
            raise faults.pop()
        return room_for(needed)

    monkeypatch.setattr(two.appliance.spool, "room_for", have_no_room_once)
    async with one.lost(), one.silent():
        with pytest.raises(DiskFull):
            await only_on(one, two)
        assert [(await row_of(two, slug)).node for slug in slugs].count(one.name) == 1
        assert await only_on(one, two) == []
        for slug, data in zip(slugs, sent.values(), strict=True):
            assert sha256([await Tus(two).original(slug)]) == sha256([data])
    released.set()
    for where in wheres:
        await until(lambda where=where: is_empty(two, where), "no segment")  # type: ignore[misc]
