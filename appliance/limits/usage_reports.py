"""Usage reports: each node tells the others what its clients used, so that a limit holds for all nodes together.

Each node counts its own use at once, and that of the others when it hears of it. So a client may use everywhere what it
may use at one node, and what the others let in before they heard of it; for that the client waits longer afterwards.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from appliance.domain.errors import CatalogueUnavailable
from appliance.limits.unreported import Unreported
from appliance.nodes.usage import NeighbourUsage, Usage

MAX_CLIENTS = 500
"""In one report, which has less than 64 KB then. The others follow in the next one."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Where the use of one policy is counted; `count` counts what another node reports."""

    policy: str
    unreported: Unreported
    count: Callable[[str, float], None]


class UsageReports:
    """What this node reports, and what it hears of. A server that is alone has no meters, and reports nothing."""

    def __init__(self, meters: Iterable[Meter]) -> None:
        self._meters = {meter.policy: meter for meter in meters}

    async def send(self, to: NeighbourUsage) -> None:
        """Report what the other nodes don't know yet. While the catalogue can't say which there are, it waits."""
        if not any(meter.unreported.is_due for meter in self._meters.values()):
            return
        try:
            nodes = await to.others()
        except CatalogueUnavailable:
            return
        await to.tell(nodes, self._take())

    def count(self, usage: Usage) -> None:
        """Count what another node reports. A policy that only that node has is left out."""
        for name, amounts in usage.items():
            if (meter := self._meters.get(name)) is not None:
                for client, amount in amounts.items():
                    meter.count(client, amount)

    def _take(self) -> Usage:
        taken: dict[str, Mapping[str, float]] = {}
        room = MAX_CLIENTS
        for name, meter in self._meters.items():
            if usage := meter.unreported.take(room):
                taken[name] = usage
                room -= len(usage)
        return taken
