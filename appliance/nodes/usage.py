"""Tells the other nodes what clients used at this one, and reads what they tell."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence

from appliance.domain.errors import ApplianceError
from appliance.nodes.neighbours import Neighbours

PATH = "/nodes/usage"
WITHIN_S = 2.0
"""A node that hasn't taken a report by then never hears of it, so that it keeps no other one waiting."""
MAX_AMOUNT = 2.0**53
"""More than any client uses. Beyond it a bucket would never be full again, and no row could hold it."""
NO_REPORT = "The body is no report of usage."

Usage = Mapping[str, Mapping[str, float]]
"""Units by policy and client."""


class NeighbourUsage:
    """Sends reports of usage to neighbours."""

    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def others(self) -> list[str]:
        """As `Neighbours.others`."""
        return await self._neighbours.others()

    async def machines(self) -> int:
        """As `Neighbours.count_machines`."""
        return await self._neighbours.count_machines()

    async def tell(self, nodes: Sequence[str], usage: Usage) -> None:
        """Send it to the nodes."""
        await asyncio.gather(*(self._tell(node, usage) for node in nodes))

    async def _tell(self, node: str, usage: Usage) -> None:
        with contextlib.suppress(ApplianceError, TimeoutError):
            async with (
                asyncio.timeout(WITHIN_S),
                self._neighbours.call(node, "POST", PATH, body=_body(usage)) as reply,
            ):
                await reply.read()


def usage_in(report: bytes) -> Usage:
    """The usage in the body of a report. Raises ValueError for anything else."""
    try:
        usage = json.loads(report)
    except (ValueError, RecursionError) as fault:
        raise ValueError(NO_REPORT) from fault
    if not isinstance(usage, dict) or not all(map(_are_amounts, usage.values())):
        raise ValueError(NO_REPORT)
    return usage


def _are_amounts(document: object) -> bool:
    return isinstance(document, dict) and all(
        isinstance(amount, (int, float)) and -MAX_AMOUNT <= amount <= MAX_AMOUNT for amount in document.values()
    )


async def _body(usage: Usage) -> AsyncIterator[bytes]:
    yield json.dumps(usage).encode()
