"""Which node has the bytes of an image or an upload, as its row says."""

from dataclasses import replace

from appliance.catalogue import Catalogue
from appliance.domain.model import Image, Location
from appliance.domain.resumable_uploads import UploadState
from tests.support.rows import LATER, NOW_S, image, slug, upload


async def node_of(catalogue: Catalogue, number: int) -> str | None:
    row = await catalogue.images.get(slug(number))
    assert isinstance(row, Image)
    return row.node


async def test_an_image_names_its_node_until_the_store_has_it(catalogue: Catalogue) -> None:
    await catalogue.images.add(image(0, node="box-1"))
    assert await node_of(catalogue, 0) == "box-1"
    assert await catalogue.images.mark_shipped(slug(0))
    assert await node_of(catalogue, 0) is None


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
    await catalogue.uploads.give_up(upload(1), now_s=NOW_S, kept_until_s=LATER)
    await catalogue.uploads.claim([upload(number).id_hash for number in range(3)], "box-1")
    rows = [await catalogue.uploads.get(upload(number).id_hash) for number in range(2)]
    assert [(row.node, row.state) for row in rows if row] == [
        ("box-1", UploadState.RECEIVING),
        ("box-2", UploadState.GONE),
    ]
