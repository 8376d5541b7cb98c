"""Nodes and leases: who is there, and who may do what only one may do."""

import time
from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.catalogue.sql import image_queries
from appliance.catalogue.sql import nodes as rows
from appliance.domain.errors import CommandFailed, NodeDirectoryInUse, NodeNameInUse, NodeSecretDiffers
from appliance.domain.model import Image
from appliance.domain.nodes import Node
from tests.support.rows import image, slug

PROOF = "of the secret"
BOX_1 = Node("box-1", "http://10.0.0.1:8090", "home-1", "1.0")
BOX_2 = Node("box-2", "http://10.0.0.2:8090", "home-2", "1.0")


@pytest.fixture
async def nodes(catalogue: Catalogue) -> Catalogue:
    await catalogue.nodes.join(BOX_1, PROOF)
    await catalogue.nodes.join(BOX_2, PROOF)
    return catalogue


def all_are_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(rows._ALIVE, "dead_after_s", 0)


async def test_nodes_are_known_by_name_with_the_time_of_the_database(nodes: Catalogue) -> None:
    [one, two] = await nodes.nodes.nodes()
    assert replace(one, schema="", started_at=0, seen_at=0, silent_s=0) == BOX_1
    assert two.url == BOX_2.url
    assert one.is_alive
    assert one.schema
    assert abs(one.started_at - await nodes.nodes.now()) < 60
    assert abs(await nodes.nodes.now() - time.time()) < 2


async def test_a_name_is_in_use_while_its_node_lives(nodes: Catalogue) -> None:
    with pytest.raises(NodeNameInUse, match="Another server is the node box-1"):
        await nodes.nodes.join(replace(BOX_1, home="home-3"), PROOF)
    await nodes.nodes.leave("box-1")
    await nodes.nodes.join(replace(BOX_1, home="home-3"), PROOF)
    assert [node.home for node in await nodes.nodes.nodes()] == ["home-3", "home-2"]


async def test_a_copied_directory_is_of_one_node(nodes: Catalogue) -> None:
    copied = replace(BOX_1, name="box-3")
    with pytest.raises(NodeDirectoryInUse, match="The node box-1 runs with this data directory"):
        await nodes.nodes.join(copied, PROOF)
    await nodes.nodes.leave("box-1")
    await nodes.nodes.join(copied, PROOF)
    with pytest.raises(NodeDirectoryInUse, match="The node box-3"):
        await nodes.nodes.join(BOX_1, PROOF)


async def test_a_node_with_another_secret_joins_only_where_no_other_is_alive(nodes: Catalogue) -> None:
    with pytest.raises(NodeSecretDiffers, match="not that of box-1"):
        await nodes.nodes.join(BOX_2, "of another secret")
    await nodes.nodes.leave("box-1")
    await nodes.nodes.join(BOX_2, "of another secret")
    with pytest.raises(NodeSecretDiffers, match="not that of box-2"):
        await nodes.nodes.join(BOX_1, PROOF)


async def test_a_silent_node_makes_room_for_its_name(nodes: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    all_are_silent(monkeypatch)
    await nodes.nodes.join(replace(BOX_1, home="home-3"), PROOF)


async def test_a_node_that_was_restarted_joins_at_once_and_holds_nothing(nodes: Catalogue) -> None:
    assert await nodes.nodes.acquire("expiry", "box-1", 60)
    await nodes.nodes.join(BOX_1, PROOF)
    assert await nodes.nodes.leases() == []


async def test_a_node_that_left_is_remembered_until_it_is_forgotten(nodes: Catalogue) -> None:
    await nodes.nodes.leave("box-1")
    [one, _] = await nodes.nodes.nodes()
    assert (one.has_left, one.is_alive) == (True, False)
    await nodes.nodes.forget("box-1")
    assert [node.name for node in await nodes.nodes.nodes()] == ["box-2"]
    with pytest.raises(CommandFailed, match="box-2 is running"):
        await nodes.nodes.forget("box-2")
    with pytest.raises(CommandFailed, match="no node 'box-1'"):
        await nodes.nodes.forget("box-1")


async def test_a_node_with_the_only_copy_of_an_original_is_not_forgotten(nodes: Catalogue) -> None:
    await nodes.images.add(image(node="box-1"))
    await nodes.nodes.leave("box-1")
    assert await nodes.images.unshipped_by_node() == {"box-1": 1}
    with pytest.raises(CommandFailed, match="on the node box-1 alone"):
        await nodes.nodes.forget("box-1")
    await nodes.images.mark_shipped(slug(0), image(0).sha256)
    await nodes.nodes.forget("box-1")


async def test_a_node_that_alone_has_what_can_be_restored_is_not_forgotten(nodes: Catalogue) -> None:
    now_s = int(await nodes.nodes.now())
    for number, ends_s in enumerate((now_s + 1000, now_s - 1)):
        await nodes.images.add(image(number, node="box-1", created_s=now_s - 9, expires_s=now_s + 9000))
        await nodes.images.end(slug(number), now_s=now_s - 5, erase_after_s=ends_s)
    await nodes.images.add(image(2, node="box-2"))
    await nodes.nodes.leave("box-1")
    assert await nodes.nodes.only_on("box-1") == await nodes.nodes.restorable_on("box-1") == [slug(0)]
    with pytest.raises(CommandFailed, match="on the node box-1 alone"):
        await nodes.nodes.forget("box-1")
    await nodes.images.end(slug(0), now_s=now_s, erase_after_s=now_s, for_good=True)
    assert await nodes.nodes.only_on("box-1") == []
    await nodes.nodes.forget("box-1")


async def test_what_only_a_node_has_is_named_once_it_is_gone(nodes: Catalogue) -> None:
    for number in range(3):
        await nodes.images.add(image(number, node="box-1"))
    with pytest.raises(CommandFailed, match="box-1 is running"):
        await nodes.nodes.only_on("box-1")
    await nodes.nodes.leave("box-1")
    assert await nodes.nodes.only_on("box-1", 2) == [slug(0), slug(1)]
    with pytest.raises(CommandFailed, match="no node 'box-3'"):
        await nodes.nodes.only_on("box-3")


async def test_originals_are_counted_for_each_node_however_many_others_have(
    nodes: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_queries, "COUNT_LIMIT", 2)
    for number in range(3):
        await nodes.images.add(image(number, node="box-1"))
    await nodes.images.add(image(3, node="box-2"))
    await nodes.images.add(image(4))
    assert await nodes.images.unshipped_by_node() == {"": 1, "box-1": 2, "box-2": 1}


async def test_a_node_is_not_forgotten_however_many_originals_others_have(
    nodes: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store is away, more wait than are counted, and those of the node may be the last ones."""
    monkeypatch.setattr(image_queries, "COUNT_LIMIT", 2)
    for number in range(3):
        await nodes.images.add(image(number, node="box-2"))
    await nodes.images.add(image(3, node="box-1"))
    await nodes.nodes.leave("box-1")
    with pytest.raises(CommandFailed, match="on the node box-1 alone"):
        await nodes.nodes.forget("box-1")


async def test_a_lease_is_held_by_one_node(nodes: Catalogue) -> None:
    assert await nodes.nodes.acquire("expiry", "box-1", 60)
    assert not await nodes.nodes.acquire("expiry", "box-2", 60)
    assert await nodes.nodes.acquire("expiry", "box-1", 120)
    assert await nodes.nodes.acquire("erasing", "box-2", 60)
    assert [(lease.name, lease.node) for lease in await nodes.nodes.leases()] == [
        ("erasing", "box-2"),
        ("expiry", "box-1"),
    ]
    await nodes.nodes.release("expiry", "box-2")
    assert not await nodes.nodes.acquire("expiry", "box-2", 60)
    await nodes.nodes.release("expiry", "box-1")
    assert await nodes.nodes.acquire("expiry", "box-2", 60)


async def test_a_lease_ends_with_its_time(nodes: Catalogue) -> None:
    assert await nodes.nodes.acquire("expiry", "box-1", 0)
    assert await nodes.nodes.leases() == []
    assert await nodes.nodes.acquire("expiry", "box-2", 60)


async def test_a_lease_ends_with_its_node(nodes: Catalogue) -> None:
    assert await nodes.nodes.acquire("expiry", "box-1", 3600)
    await nodes.nodes.leave("box-1")
    assert await nodes.nodes.acquire("expiry", "box-2", 60)


async def test_the_lease_of_a_silent_node_is_taken_over(nodes: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await nodes.nodes.acquire("expiry", "box-1", 3600)
    all_are_silent(monkeypatch)
    assert await nodes.nodes.acquire("expiry", "box-2", 60)


async def test_a_heartbeat_is_the_end_of_silence(nodes: Catalogue) -> None:
    await nodes.nodes.beat("box-1")
    [one, _] = await nodes.nodes.nodes()
    assert one.silent_s <= 5


async def test_what_was_erased_is_found_by_the_time_of_its_erasure(catalogue: Catalogue) -> None:
    images, before_s = catalogue.images, int(await catalogue.nodes.now()) - 1
    for number in range(3):
        await images.add(image(number))
        await images.end(slug(number), now_s=1, erase_after_s=1)
        assert await images.begin_erase(slug(number), 2)
    assert await images.erased(before_s) == []
    for number in range(3):
        await images.confirm_erased(slug(number))
    found = await images.erased(before_s)
    assert {erasure.slug for erasure in found} == {slug(0), slug(1), slug(2)}
    assert await images.erased(found[0].changed_s, found[0].slug, 1) == found[1:2]
    assert await images.erased(found[-1].changed_s, found[-1].slug) == []


async def test_the_last_revision_of_an_image_is_found_by_its_time(catalogue: Catalogue) -> None:
    images, before_s = catalogue.images, int(await catalogue.nodes.now()) - 1
    for number in range(3):
        await images.add(image(number))
    costlier = replace(image(0), facts=replace(image(0).facts, memory_bytes=77))
    await images.revise(costlier)
    assert await images.revised(before_s) == []
    await images.revise(replace(image(1), facts=replace(image(1).facts, width=9)))
    [wider] = await images.revised(before_s)
    assert (wider.slug, wider.version, wider.renews) == (slug(1), 2, True)
    await images.revise(replace(image(2), sha256="ab" * 32), is_replaced=True)
    row = await images.get(slug(1))
    assert isinstance(row, Image)
    await images.revise(replace(row, sha256="cd" * 32), is_replaced=True)
    found = await images.revised(before_s)
    assert {(one.slug, one.version, one.renews) for one in found} == {(slug(1), 3, True), (slug(2), 2, False)}
    assert await images.revised(found[0].changed_s, found[0].slug, 1) == found[1:2]
    assert await images.revised(found[-1].changed_s, found[-1].slug) == []


async def test_an_image_that_was_erased_has_no_revision(catalogue: Catalogue) -> None:
    images = catalogue.images
    await images.add(image(0))
    await images.revise(replace(image(0), sha256="ab" * 32), is_replaced=True)
    await images.end(slug(0), now_s=1, erase_after_s=1)
    await images.begin_erase(slug(0), 2)
    await images.confirm_erased(slug(0))
    assert await images.revised(0) == []
