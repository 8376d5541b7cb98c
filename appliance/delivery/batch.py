"""A batch: the sizes of one image that are wanted at the same time, to be made from one decode."""

import asyncio
from collections.abc import Iterable

from appliance.cache import Rendition
from appliance.domain.clients import Clients
from appliance.domain.model import Image
from appliance.domain.renditions import Priority, Target


class Batch:
    """Collects targets until a worker is free, and the clients who want them."""

    def __init__(self, image: Image, priority: Priority) -> None:
        self.image = image
        self.priority = priority
        self.clients = Clients()
        self._waiting: dict[Target, list[asyncio.Future[Rendition]]] = {}

    @property
    def targets(self) -> tuple[Target, ...]:
        """Those that are still to be made."""
        return tuple(target for target, futures in self._waiting.items() if not futures[0].done())

    def find(self, target: Target) -> asyncio.Future[Rendition] | None:
        """The future of a target that it holds."""
        return self._waiting[target][0] if target in self._waiting else None

    def want(self, target: Target) -> asyncio.Future[Rendition]:
        """The future of a target, which it holds from here on."""
        if target not in self._waiting:
            future: asyncio.Future[Rendition] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_mark_as_seen)
            self._waiting[target] = [future]
        return self._waiting[target][0]

    def take_over(self, other: "Batch", targets: Iterable[Target]) -> None:
        """Make these targets for those who wait for them in the other batch, which has them no longer."""
        for target in targets:
            if target in other._waiting:
                self._waiting.setdefault(target, []).extend(other._waiting.pop(target))

    def fulfil(self, target: Target, rendition: Rendition) -> None:
        for future in self._waiting[target]:
            if not future.done():
                future.set_result(rendition)

    def fail(self, fault: Exception) -> None:
        """Answer everyone who still waits with the fault."""
        for futures in self._waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(fault)


def _mark_as_seen(future: asyncio.Future[Rendition]) -> None:
    """A fault that nobody waits for, as when prewarming, is no unhandled one."""
    if not future.cancelled():
        future.exception()
