"""Starts the catalogue, and waits while its database holds the node's name for the process before it, or has its schema
in use.
"""

import asyncio
import contextlib
import time

from appliance.catalogue import Catalogue, NodeCatalogue
from appliance.domain.errors import NodeNameInUse, SchemaInUse
from appliance.membership.membership import RETRY_S, Tell

ROUNDING_S = 1
"""By so much a whole number of seconds may be wrong."""


async def start_catalogue(catalogue: Catalogue, node: str | None, tell: Tell) -> None:
    """Start it, as the node of this name; None: alone.

    The session of a killed process ends no earlier than its commit, which may wait for a standby that is away, and that
    of a lost machine when the database notices. Its node isn't heard meanwhile, so it is waited for. So is whatever
    keeps the schema from being changed. Raises NodeNameInUse where a node of that name is heard, and as
    `Catalogue.start`, but for SchemaInUse.
    """
    began = time.monotonic()
    while True:
        try:
            return await _start(catalogue, tell)
        except NodeNameInUse as fault:
            if node is None or await _is_heard(catalogue.nodes, node, time.monotonic() - began):
                raise
            await tell("catalogue", "its database still serves the former process of this node", fault.detail)
        except SchemaInUse as fault:
            await tell("catalogue", "its schema can't be brought up to this release yet", fault.detail)
        await asyncio.sleep(RETRY_S)


async def _start(catalogue: Catalogue, tell: Tell) -> None:
    """One attempt, which may have to build an index for long."""
    starting = asyncio.create_task(catalogue.start())
    try:
        while not (await asyncio.wait([starting], timeout=RETRY_S))[0]:
            if (work := catalogue.fault) is not None:
                await tell("catalogue", "its database gets an index that this release needs", work)
    except BaseException:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        raise
    await starting


async def _is_heard(nodes: NodeCatalogue, name: str, within_s: float) -> bool:
    """Whether a node of this name has shown in these last seconds that it is alive."""
    return any(node.name == name and node.silent_s + ROUNDING_S < within_s for node in await nodes.nodes())
