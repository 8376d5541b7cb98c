"""Starts the catalogue, and waits while its database holds the node's name for the process before it, has its schema in
use, or waits for its standby.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine

from appliance.catalogue import Catalogue, NodeCatalogue
from appliance.domain.errors import CatalogueUnavailable, NodeNameInUse, SchemaInUse
from appliance.membership.membership import RETRY_S, Tell

ROUNDING_S = 1
"""By so much a whole number of seconds may be wrong."""
AWAITED = (
    "Its database confirms no commit before a standby has it, and none does. Start the standby, or remove it from "
    "synchronous_standby_names and reload; the start then continues by itself."
)


async def start_catalogue(catalogue: Catalogue, node: str | None, tell: Tell) -> None:
    """Start it, as the node of this name; None: alone.

    The session of a killed process ends no earlier than its commit, which may wait for a standby that is away, and that
    of a lost machine when the database notices. Its node isn't heard meanwhile, so it is waited for. So is whatever
    keeps the schema from being changed, and, by a server that is alone, a standby until it confirms a commit: a node
    waits for that when it joins. Raises NodeNameInUse where a node of that name is heard, and as `Catalogue.start`, but
    for SchemaInUse.
    """
    began = time.monotonic()
    while True:
        try:
            if await _start(catalogue, node, tell):
                break
        except NodeNameInUse as fault:
            if node is None or await _is_heard(catalogue.nodes, node, time.monotonic() - began):
                raise
            await tell("catalogue", "its database still serves the former process of this node", fault.detail)
        except SchemaInUse as fault:
            await tell("catalogue", "its schema can't be brought up to this release yet", fault.detail)
        await asyncio.sleep(RETRY_S)
    if node is None:
        await _confirm(catalogue, tell)


async def _start(catalogue: Catalogue, node: str | None, tell: Tell) -> bool:
    """One attempt, which may have to build an index for long. False if it is worth another one.

    A commit of a process that was killed keeps its session, and with it the lock of a server that is alone.
    """
    has_waited = False

    async def look() -> None:
        nonlocal has_waited
        if await _tell_of_standby(catalogue, tell):
            has_waited = True
        elif (work := catalogue.fault) is not None:
            await tell("catalogue", "its database gets an index that this release needs", work)

    try:
        await _watched(catalogue.start(), look)
    except SchemaInUse:
        raise
    except CatalogueUnavailable:
        if node is None and (has_waited or await _tell_of_standby(catalogue, tell)):
            return False
        raise
    return True


async def _confirm(catalogue: Catalogue, tell: Tell) -> None:
    """What a start writes would fail after a while, and the process with it. Raises the catalogue's faults."""

    async def look() -> None:
        if not await _tell_of_standby(catalogue, tell) and (fault := catalogue.fault) is not None:
            await tell("catalogue", "its database doesn't confirm changes", fault)

    await _watched(catalogue.confirm(), look)


async def _tell_of_standby(catalogue: Catalogue, tell: Tell) -> bool:
    """Whether its database waits for one."""
    is_awaited = await catalogue.is_standby_awaited()
    if is_awaited:
        await tell("catalogue", "its database waits for its standby", AWAITED)
    return is_awaited


async def _watched(work: Coroutine[object, object, None], look: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and have a look every `RETRY_S` until it is done."""
    doing = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([doing], timeout=RETRY_S))[0]:
            await look()
    except BaseException:
        doing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await doing
        raise
    await doing


async def _is_heard(nodes: NodeCatalogue, name: str, within_s: float) -> bool:
    """Whether a node of this name has shown in these last seconds that it is alive."""
    return any(node.name == name and node.silent_s + ROUNDING_S < within_s for node in await nodes.nodes())
