"""Nodes that write at the same time: no change is refused because of another node's."""

import asyncio
import threading
from contextlib import AsyncExitStack

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.outcome import Outcome
from tests.support.rows import image, slug


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


async def test_a_node_that_freezes_in_its_turn_makes_others_wait_and_fails_none(url: str) -> None:
    """It may be paused, or have lost its network. When it is back, its change is made too."""
    is_frozen, others_are_done, runs = threading.Event(), threading.Event(), 0

    def freeze_once(connection: Connection) -> Outcome[None]:
        nonlocal runs
        runs += 1
        if runs == 1:
            is_frozen.set()
            others_are_done.wait(30)
        connection.execute("INSERT INTO notes (name, value) VALUES ('frozen', 'yes')", {})
        return Outcome(None)

    async with PostgresCatalogue(url, node="box-1") as one, PostgresCatalogue(url, node="box-2") as two:
        freezing = asyncio.create_task(one.writer.run(freeze_once))
        await asyncio.to_thread(is_frozen.wait, 30)
        await two.images.add(image(0))
        others_are_done.set()
        await freezing
        assert await two.notes.get("frozen") == "yes"
        assert await one.images.get(slug(0)) == image(0)
    assert runs == 2
