"""What a node knows of the others."""

import asyncio
from typing import Any, cast

from appliance.nodes.neighbours import Neighbours
from appliance.nodes.pulse import Pulse
from appliance.nodes.signatures import Signatures


class NoNodes:
    """Rows of nodes, of which there are none."""

    def __init__(self) -> None:
        self.asked = 0

    async def nodes(self) -> list[Any]:
        self.asked += 1
        await asyncio.sleep(0.01)
        return []


async def test_many_who_ask_for_a_lost_node_at_once_cost_the_catalogue_little() -> None:
    rows = NoNodes()
    signatures = Signatures("a secret", lambda: 0.0)
    one = Neighbours("box-1", signatures=signatures, rows=cast("Any", rows), pulse=Pulse(lambda: 0.0))
    assert all(await asyncio.gather(*(one.is_lost("box-2") for _ in range(200))))
    assert rows.asked < 10
