"""Originals that are put into the store before their row: they stay there only if the row comes."""

from typing import Any

import pytest

from appliance.domain.errors import InviteFull, ObjectMissing, StoreUnavailable
from appliance.domain.resumable_uploads import Upload, UploadState
from appliance.domain.slugs import object_key
from tests.integration.nodes.conftest import Nodes
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost
from tests.support.segments import id_of
from tests.support.tus_client import Tus
from tests.support.waiting import until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]


async def row_of(node: NodeHost, where: str) -> Upload:
    row = await node.appliance.catalogue.uploads.get(id_of(where))
    assert row is not None
    return row


async def is_stored(node: NodeHost, slug: str) -> bool:
    try:
        await node.appliance.store.stat(object_key(slug))
    except ObjectMissing:
        return False
    return True


async def send(node: NodeHost, where: str, data: bytes) -> None:
    """Send all of an upload, and wait until its node has done what it can."""
    await Tus(node).patch(where, 0, data)
    await until(lambda: not node.appliance.resumable.finisher.is_finishing(id_of(where)), "the end of finishing")


async def test_a_node_puts_nothing_of_an_upload_that_another_took_over(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = segmented
    data = padded(300_000, 41)
    where = await Tus(one).create(len(data))
    slug, land = await Tus(one).slug(where), one.appliance.spool.land

    async def land_and_lose(*what: Any) -> None:
        await land(*what)
        assert await one.appliance.catalogue.uploads.move(await row_of(one, where), two.name)

    monkeypatch.setattr(one.appliance.spool, "land", land_and_lose)
    await send(one, where, data)
    assert (await row_of(one, where)).state is UploadState.RECEIVING
    assert not await is_stored(one, slug)


async def test_an_upload_that_is_refused_in_the_end_leaves_nothing_in_the_store(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = segmented[0]
    data = padded(300_000, 42)
    where = await Tus(one).create(len(data))
    slug = await Tus(one).slug(where)
    was_ahead = []

    async def add(*_what: Any, **_more: Any) -> None:
        was_ahead.append(await is_stored(one, slug))
        raise InviteFull

    monkeypatch.setattr(one.appliance.catalogue.images, "add", add)
    await send(one, where, data)
    assert (await row_of(one, where)).state is UploadState.REFUSED
    assert was_ahead == [True]
    assert not await is_stored(one, slug)


async def test_an_upload_whose_put_fails_is_not_confirmed_while_the_store_works_for_others(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = segmented[0]
    data = padded(300_000, 44)
    where = await Tus(one).create(len(data))
    slug, faults, put = await Tus(one).slug(where), [StoreUnavailable()], one.appliance.shipper.store.put

    async def fail_once(*what: Any, **more: Any) -> None:
        if faults:
            raise faults.pop()
        await put(*what, **more)

    monkeypatch.setattr(one.appliance.shipper.store, "put", fail_once)
    refused = await Tus(one).patch(where, 0, data)
    await problem(refused, "store-unavailable")
    assert refused.headers["Retry-After"] == "1"
    assert (await row_of(one, where)).state is UploadState.RECEIVING
    assert await Tus(one).offset(where) == len(data)
    assert (await row_of(one, where)).state is UploadState.DONE
    assert await is_stored(one, slug)


@pytest.mark.parametrize("is_taken_over", [True, False])
async def test_what_was_put_after_the_end_of_its_upload_stays_only_for_the_node_that_has_it(
    segmented: Nodes, monkeypatch: pytest.MonkeyPatch, is_taken_over: bool
) -> None:
    one, two = segmented
    data = padded(300_000, 43)
    where = await Tus(one).create(len(data))
    slug, uploads = await Tus(one).slug(where), one.appliance.catalogue.uploads
    put_ahead = one.appliance.shipper.objects.put_ahead

    async def lose_and_put(*what: Any) -> None:
        row = await row_of(one, where)
        if is_taken_over:
            assert await uploads.move(row, two.name)
        else:
            now_s = int(one.clock())
            assert await uploads.give_up(row, now_s=now_s, kept_until_s=now_s + 60)
        await put_ahead(*what)

    monkeypatch.setattr(one.appliance.shipper.objects, "put_ahead", lose_and_put)
    await send(one, where, data)
    assert await is_stored(one, slug) is is_taken_over
