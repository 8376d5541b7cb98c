"""Cutting from originals: the regions of one image that are wanted at the same time come from one decode.

What takes long to write is cut apart from tiles and behind them, so that it keeps nobody waiting, and fails alone.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace

from appliance.clients import Clients
from appliance.delivery.failures import Failures
from appliance.delivery.originals import Originals
from appliance.effort import decode_s, is_long_cut, write_s
from appliance.errors import ApplianceError, CannotResize, Stopping
from appliance.model import Image
from appliance.regions import Cut, Material, cutting_bytes
from appliance.renditions import Priority
from appliance.workers import Workers


@dataclass(frozen=True, slots=True)
class Wish:
    """A cut that is waited for, and by whom."""

    future: "asyncio.Future[bytes]"
    clients: Clients


Wanted = dict[Cut, Wish]
Key = tuple[str, bool]
"""An image's slug, and whether its long cuts are meant or the others."""
LEAST_BATCH_S, DECODES, BATCH_S = 1.0, 8, 4.0
"""Seconds of writing for one decode: eight decodes' worth, so that decoding again costs an eighth, but one to four.

Others wait as long, and the deadline, which would meet all who share it, is far.
"""
STRIKES = 3  # decodes of an image that fail without a verdict, until it is left alone for some minutes
MEMORY_OF_STRIKES = 10_000


class Cutting:
    """Makes cuts, collecting those of an image until a worker is free for it, whichever of its clients' turn comes."""

    def __init__(self, *, heavy_memory_bytes: int, workers: Workers, originals: Originals, failures: Failures) -> None:
        self._heavy_memory_bytes = heavy_memory_bytes
        self._workers = workers
        self._originals = originals
        self._failures = failures
        self._wanted: dict[Key, Wanted] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._clients: dict[Key, Clients] = {}
        self._strikes: OrderedDict[str, int] = OrderedDict()

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def cut(self, image: Image, cut: Cut, clients: Clients) -> bytes:
        """The cut's file. Raises CannotResize, Busy, StoreUnavailable, GoneImage."""
        if cutting_bytes(image.facts) > self._heavy_memory_bytes:
            raise CannotResize("Zooming this image needs more memory than this host allows.")
        key = image.slug, is_long_cut(cut)
        wanted = self._wanted.setdefault(key, {})
        wish = wanted.get(cut)
        if wish is None:
            wish = wanted[cut] = Wish(asyncio.get_running_loop().create_future(), Clients())
        wish.clients.include(clients)
        self._clients.setdefault(key, Clients()).include(clients)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._work(image, key))
        return await asyncio.shield(wish.future)

    async def _work(self, image: Image, key: Key) -> None:
        """One decode after another, until nobody wants anything of this image any more."""
        try:
            while self._wanted.get(key):
                await self._decode(image, key)
        except asyncio.CancelledError:
            self._fail(
                self._wanted.pop(key, {}), Stopping("The server is restarting. Try again in a moment.", retry_after_s=2)
            )
            raise
        finally:
            self._tasks.pop(key, None)
            self._clients.pop(key, None)

    async def _decode(self, image: Image, key: Key) -> None:
        taken: Wanted = {}
        priority, long = Priority.PREWARM if key[1] else Priority.VIEW, key[1]
        try:
            facts = replace(image.facts, memory_bytes=cutting_bytes(image.facts))
            clients = self._clients[key]
            with await self._originals.file(image, clients) as file:
                async with self._workers.queue(facts, priority, clients, long=long) as worker:
                    taken = self._taken(image, key)
                    made = await worker.cut(file.fileno(), image.facts, Material.ORIGINAL, tuple(taken))
        except asyncio.CancelledError:
            self._fail(taken, Stopping("The server is restarting. Try again in a moment.", retry_after_s=2))
            raise
        except Exception as fault:
            taken = taken or self._given_up(key)
            if isinstance(fault, CannotResize):  # once, however many wait; and written down before it is told
                with contextlib.suppress(ApplianceError):
                    await self._remember(image, fault, long=long)
            self._fail(taken, fault)
            return
        self._strikes.pop(image.slug, None)
        for wish, data in zip(taken.values(), made, strict=True):
            wish.future.set_result(data)

    async def _remember(self, image: Image, fault: CannotResize, *, long: bool) -> None:
        """Pixels at fault are the image's. A deadline is the cut's own, unless tiles meet it one time after another."""
        strikes = self._strikes.pop(image.slug, 0) + (not long)
        if fault.final or strikes >= STRIKES:
            await self._failures.remember(image, fault)
            return
        self._strikes[image.slug] = strikes
        if len(self._strikes) > MEMORY_OF_STRIKES:
            self._strikes.popitem(last=False)

    def _taken(self, image: Image, key: Key) -> Wanted:
        """What is wanted so far and is written soon, each client's first cut before anybody's second.

        The rest, and who comes from here on, is for the next decode, which waits for those who want that.
        """
        wanted, seconds = in_turns(self._wanted.pop(key, {})), 0.0
        batch_s = min(BATCH_S, max(LEAST_BATCH_S, DECODES * decode_s(image.facts)))
        taken: Wanted = {}
        left: Wanted = {}
        for cut, wish in wanted.items():
            seconds += write_s(cut)
            (left if taken and seconds > batch_s else taken)[cut] = wish
        self._clients[key] = Clients()
        if left:
            self._wanted[key] = left
            for wish in left.values():
                self._clients[key].include(wish.clients)
        return taken

    def _given_up(self, key: Key) -> Wanted:
        """All that was wanted; who comes from here on is for the next decode, in turns of their own."""
        self._clients[key] = Clients()
        return self._wanted.pop(key, {})

    def _fail(self, wanted: Wanted, fault: Exception) -> None:
        for wish in wanted.values():
            wish.future.set_exception(fault)
            wish.future.exception()  # marked as seen, for whoever asked may be gone


def in_turns(wanted: Wanted) -> Wanted:
    """The same in another order: everybody's first, everybody's second, and so on."""
    had: Counter[str] = Counter()
    rounds: dict[Cut, int] = {}
    for cut, wish in wanted.items():
        rounds[cut] = min(had[client] for client in wish.clients)
        had.update(wish.clients)
    return {cut: wanted[cut] for cut in sorted(wanted, key=rounds.__getitem__)}
