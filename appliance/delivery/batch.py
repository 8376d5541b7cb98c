"""A batch: the sizes of one image that are wanted at the same time, to be made from one decode."""

import asyncio
from collections.abc import Iterable
from functools import partial

from appliance.cache import Rendition
from appliance.clients import Clients
from appliance.model import Image
from appliance.renditions import Priority, Target


class Batch:
    """Collects targets until it is closed, and the clients who want them. Each target has a future to wait for."""

    def __init__(self, image: Image, priority: Priority) -> None:
        self.image = image
        self.priority = priority
        self.clients = Clients()
        self._futures: dict[Target, asyncio.Future[Rendition]] = {}

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(target for target, future in self._futures.items() if not future.done())

    def find(self, target: Target) -> asyncio.Future[Rendition] | None:
        """The future of a target that it holds."""
        return self._futures.get(target)

    def want(self, target: Target) -> asyncio.Future[Rendition]:
        """The future of a target, which it holds from here on."""
        future = self._futures.get(target)
        if future is None:
            future = self._futures[target] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_retrieved)
        return future

    def take_over(self, other: "Batch", targets: Iterable[Target]) -> None:
        """What the other holds of these; who waits for them there is answered from here."""
        for target in targets:
            future = other._futures.pop(target, None)
            if future is None or future.done():
                continue
            own = self._futures.setdefault(target, future)
            if own is not future:
                own.add_done_callback(partial(_follow, future))

    def fulfil(self, target: Target, rendition: Rendition) -> None:
        future = self._futures[target]
        if not future.done():
            future.set_result(rendition)

    def fail(self, fault: BaseException, targets: Iterable[Target] | None = None) -> None:
        for target in self.targets if targets is None else targets:
            self._futures[target].set_exception(fault)


def _follow(follower: asyncio.Future[Rendition], done: asyncio.Future[Rendition]) -> None:
    """The same answer for who waited in another batch."""
    if follower.done():
        return
    fault = done.exception()
    if fault is None:
        follower.set_result(done.result())
    else:
        follower.set_exception(fault)


def _retrieved(future: asyncio.Future[Rendition]) -> None:
    """Prewarming waits for nobody's answer: mark the exception as seen."""
    if not future.cancelled():
        future.exception()
