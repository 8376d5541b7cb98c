"""Regions from originals: those of one image that are wanted at the same time come from one decode.

What takes long to write is cut apart from tiles and behind them, so that it keeps nobody waiting, and fails alone.
"""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field, replace

from cachetools import LRUCache

from appliance.delivery.failures import Failures
from appliance.delivery.originals import Originals
from appliance.domain.clients import Clients
from appliance.domain.errors import ApplianceError, CannotResize, Stopping
from appliance.domain.model import Image
from appliance.domain.regions import Cut, Material, cutting_bytes
from appliance.domain.render_cost import decode_s, is_long_cut, write_s
from appliance.domain.renditions import Priority
from appliance.shared.negative_cache import MAX_KEYS
from appliance.shared.single_flight import SingleFlight
from appliance.workers import Workers

Key = tuple[str, bool]
"""Of a batch: its image's slug, and whether it is of long cuts or of the others."""
MIN_BATCH_S, DECODES, MAX_BATCH_S = 1.0, 8, 4.0
"""Seconds of writing for one decode: eight decodes' worth, so that decoding again costs an eighth, but one to four.

Others wait as long, and the deadline, which would meet all who share it, is far.
"""
MAX_TIMEOUTS = 3
"""Decodes for an image's tiles that end without a verdict in a row, until it is left alone for some minutes."""


@dataclass(frozen=True, slots=True)
class Request:
    """A region that is waited for, and by whom."""

    future: "asyncio.Future[bytes]"
    clients: Clients


Requests = dict[Cut, Request]


@dataclass(slots=True, eq=False)
class Batch:
    """Regions that are wanted from the next decode, and the clients in whose turn it may come."""

    requests: Requests = field(default_factory=dict)
    clients: Clients = field(default_factory=Clients)

    def add(self, cut: Cut, request: Request) -> None:
        self.requests[cut] = request
        self.clients.include(request.clients)

    def want(self, cut: Cut, clients: Clients) -> "asyncio.Future[bytes]":
        """The future of a region, which is made for these clients too."""
        if cut not in self.requests:
            self.add(cut, Request(asyncio.get_running_loop().create_future(), Clients()))
        self.requests[cut].clients.include(clients)
        return self.requests[cut].future


class RegionRenderer:
    """Cuts regions out of originals, collecting those of an image until a worker is free for any of its clients."""

    def __init__(self, *, heavy_memory_bytes: int, workers: Workers, originals: Originals, failures: Failures) -> None:
        self._heavy_memory_bytes = heavy_memory_bytes
        self._workers = workers
        self._originals = originals
        self._failures = failures
        self._collecting: dict[Key, Batch] = {}
        self._loops: SingleFlight[Key, None] = SingleFlight()
        self._timeouts: LRUCache[str, int] = LRUCache(MAX_KEYS)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._loops.close()
        for key in tuple(self._collecting):
            _fail(self._collecting.pop(key).requests, Stopping())

    async def render(self, image: Image, cut: Cut, clients: Clients) -> bytes:
        """The region's file. Raises CannotResize, Busy, StoreUnavailable, GoneImage, Stopping."""
        if cutting_bytes(image.facts) > self._heavy_memory_bytes:
            raise CannotResize("Zooming this image needs more memory than this host allows.")
        key = image.slug, is_long_cut(cut)
        self._loops.start(key, lambda _: self._render_batches(image, key))
        return await asyncio.shield(self._collecting.setdefault(key, Batch()).want(cut, clients))

    async def _render_batches(self, image: Image, key: Key) -> None:
        """One decode after another, until nobody wants anything of this image any more."""
        while key in self._collecting:
            await self._render_batch(image, key)

    async def _render_batch(self, image: Image, key: Key) -> None:
        claimed: Requests = {}
        priority, long = Priority.PREWARM if key[1] else Priority.VIEW, key[1]
        clients = self._collecting[key].clients
        try:
            facts = replace(image.facts, memory_bytes=cutting_bytes(image.facts))
            with await self._originals.file(image, clients) as file:
                async with self._workers.queue(facts, priority, clients, long=long) as worker:
                    claimed = self._claim(image, key)
                    made = await worker.cut(file.fileno(), image.facts, Material.ORIGINAL, tuple(claimed))
        except asyncio.CancelledError:
            _fail(claimed, Stopping())
            raise
        except Exception as fault:
            claimed = claimed or self._collecting.pop(key).requests  # later requests are for the next decode
            try:
                await self._remember(image, fault, long=long)
            finally:
                _fail(claimed, fault)
            return
        self._timeouts.pop(image.slug, None)
        for request, data in zip(claimed.values(), made, strict=True):
            request.future.set_result(data)

    async def _remember(self, image: Image, fault: Exception, *, long: bool) -> None:
        """Record a failure once, however many wait, and before they are answered.

        Broken pixels are the image's fault. A deadline is the cut's own, unless tiles meet it one time after another.
        """
        if not isinstance(fault, CannotResize):
            return
        timeouts = self._timeouts.pop(image.slug, 0) + (not long)
        if not fault.final and timeouts < MAX_TIMEOUTS:
            self._timeouts[image.slug] = timeouts
            return
        with contextlib.suppress(ApplianceError):  # a catalogue that is away: the next failure is remembered
            await self._failures.remember(image, fault)

    def _claim(self, image: Image, key: Key) -> Requests:
        """What is wanted so far and is written soon, each client's first cut before anybody's second.

        The rest, with what is wanted from here on, is for the next decode, which waits for those who want that.
        """
        batch_s = min(MAX_BATCH_S, max(MIN_BATCH_S, DECODES * decode_s(image.facts)))
        claimed, rest, seconds = Requests(), Batch(), 0.0
        for cut, request in in_turns(self._collecting.pop(key).requests).items():
            seconds += write_s(cut)
            if claimed and seconds > batch_s:
                rest.add(cut, request)
            else:
                claimed[cut] = request
        if rest.requests:
            self._collecting[key] = rest
        return claimed


def in_turns(requests: Requests) -> Requests:
    """The same in another order: everybody's first, everybody's second, and so on."""
    had: Counter[str] = Counter()
    rounds: dict[Cut, int] = {}
    for cut, request in requests.items():
        rounds[cut] = min(had[client] for client in request.clients)
        had.update(request.clients)
    return {cut: requests[cut] for cut in sorted(requests, key=rounds.__getitem__)}


def _fail(requests: Requests, fault: Exception) -> None:
    for request in requests.values():
        request.future.set_exception(fault)
        request.future.exception()  # marked as seen, since everyone who asked may be gone
