"""Which node has the bytes of an image or an upload, as its row says."""

from dataclasses import replace

import pytest

from appliance.catalogue import Catalogue
from appliance.catalogue.sql import uploads
from appliance.domain.errors import Conflict
from appliance.domain.model import Image, Location
from appliance.domain.nodes import Node
from appliance.domain.resumable_uploads import Refusal, UploadState
from tests.support.rows import LATER, NOW_S, image, slug, upload

PROOF = "of the secret"
BOX_1 = Node("box-1", "http://10.0.0.1:8090", "home-1", "1.0")
BOX_2 = Node("box-2", "http://10.0.0.2:8090", "home-2", "1.0")


async def node_of_upload(catalogue: Catalogue, number: int) -> str | None:
    row = await catalogue.uploads.get(upload(number).id_hash)
    assert row is not None
    return row.node


async def node_of(catalogue: Catalogue, number: int) -> str | None:
    row = await catalogue.images.get(slug(number))
    assert isinstance(row, Image)
    return row.node


async def test_an_image_names_its_node_until_the_store_has_it(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0, node="box-1"))
    assert await node_of(catalogue, 0) == "box-1"
    assert await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    assert await node_of(catalogue, 0) is None


async def test_a_late_mark_does_not_say_that_the_store_has_what_was_replaced_since(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0, node="box-1"))
    assert await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    cleaned = image(0, node="box-2", bytes=7, sha256="c1" * 32)
    await catalogue.images.revise(cleaned, is_replaced=True)
    assert not await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    assert await node_of(catalogue, 0) == "box-2"
    assert await catalogue.images.mark_shipped(slug(0), cleaned.sha256)


async def test_the_original_of_an_ended_image_is_in_the_store_only_if_it_may_be(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0, node="box-1"))
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=LATER)
    assert not await catalogue.images.mark_shipped(slug(0), image(0).sha256)
    assert await catalogue.images.mark_shipped(slug(0), image(0).sha256, may_be_restorable=True)
    restored = await catalogue.images.restore(slug(0), now_s=NOW_S, expires_s=LATER)
    assert (restored.location, restored.node) == (Location.STORE, None)


async def test_what_is_being_erased_is_never_in_the_store(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0, node="box-1"))
    await catalogue.images.end(slug(0), now_s=NOW_S, erase_after_s=NOW_S, for_good=True)
    assert not await catalogue.images.mark_shipped(slug(0), image(0).sha256, may_be_restorable=True)
    assert await node_of(catalogue, 0) == "box-1"


async def test_an_original_that_was_replaced_names_the_node_of_its_new_bytes(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0, location=Location.STORE))
    revised = await catalogue.images.revise(image(0, node="box-2", bytes=7), is_replaced=True)
    assert (revised.location, revised.node) == (Location.SPOOL, "box-2")
    await catalogue.images.revise(replace(revised, node="box-3"))
    assert await node_of(catalogue, 0) == "box-2"


async def test_a_node_claims_images_that_the_store_does_not_have(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0))
    await catalogue.images.add(image(1, node="box-2"))
    await catalogue.images.add(image(2, location=Location.STORE))
    await catalogue.images.claim([slug(number) for number in range(4)], "box-1")
    assert [await node_of(catalogue, number) for number in range(3)] == ["box-1", "box-1", None]


async def test_a_node_claims_uploads_that_have_not_ended(catalogue: Catalogue) -> None:
    for number in range(2):
        await catalogue.uploads.add(upload(number, node="box-2"))
    await catalogue.uploads.give_up(upload(1, node="box-2"), now_s=NOW_S, kept_until_s=LATER)
    await catalogue.uploads.claim([upload(number).id_hash for number in range(3)], "box-1")
    rows = [await catalogue.uploads.get(upload(number).id_hash) for number in range(2)]
    assert [(row.node, row.state) for row in rows if row] == [
        ("box-1", UploadState.RECEIVING),
        ("box-2", UploadState.GONE),
    ]


async def join_with_another_name(catalogue: Catalogue) -> None:
    """`box-1` and `box-2` have joined; the first was `formerly-box-1` until it stopped."""
    former = replace(BOX_1, name="formerly-box-1")
    await catalogue.nodes.join(former, PROOF)
    await catalogue.nodes.leave(former.name)
    for node in (BOX_1, BOX_2):
        await catalogue.nodes.join(node, PROOF)


async def test_a_node_claims_no_upload_of_another_one(catalogue: Catalogue) -> None:
    """It may have taken it over meanwhile."""
    await join_with_another_name(catalogue)
    for number, name in enumerate((None, "box-1", "box-2", "formerly-box-1", "nobody-knows")):
        await catalogue.uploads.add(upload(number, node=name))
    await catalogue.uploads.claim([upload(number).id_hash for number in range(5)], "box-1")
    assert [await node_of_upload(catalogue, number) for number in range(5)] == [
        "box-1",
        "box-1",
        "box-2",
        "box-1",
        "box-1",
    ]


async def test_an_upload_moves_from_the_node_that_it_was_on(catalogue: Catalogue) -> None:
    moved = upload(0, node="box-1")
    await catalogue.uploads.add(moved)
    assert await catalogue.uploads.move(moved, "box-2")
    assert not await catalogue.uploads.move(moved, "box-3")
    assert await node_of_upload(catalogue, 0) == "box-2"


async def test_one_node_takes_over_an_upload_of_a_lost_one(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catalogue.nodes.join(BOX_1, PROOF)
    lost = upload(0, node="box-1")
    await catalogue.uploads.add(lost)
    assert not await catalogue.uploads.take_over(lost, "box-2")  # it was heard of a moment ago
    monkeypatch.setattr(uploads, "DEAD_AFTER_S", -1)
    assert await catalogue.uploads.take_over(lost, "box-2")
    assert not await catalogue.uploads.take_over(lost, "box-3")
    assert await node_of_upload(catalogue, 0) == "box-2"


async def test_an_upload_of_a_node_that_nobody_knows_can_be_taken_over(catalogue: Catalogue) -> None:
    forgotten = upload(0, node="box-1")
    await catalogue.uploads.add(forgotten)
    assert await catalogue.uploads.take_over(forgotten, "box-2")


async def test_a_former_node_ends_no_upload(catalogue: Catalogue) -> None:
    former = upload(0, node="box-1")
    await catalogue.uploads.add(former)
    await catalogue.uploads.move(former, "box-2")
    refusal = Refusal("not-an-image", "It isn't an image.")
    assert not await catalogue.uploads.give_up(former, now_s=NOW_S, kept_until_s=LATER)
    assert not await catalogue.uploads.refuse(former, refusal, now_s=NOW_S, kept_until_s=LATER)
    with pytest.raises(Conflict):
        await catalogue.images.add(image(0), upload=former, upload_kept_until_s=LATER)
    row = await catalogue.uploads.get(former.id_hash)
    assert row == replace(former, node="box-2")


async def test_overdue_uploads_of_a_forgotten_node_are_due_at_every_other_one(catalogue: Catalogue) -> None:
    await join_with_another_name(catalogue)
    for number, name in enumerate(("box-1", "box-2", "formerly-box-1", "forgotten", None)):
        await catalogue.uploads.add(upload(number, node=name, expires_s=NOW_S + number))
    assert [one.node for one in await catalogue.uploads.due(LATER, node="box-1")] == [
        "box-1",
        "formerly-box-1",
        "forgotten",
    ]
    assert [one.node for one in await catalogue.uploads.due(LATER, node="box-2")] == ["box-2", "forgotten"]
    assert [one.node for one in await catalogue.uploads.due(LATER, node="not-joined")] == ["forgotten"]
