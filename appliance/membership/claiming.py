"""Starts the catalogue of a node, whose name the database may still hold for the process before it."""

import asyncio
import time

from appliance.catalogue import Catalogue, NodeCatalogue
from appliance.domain.errors import NodeNameInUse
from appliance.membership.membership import RETRY_S, Tell

ROUNDING_S = 1
"""By so much a whole number of seconds may be wrong."""


async def start_catalogue(catalogue: Catalogue, node: str | None, tell: Tell) -> None:
    """Start it, as the node of this name; None: alone.

    The session of a killed process ends no earlier than its commit, which may wait for a standby that is away, and that
    of a lost machine when the database notices. Its node isn't heard meanwhile, so it is waited for. Raises
    NodeNameInUse where a node of that name is heard, and as `Catalogue.start`.
    """
    began = time.monotonic()
    while True:
        try:
            return await catalogue.start()
        except NodeNameInUse as fault:
            if node is None or await _is_heard(catalogue.nodes, node, time.monotonic() - began):
                raise
            await tell("catalogue", "its database still serves the former process of this node", fault.detail)
        await asyncio.sleep(RETRY_S)


async def _is_heard(nodes: NodeCatalogue, name: str, within_s: float) -> bool:
    """Whether a node of this name has shown in these last seconds that it is alive."""
    return any(node.name == name and node.silent_s + ROUNDING_S < within_s for node in await nodes.nodes())
