"""Regions from originals: those of one image that are wanted at the same time come from one decode.

Cuts that take long to encode have batches of their own, of lower priority: tiles neither wait nor fail for them.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from cachetools import LRUCache

from appliance.delivery.batches import Batch, Batches
from appliance.delivery.failures import Failures
from appliance.delivery.originals import Originals
from appliance.domain.clients import Clients
from appliance.domain.errors import ApplianceError, CannotResize
from appliance.domain.model import Image
from appliance.domain.regions import Cut, Material, cutting_bytes
from appliance.domain.render_cost import decode_s, encode_s, is_long_cut
from appliance.domain.renditions import Priority
from appliance.limits import ProcessorBudget
from appliance.shared.negative_cache import MAX_KEYS
from appliance.workers import Workers

MIN_BATCH_S, DECODES, MAX_BATCH_S = 1.0, 8, 4.0
"""Seconds of encoding in one batch: eight times the decode, so that another decode adds an eighth, within one to four.

Others wait as long, and the batch stays far from the deadline, which all who share it would miss.
"""
MAX_TIMEOUTS = 3
"""How many batches of tiles may fail in a row without a verdict, until the image is left alone for some minutes."""


CutBatch = Batch[bool, Cut, bytes]
"""Its kind says whether it is of long cuts or of the others."""


class RegionRenderer:
    """Cuts regions out of originals."""

    def __init__(
        self,
        *,
        heavy_memory_bytes: int,
        workers: Workers,
        originals: Originals,
        failures: Failures,
        processor_budget: ProcessorBudget,
    ) -> None:
        self._heavy_memory_bytes = heavy_memory_bytes
        self._workers = workers
        self._originals = originals
        self._failures = failures
        self._budget = processor_budget
        self._batches: Batches[bool, Cut, bytes] = Batches(self._render_batch)
        self._timeouts: LRUCache[str, int] = LRUCache(MAX_KEYS)

    async def close(self) -> None:
        """Give up what is under way. Everyone who waits gets Stopping."""
        await self._batches.close()

    async def render(self, image: Image, cut: Cut, clients: Clients) -> bytes:
        """The region's file. Raises CannotResize, Busy, StoreUnavailable, GoneImage, Stopping."""
        if cutting_bytes(image.facts) > self._heavy_memory_bytes:
            raise CannotResize("Zooming this image needs more memory than this host allows.")
        return await asyncio.shield(self._batches.want(image, is_long_cut(cut), cut, clients))

    async def _render_batch(self, batch: CutBatch) -> None:
        try:
            await self._cut(batch)
        except CannotResize as fault:
            self._batches.freeze(batch)  # requests that come while it is recorded collect in the next batch
            await self._remember(batch.image, fault, long=batch.kind)
            raise
        self._timeouts.pop(batch.image.slug, None)

    async def _cut(self, batch: CutBatch) -> None:
        image, long = batch.image, batch.kind
        priority = Priority.PREWARM if long else Priority.VIEW
        facts = replace(image.facts, memory_bytes=cutting_bytes(image.facts))
        lease = self._workers.lease(facts, priority, batch.clients, long=long, charge=self._budget.charge)
        lease.require_room()
        with await self._originals.file(image, batch.clients) as file:
            async with lease as worker:
                cuts = self._claim(batch)
                files = await worker.cut(file.fileno(), image.facts, Material.ORIGINAL, cuts)
        for cut, data in zip(cuts, files, strict=True):
            batch.fulfil(cut, data)

    def _claim(self, batch: CutBatch) -> tuple[Cut, ...]:
        """Freeze the batch, and return what is encoded soon, each client's first cut before anybody's second.

        The rest waits for the next batch.
        """
        self._batches.freeze(batch)
        batch_s = min(MAX_BATCH_S, max(MIN_BATCH_S, DECODES * decode_s(batch.image.facts)))
        claimed: list[Cut] = []
        seconds = 0.0
        for cut in in_turns(batch.wanted):
            seconds += encode_s(cut)
            if not claimed or seconds <= batch_s:
                claimed.append(cut)
        self._batches.postpone(batch, [cut for cut in batch.jobs if cut not in claimed])
        return tuple(claimed)

    async def _remember(self, image: Image, fault: CannotResize, *, long: bool) -> None:
        """Record a failure once, however many wait, and before they are answered.

        Broken pixels are the image's fault. A deadline is the cut's own, unless tiles meet it one time after another.
        """
        timeouts = self._timeouts.pop(image.slug, 0) + (not long)
        if not fault.final and timeouts < MAX_TIMEOUTS:
            self._timeouts[image.slug] = timeouts
            return
        with contextlib.suppress(ApplianceError):  # a catalogue that is away: the next failure is remembered
            await self._failures.remember(image, fault)


def in_turns(wanted: Mapping[Cut, Clients]) -> list[Cut]:
    """The cuts by rounds: everybody's first, everybody's second, and so on."""
    had: Counter[str] = Counter()
    rounds: dict[Cut, int] = {}
    for cut, clients in wanted.items():
        rounds[cut] = min(had[client] for client in clients)
        had.update(clients)
    return sorted(wanted, key=rounds.__getitem__)
