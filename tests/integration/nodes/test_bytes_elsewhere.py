"""Images that another node has: it shows them as long as the store doesn't have them, and erases them when they end."""

import asyncio
from pathlib import Path

import pytest

from appliance.domain import tokens
from appliance.domain.model import Image, Location
from appliance.domain.slugs import object_key
from tests.support.gates import gated
from tests.support.host import problem
from tests.support.nodes import NodeHost
from tests.support.tus_client import Tus, sha256
from tests.support.waiting import until

Nodes = tuple[NodeHost, NodeHost]
pytestmark = pytest.mark.asyncio(loop_scope="module")


def traces(node: NodeHost, slug: str) -> list[str]:
    """The files on the node's disk that are the image's."""
    return [str(path) for folder in ("spool", "cache") for path in node.files(folder) if slug in str(path)]


async def row_of(node: NodeHost, slug: str) -> Image:
    row = await node.appliance.catalogue.images.get(slug)
    assert isinstance(row, Image)
    return row


@pytest.mark.usefixtures("store_away")
async def test_another_node_shows_originals_ranges_and_sizes(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    path = f"/i/{image['slug']}"
    whole = await two.get(f"{path}/original")
    assert (whole.status, sha256([await whole.read()])) == (200, image["sha256"])
    part = await two.get(f"{path}/original", Range="bytes=100-199")
    assert (part.status, await part.read()) == (206, (await (await one.get(f"{path}/original")).read())[100:200])
    assert (await two.get(f"{path}/small.jpg")).status == 200
    row = await row_of(two, image["slug"])
    assert row.node == one.name


@pytest.mark.usefixtures("store_away")
async def test_an_image_on_a_node_that_does_not_answer_is_not_gone(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    async with one.silent():
        for address in ("original", "small.jpg"):
            reply = await two.get(f"/i/{image['slug']}/{address}", Accept="application/json")
            await problem(reply, "node-unavailable")
            assert int(reply.headers["Retry-After"]) > 0
    assert (await two.get(f"/i/{image['slug']}/small.jpg")).status == 200


async def test_a_shipped_image_names_no_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)

    async def is_stored() -> bool:
        return (await row_of(two, image["slug"])).location is Location.STORE

    await until(is_stored)
    assert (await row_of(two, image["slug"])).node is None
    async with one.silent():
        assert (await two.get(f"/i/{image['slug']}/original")).status == 200


@pytest.mark.usefixtures("store_away")
async def test_a_repeated_upload_takes_the_place_of_one_that_a_silent_node_alone_has(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    headers = {"Idempotency-Key": "sent-to-both-nodes-0123456789abcdef"}
    first = await one.client.post("/api/v1/images", data=jpeg, headers=headers)
    slug = (await first.json())["slug"]
    async with one.silent():
        await problem(await two.get(f"/i/{slug}/original", Accept="application/json"), "node-unavailable")
        again = await two.client.post("/api/v1/images", data=jpeg, headers=headers)
        assert (again.status, (await again.json())["slug"]) == (201, slug)
        assert (await row_of(two, slug)).node == two.name
        assert (await two.get(f"/i/{slug}/original")).status == 200
    assert (await one.get(f"/i/{slug}/original")).status == 200


@pytest.mark.usefixtures("store_away")
async def test_a_repeated_upload_brings_back_what_was_lost_with_the_disk(nodes: Nodes, jpeg: bytes) -> None:
    one = nodes[0]
    headers = {"Idempotency-Key": "sent-before-and-after-the-loss-0123456789"}
    first = await one.client.post("/api/v1/images", data=jpeg, headers=headers)
    slug = (await first.json())["slug"]
    await one.appliance.spool.remove(slug)
    again = await one.client.post("/api/v1/images", data=jpeg, headers=headers)
    assert (again.status, (await again.json())["slug"]) == (201, slug)
    for node in nodes:
        assert (await node.get(f"/i/{slug}/original")).status == 200


@pytest.mark.parametrize("is_older", [False, True], ids=["the same bytes", "older bytes"])
async def test_an_original_that_the_store_has_needs_no_node(
    nodes: Nodes, jpeg: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_older: bool
) -> None:
    """Its node is lost after it has shipped the original and before its row says so."""
    one, two = nodes

    async def is_quiet() -> bool:
        return not await one.appliance.catalogue.images.unshipped()

    await until(is_quiet, "the originals of earlier tests in the store")
    held = gated(monkeypatch, one.appliance.catalogue.images, "mark_shipped")
    sending = asyncio.create_task(one.upload(jpeg))
    await held.reached.wait()
    [slug] = [image.slug for image in await one.appliance.catalogue.images.unshipped()]
    try:
        if is_older:
            (tmp_path / "older").write_bytes(jpeg)
            await two.appliance.store.put(
                object_key(slug), tmp_path / "older", media_type="image/jpeg", metadata={"sha256": "0" * 64}
            )
        async with one.silent():
            for address in ("original", "small.jpg"):
                reply = await two.get(f"/i/{slug}/{address}", Accept="application/json")
                if is_older:
                    await problem(reply, "node-unavailable")
                else:
                    assert reply.status == 200, await reply.text()
    finally:
        held.open()
    assert (await sending)["slug"] == slug


@pytest.mark.usefixtures("store_away")
async def test_a_node_claims_what_is_in_its_spool_when_it_starts(nodes: Nodes, jpeg: bytes) -> None:
    """Its rows may have been written under another name, or by a server that was alone."""
    one, two = nodes
    image, where = await one.upload(jpeg), await Tus(one).create(len(jpeg))
    id_hash = tokens.hash_secret(where.rpartition("/")[2])
    await Tus(one).patch(where, 0, jpeg[:100])
    await one.appliance.catalogue.images.claim([image["slug"]], "box-9")
    await one.appliance.catalogue.uploads.claim([id_hash], "box-9")
    assert (await two.get(f"/i/{image['slug']}/original")).status == 503
    await one.appliance.claims.make()
    assert (await two.get(f"/i/{image['slug']}/original")).status == 200
    assert await Tus(two).offset(where) == 100


# --- erasing ---


async def test_what_is_deleted_at_one_node_is_gone_at_once_and_erased_at_all(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    await one.appliance.erasures.run()
    image = await one.upload(jpeg)
    slug = image["slug"]
    for node in nodes:
        assert (await node.get(f"/i/{slug}/small.jpg")).status == 200
    assert traces(one, slug)
    assert traces(two, slug)
    assert (await two.delete(slug, image["delete_token"])).status == 204
    assert (await one.get(f"/i/{slug}/small.jpg")).status == (await two.get(f"/i/{slug}/original")).status == 410
    assert await two.erase() >= 1
    await one.appliance.erasures.run()
    assert traces(one, slug) == traces(two, slug) == []
