"""An image whose original only one node has, as long as the store is away: every other node shows it all the same."""

import pytest

from appliance.domain.model import Image
from tests.support.host import problem
from tests.support.nodes import NodeHost
from tests.support.tus_client import sha256

Nodes = tuple[NodeHost, NodeHost]


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
    row = await two.appliance.catalogue.images.get(image["slug"])
    assert isinstance(row, Image)
    assert row.node == one.name


@pytest.mark.usefixtures("store_away")
async def test_an_image_on_a_node_that_does_not_answer_is_not_gone(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    await one.die()
    for address in ("original", "small.jpg"):
        reply = await two.get(f"/i/{image['slug']}/{address}", Accept="application/json")
        await problem(reply, "node-unavailable")
        assert int(reply.headers["Retry-After"]) > 0


async def test_a_shipped_image_names_no_node(nodes: Nodes, jpeg: bytes) -> None:
    one, two = nodes
    image = await one.upload(jpeg)
    row = await two.appliance.catalogue.images.get(image["slug"])
    assert isinstance(row, Image)
    assert (row.location, row.node) == ("store", None)
    await one.die()
    assert (await two.get(f"/i/{image['slug']}/original")).status == 200
