"""Answers about many pictures at once, such as albums: made on a thread of their own, and kept while nothing changes.

An album of 500 takes tens of milliseconds of a core, in which the event loop would answer nobody else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from appliance.threads import Threads

MAX_BYTES = 32_000_000
"""Of what is kept: some 40 albums of 500, each as a page and as JSON."""

Result = TypeVar("Result")


class Rendering:
    """Makes one answer at a time: more threads would only take the interpreter's lock from the loop more often."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._threads = Threads("rendering", 1)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[bytes]] = {}

    async def run(self, make: Callable[[], Result]) -> Result:
        """What `make` gives; what it raises is raised here."""
        return await self._threads.run(make)

    async def kept(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """As `run`, but once for all that ask for the same `key`; the longest unused answer makes room for new ones."""
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return found
        making = self._making.get(key)
        if making is None:
            making = self._making[key] = asyncio.ensure_future(self._threads.run(make))
            making.add_done_callback(lambda made: self._keep(key, made))
        return await asyncio.shield(making)

    async def close(self) -> None:
        """Wait for what runs."""
        await self._threads.close()

    def _keep(self, key: Hashable, made: asyncio.Future[bytes]) -> None:
        del self._making[key]
        if made.cancelled() or made.exception() is not None:
            return
        self._kept[key] = made.result()
        self._bytes += len(made.result())
        while self._bytes > self._max_bytes:
            self._bytes -= len(self._kept.popitem(last=False)[1])
