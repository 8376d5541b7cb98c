"""Nodes that write at the same time: no change is refused because of another node's."""

import asyncio
from contextlib import AsyncExitStack

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from tests.support.rows import image


async def test_changes_of_several_nodes_at_once_are_all_made(url: str) -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(PostgresCatalogue(url, node=f"box-{number}")) for number in range(3)]

        async def change(node: PostgresCatalogue, first: int) -> None:
            for number in range(first, first + 20):
                added = image(number)
                await node.images.add(added)
                await node.images.end(added.slug, now_s=1, erase_after_s=1)

        await asyncio.gather(*(change(nodes[client % 3], client * 20) for client in range(12)))
        found = await nodes[0].images.erasable(10, 1000)
    assert len(found) == 240
