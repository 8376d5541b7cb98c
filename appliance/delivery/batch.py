"""A batch: the sizes of one image that are wanted at the same time, to be made from one decode."""

import asyncio
from collections.abc import Callable, Iterable

from appliance.cache import Rendition
from appliance.model import Image
from appliance.renditions import Priority, Target


class Batch:
    """Collects targets until it is closed; each has a future that anybody may wait for."""

    def __init__(self, image: Image, priority: Priority) -> None:
        self.image = image
        self.priority = priority
        self.closed = False
        self.hurry: Callable[[Priority], None] | None = None
        self._futures: dict[Target, asyncio.Future[Rendition]] = {}

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(target for target, future in self._futures.items() if not future.done())

    def want(self, target: Target, priority: Priority) -> asyncio.Future[Rendition] | None:
        """The future of a target; None when the batch is closed and does not hold it."""
        future = self._futures.get(target)
        if future is None and not self.closed:
            future = self._futures[target] = asyncio.get_running_loop().create_future()
            future.add_done_callback(_retrieved)
        if future is not None and priority < self.priority:
            self.priority = priority
            if self.hurry is not None:
                self.hurry(priority)
        return future

    def close(self) -> tuple[Target, ...]:
        """No more targets from here; gives those that are still wanted."""
        self.closed = True
        return self.targets

    def fulfil(self, target: Target, rendition: Rendition) -> None:
        future = self._futures[target]
        if not future.done():
            future.set_result(rendition)

    def fail(self, fault: BaseException, targets: Iterable[Target] | None = None) -> None:
        for target in self.targets if targets is None else targets:
            self._futures[target].set_exception(fault)


def _retrieved(future: asyncio.Future[Rendition]) -> None:
    """Prewarming waits for nobody's answer: mark the exception as seen."""
    if not future.cancelled():
        future.exception()
