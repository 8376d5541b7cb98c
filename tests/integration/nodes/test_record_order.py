"""Two nodes that write a record of one image at once: the store has what the row says, whichever writes last."""

import asyncio
from collections.abc import Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from appliance.catalogue import ImageCatalogue
from appliance.domain.access_keys import AccessKey, Scope, key_of
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.domain.image_locks import lock_of
from appliance.domain.model import Image, Location
from appliance.domain.slugs import sidecar_key, tombstone_key
from appliance.objectstore.access_records import record_from, record_key
from appliance.objectstore.records import image_from, tombstone_from
from tests.integration.nodes.conftest import Nodes
from tests.support.gates import gated, row
from tests.support.nodes import NodeHost
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def stored(node: NodeHost, key: str) -> bytes | None:
    """The object at the key; None where there is none."""
    try:
        async with await node.appliance.store.open(key, 0, 100_000) as reader:
            return b"".join([block async for block in reader])
    except ObjectMissing:
        return None


async def uploaded(node: NodeHost, jpeg: bytes) -> dict[str, Any]:
    """An image whose original is in the store, with nothing due."""
    image = await node.upload(jpeg)

    async def is_shipped() -> bool:
        return (await row(node, image["slug"])).location is Location.STORE

    await until(is_shipped)
    await node.appliance.image_lifecycle.sync_records()
    return image


def rows_of(node: NodeHost) -> ImageCatalogue:
    return node.appliance.catalogue.images


async def settled(node: NodeHost) -> None:
    """Returns when the store knows of every deletion and restoration."""

    async def is_settled() -> bool:
        return not await rows_of(node).tombstones_due()

    await until(is_settled, "tombstones")


@asynccontextmanager
async def late(patch: pytest.MonkeyPatch, node: NodeHost, operation: str, work: Coroutine[Any, Any, object]) -> Any:
    """The node's work, whose first write reaches the store when the block has ended."""
    held = gated(patch, node.appliance.store, operation)
    working = asyncio.create_task(work)
    await held.reached.wait()
    yield
    held.open()
    await working


async def test_a_late_tombstone_is_removed_after_a_restoration(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    image = await uploaded(one, jpeg)
    slug, now_s = image["slug"], int(one.clock())
    await rows_of(one).end(slug, now_s=now_s, erase_after_s=now_s + 1000)
    async with late(monkeypatch, one, "put_bytes", one.appliance.tombstones.settle_due()):
        assert (await two.patch(slug, image["delete_token"], deleted=False)).status == 200
        await settled(two)
    assert await stored(two, tombstone_key(slug)) is None


@pytest.mark.parametrize("is_erased", [False, True], ids=["in the bin", "erased"])
async def test_a_late_restoration_leaves_the_tombstone_of_a_later_deletion(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, is_erased: bool
) -> None:
    one, two = nodes
    image = await uploaded(one, jpeg)
    slug, token = image["slug"], image["delete_token"]
    await one.delete(slug, token, bin="true")
    await rows_of(one).restore(slug, now_s=int(one.clock()), expires_s=None)
    async with late(monkeypatch, one, "delete", one.appliance.tombstones.settle_due()):
        await two.delete(slug, token, **({} if is_erased else {"bin": "true"}))
        await settled(two)
        if is_erased:
            assert await two.erase() >= 1
    record = await stored(two, tombstone_key(slug))
    assert record is not None
    tombstone, found = tombstone_from("", record), await rows_of(two).get(slug)
    if is_erased:
        assert tombstone == found
    else:
        assert isinstance(found, Image)
        assert (tombstone.version, tombstone.restorable_until_s) == (found.version, found.erase_after_s)


async def test_a_late_sidecar_is_followed_by_the_newer_one(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    image = await uploaded(one, jpeg)
    slug, token = image["slug"], image["delete_token"]
    await one.patch(slug, token, title="Early")
    async with late(monkeypatch, one, "put_bytes", one.appliance.image_lifecycle.sync_records()):
        assert (await two.patch(slug, token, title="Newest")).status == 200
        await two.appliance.image_lifecycle.sync_records()
    assert (await described(two, slug)).title == "Newest"


async def test_a_late_removal_of_a_sidecar_spares_that_of_a_restored_image(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    image = await uploaded(one, jpeg)
    slug, token = image["slug"], image["delete_token"]
    await one.patch(slug, token, title="Kept")
    async with late(monkeypatch, one, "put_bytes", one.appliance.image_lifecycle.sync_records()):
        held = gated(monkeypatch, one.appliance.store, "delete")
        await two.delete(slug, token, bin="true")

        async def restore() -> None:
            await held.reached.wait()
            await two.patch(slug, token, deleted=False)
            await two.appliance.image_lifecycle.sync_records()
            held.open()

        restoring = asyncio.create_task(restore())
    await restoring
    assert (await described(two, slug)).version == (await row(two, slug)).version


async def test_a_key_that_another_node_revoked_stays_revoked(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = nodes
    key = AccessKey("0123456789", "late", "ab" * 32, (Scope.UPLOAD,), int(one.clock()))
    await one.appliance.catalogue.keys.add(key)
    async with late(monkeypatch, one, "put_bytes", one.appliance.access_records.settle_due()):
        await two.appliance.access_keys.revoke(key.id)
        await written(two)
    await written(one)
    assert key_of(await recorded(two, RecordKind.KEY, key.id)).revoked_s is not None


async def test_a_key_whose_record_broke_off_and_came_late_stays_revoked(
    nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    key = AccessKey("9876543210", "broken off", "ab" * 32, (Scope.UPLOAD,), int(one.clock()))
    await one.appliance.catalogue.keys.add(key)
    put = one.appliance.store.put_bytes

    async def break_off(*arguments: Any, **more: Any) -> None:
        await put(*arguments, **more)
        raise StoreUnavailable("The reply was lost.")

    with monkeypatch.context() as patched:
        patched.setattr(one.appliance.store, "put_bytes", break_off)
        with pytest.raises(StoreUnavailable):
            async with late(patched, one, "put_bytes", one.appliance.access_records.settle_due()):
                await two.appliance.access_keys.revoke(key.id)
                await written(two)
    await two.appliance.access_records.settle_due()
    assert key_of(await recorded(two, RecordKind.KEY, key.id)).revoked_s is not None


async def test_a_passphrase_that_another_node_replaced_stays_replaced(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = nodes
    image = await uploaded(one, jpeg)
    slug, token = image["slug"], image["delete_token"]
    before = await row(one, slug)
    await rows_of(one).change(slug, version=before.version, lock="$argon2id$early")
    async with late(monkeypatch, one, "put_bytes", one.appliance.access_records.settle_due()):
        assert (await two.patch(slug, token, passphrase="the newest")).status == 200
        await written(two)
    await written(one)
    found = await row(two, slug)
    assert lock_of(await recorded(two, RecordKind.LOCK, slug)).lock == found.lock != "$argon2id$early"


async def written(node: NodeHost) -> None:
    """Returns when the store knows of every access record."""

    async def is_written() -> bool:
        return not await node.appliance.catalogue.records.due()

    await until(is_written, "access records")


async def recorded(node: NodeHost, kind: RecordKind, record_id: str) -> AccessRecord:
    """The access record in the store."""
    content = await stored(node, record_key(kind, record_id))
    assert content is not None
    return record_from(record_key(kind, record_id), content)


async def described(node: NodeHost, slug: str) -> Image:
    """The image as the store's sidecar describes it."""
    record = await stored(node, sidecar_key(slug))
    assert record is not None
    info = await node.appliance.store.stat(f"{sidecar_key(slug)}")
    return image_from(info, record)
