"""What only a node has that doesn't answer: nobody hears that it is gone, and nothing is given up."""

from tests.support.host import problem
from tests.support.nodes import NodeHost
from tests.support.tus_client import Tus

Nodes = tuple[NodeHost, NodeHost]


async def test_an_upload_on_a_node_that_does_not_answer_can_be_resumed_later(nodes: Nodes, jpeg: bytes) -> None:
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    await nodes[0].die()
    for reply in (await two.head(where), await two.patch(where, 0, jpeg), await two.delete(where)):
        assert reply.status == 503
        assert int(reply.headers["Retry-After"]) > 0
    await problem(await two.host.get(where), "node-unavailable")


async def test_no_other_node_gives_an_upload_up(nodes: Nodes, jpeg: bytes) -> None:
    """All its bytes may be there, and acknowledged."""
    one, two = (Tus(node) for node in nodes)
    where = await one.create(len(jpeg))
    nodes[1].clock.forward(2 * 86_400)
    assert await nodes[1].appliance.upload_janitor.run() == 0
    assert await nodes[0].appliance.upload_janitor.run() == 1
    assert (await two.head(where)).status == 410
