"""Parallel uploads of a lost node: their parts continue and are assembled at another one."""

import pytest

from appliance.domain.errors import DiskFull
from tests.support.host import problem
from tests.support.images.noise import padded
from tests.support.nodes import NodeHost
from tests.support.segments import is_empty, stored_at_least
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]


async def test_parts_of_a_lost_node_are_assembled_at_another(segmented: Nodes, jpeg: bytes) -> None:
    one, two = segmented
    parts = [await Tus(one).part(jpeg[:5000]), await Tus(one).part(jpeg[5000:9000]), await Tus(two).part(jpeg[9000:])]
    for part, length in zip(parts, (5000, 4000), strict=False):
        await stored_at_least(one, part, length)
    async with one.lost(), one.silent():
        where = await Tus(two).created(await Tus(two).post(headers={"Upload-Concat": f"final;{' '.join(parts)}"}))
        assert (await Tus(two).image(where))["sha256"] == sha256([jpeg])
    await until(lambda: is_empty(two, parts[0]), "no segment")


async def test_a_part_that_is_not_whole_in_the_store_is_finished_first(segmented: Nodes) -> None:
    one, two = segmented
    data = padded(300_000, 12)
    whole = await Tus(one).part(data[:50_000])
    await stored_at_least(one, whole, 50_000)
    unfinished = await Tus(one).created(await Tus(one).post(250_000, headers={"Upload-Concat": "partial"}))
    assert (await Tus(one).patch(unfinished, 0, data[50_000:170_000])).status == 204
    await stored_at_least(one, unfinished, 100_000)
    final = {"Upload-Concat": f"final;{whole} {unfinished}"}
    async with one.lost(), one.silent():
        await problem(await Tus(two).post(headers=final), "parts-unfinished")
        assert await Tus(two).offset(unfinished) == 100_000
        assert (await Tus(two).patch(unfinished, 100_000, data[150_000:])).status == 204
        where = await Tus(two).created(await Tus(two).post(headers=final))
        assert (await Tus(two).image(where))["sha256"] == sha256([data])


async def test_an_upload_that_a_lost_node_was_assembling_is_assembled_at_another(segmented: Nodes, jpeg: bytes) -> None:
    one, two = segmented
    parts = [await Tus(one).part(jpeg[:5000]), await Tus(one).part(jpeg[5000:])]
    final = {"Upload-Concat": f"final;{' '.join(parts)}"}
    for part, length in zip(parts, (5000, len(jpeg) - 5000), strict=True):
        await stored_at_least(one, part, length)

    async def fail(*_arguments: object) -> None:
        raise DiskFull

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one.appliance.spool.uploads, "concatenate", fail)
        assert (await Tus(one).post(headers=final)).status == 507
    async with one.lost(), one.silent():
        where = await Tus(two).created(await Tus(two).post(headers=final))
        assert (await Tus(two).image(where))["sha256"] == sha256([jpeg])
