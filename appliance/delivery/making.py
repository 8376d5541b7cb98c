"""Making renditions: coalesced per image, from the nearest source that can carry what is wanted.

Requests for sizes of one image that wait together become one decode with several outputs. While one batch runs, the
next collects; it then finds the sizes that the first one left in the cache. Views and what is made ahead of them have
batches of their own: a view takes its size and what is cheap beside it out of those, and waits for nothing larger.
"""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from appliance.cache import Cache, Rendition, Ticket
from appliance.catalogue import Catalogue
from appliance.clients import Clients
from appliance.clock import Clock
from appliance.config import Renditions
from appliance.delivery.batch import Batch
from appliance.delivery.failures import Failures
from appliance.delivery.originals import Originals
from appliance.errors import ApplianceError, CannotResize, Stopping
from appliance.living import living
from appliance.metrics import Metrics
from appliance.model import Image
from appliance.motion import Budget, moves
from appliance.renditions import LOSSY, Facts, Format, Made, Priority, Target, fit
from appliance.threads import Threads
from appliance.workers import Workers

LARGE_BYTES = 1_000_000  # up to here the sum of the bytes costs the event loop less than a thread would
THREADS = 2
_NO_MOTION = "The animation couldn't be read to the end. The file is damaged, or needs too much memory."


Queue = tuple[str, Priority]
"""Of one image: the batch that runs, and the one that collects meanwhile."""


@dataclass(frozen=True, slots=True)
class Source:
    """A cached rendition that others can be made from."""

    target: Target
    data: bytes


class Making:
    """Makes what the cache has not, once, however many wait for it."""

    def __init__(
        self,
        config: Renditions,
        *,
        cache: Cache,
        workers: Workers,
        originals: Originals,
        catalogue: Catalogue,
        failures: Failures,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._config = config
        self._cache = cache
        self._workers = workers
        self._originals = originals
        self._catalogue = catalogue
        self._metrics = metrics
        self._clock = clock
        self._animations = Budget.of(config)
        self._open: dict[Queue, Batch] = {}
        self._running: dict[Queue, Batch] = {}
        self._tasks: dict[Queue, asyncio.Task[None]] = {}
        self._threads = Threads("making", THREADS)
        self._failures = failures

    async def make(self, image: Image, target: Target, priority: Priority, clients: Clients) -> Rendition:
        """The finished rendition. Raises CannotResize, Busy, StoreUnavailable, GoneImage."""
        return await asyncio.shield(self.order(image, target, priority, clients))

    def order(self, image: Image, target: Target, priority: Priority, clients: Clients) -> "asyncio.Future[Rendition]":
        """The future of a rendition, in a batch that runs or in one that collects; its turn is that of any client."""
        self._failures.refuse(image)
        running = (self._running.get((image.slug, each)) for each in Priority)
        for batch in filter(None, running):
            if (found := batch.find(target)) is not None:
                batch.clients.include(clients)  # it may have to wait once more, for the original
                return found
        batch = self._collecting(image, priority)
        batch.clients.include(clients)
        return batch.want(target)

    def _collecting(self, image: Image, priority: Priority) -> Batch:
        key = image.slug, priority
        batch = self._open.get(key)
        if batch is None:
            batch = self._open[key] = Batch(image, priority)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._work(key))
        return batch

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for batch in tuple(self._open.values()):
            self._fail(batch, _stopping())
        await self._threads.close()

    async def _work(self, key: Queue) -> None:
        """Run this image's batches one after another until none is left."""
        try:
            while (batch := self._open.get(key)) is not None:
                await self._run(batch)
        finally:
            self._tasks.pop(key, None)

    async def _run(self, batch: Batch) -> None:
        started = time.monotonic()
        try:
            await self._fill_or_remember(batch)
        except asyncio.CancelledError:
            self._fail(batch, _stopping())
            raise
        except Exception as fault:
            self._fail(batch, fault)
        finally:
            self._running.pop((batch.image.slug, batch.priority), None)
            self._metrics.rendition_seconds.labels(batch.priority.name.lower()).observe(time.monotonic() - started)

    async def _fill_or_remember(self, batch: Batch) -> None:
        """A verdict is written down before it is told, so that every answer agrees with it."""
        try:
            with self._ticket(batch.image.slug) as ticket:
                await self._fill(batch, ticket)
        except CannotResize as fault:
            self._close(batch)  # who comes while it is written down collects in the next batch
            with contextlib.suppress(ApplianceError):  # a catalogue that is away: the next failure is remembered
                await self._failures.remember(batch.image, fault)
            raise

    def _fail(self, batch: Batch, fault: Exception) -> None:
        """Closed first, so that nobody joins a batch that has failed."""
        self._close(batch)
        batch.fail(fault)

    def _close(self, batch: Batch) -> None:
        """From here on requests for other sizes collect in a new batch."""
        key = batch.image.slug, batch.priority
        if self._open.get(key) is batch:
            del self._open[key]
            self._running[key] = batch

    def _claim(self, batch: Batch) -> tuple[Target, ...]:
        """What a batch that has its place makes, and no other then; what is cheap beside it comes along."""
        self._close(batch)
        own = batch.targets
        for priority in Priority:
            other = self._open.get((batch.image.slug, priority))
            if other is not None and own:
                beside = self._beside(batch.image, own, other.targets) if priority > batch.priority else ()
                batch.take_over(other, (*own, *beside))
        return batch.targets

    def _beside(self, image: Image, own: tuple[Target, ...], others: tuple[Target, ...]) -> list[Target]:
        """Those that come with what somebody looks at: what is no larger, and all where decoding is what takes long."""
        largest = max(target.preset.box_px for target in own)
        dear = self._workers.is_dear(image.facts)
        return [other for other in others if dear or other.preset.box_px <= largest]

    @contextlib.contextmanager
    def _ticket(self, slug: str) -> Iterator[Ticket]:
        ticket = self._cache.begin(slug)
        try:
            yield ticket
        finally:
            self._cache.end(ticket)

    # --- one batch ------------------------------------------------------------------------------------------------

    async def _fill(self, batch: Batch, ticket: Ticket) -> None:
        """Make a batch's targets: those that a larger rendition can give from it, the others from the original."""
        image = living(await self._catalogue.get(batch.image.slug), self._clock())  # asked after the ticket was drawn
        if not batch.targets:  # all of them went to another batch
            self._close(batch)
            return
        source = await self._nearest(image, batch.targets)
        made = await self._from_source(batch, image, source) if source is not None else None
        if made is None:
            made = await self._from_original(batch, image)
        await self._note_stills(image, made)
        finished = [(done.target, await self._summed(done.data)) for done in made]
        for target, rendition in finished:  # answer everybody first, keep second: the cache's disk may be slow
            batch.fulfil(target, rendition)
            self._metrics.renditions.labels(target.preset.name, target.format.value).inc()
        for target, rendition in finished:
            await self._cache.admit(ticket, target.name, rendition)

    async def _note_stills(self, image: Image, made: list[Made]) -> None:
        """Written down before it is told, so that page and API say what the picture shows."""
        if any(not done.moves and moves(image.facts, done.target, self._animations) for done in made):
            await self._catalogue.mark_still(image.slug, _NO_MOTION)

    async def _from_source(self, batch: Batch, image: Image, source: Source) -> list[Made] | None:
        """None when it can't give them: sizes joined while it waited, or its pixels turn out to be no use."""
        with _file_in_memory(source.data) as file:
            async with self._workers.queue(_facts_of(image, source.target), batch.priority, batch.clients) as worker:
                targets = self._claim(batch)
                if not targets:
                    return []
                if not all(_carries(image, source.target, target) for target in targets):
                    return None
                try:
                    return await worker.render(file.fileno(), image.facts, targets)
                except CannotResize:  # a verdict on the rendition is none on the image
                    return None

    async def _from_original(self, batch: Batch, image: Image) -> list[Made]:
        """In the lane that suits the original, which may be a heavy one."""
        with await self._originals.file(image, batch.clients) as file:
            async with self._workers.queue(image.facts, batch.priority, batch.clients) as worker:
                targets = self._claim(batch)
                return await worker.render(file.fileno(), image.facts, targets) if targets else []

    async def _summed(self, data: bytes) -> Rendition:
        if len(data) <= LARGE_BYTES:
            return Rendition.of(data)
        return await self._threads.run(Rendition.of, data)

    async def _nearest(self, image: Image, targets: tuple[Target, ...]) -> "Source | None":
        """The smallest cached rendition that every target can be made from."""
        if image.animated:
            return None
        names = await self._cache.names(image.slug)
        for preset in sorted(self._config.presets, key=lambda preset: preset.box_px):
            for format_ in self._config.formats:
                candidate = Target(preset, format_)
                if candidate.name in names and all(_carries(image, candidate, target) for target in targets):
                    found = await self._cache.get(image.slug, candidate.name)
                    if found is not None:
                        return Source(candidate, found.data)
        return None


def _stopping() -> Stopping:
    return Stopping("The server is restarting. Try again in a moment.", retry_after_s=2)


def _facts_of(image: Image, source: Target) -> Facts:
    """What the cost of a cached rendition is told by: it is small, whatever the original is."""
    width, height = fit(image.width, image.height, source.preset.box_px)
    media_type = source.format.media_type
    return replace(image.facts, media_type=media_type, width=width, height=height, frames=1, memory_bytes=0)


def _carries(image: Image, source: Target, target: Target) -> bool:
    """Whether `target` may be made from the cached `source`: twice as large or more, with all that is wanted in it."""
    width, height = fit(image.width, image.height, source.preset.box_px)
    wanted = max(fit(image.width, image.height, target.preset.box_px))
    large_enough = max(width, height) >= 2 * wanted
    keeps_alpha = source.format.has_alpha or not image.has_alpha
    keeps_quality = target.format not in (Format.PNG, Format.GIF) or source.format not in LOSSY
    return large_enough and keeps_alpha and keeps_quality and source.format is not Format.GIF


def _file_in_memory(data: bytes) -> BinaryIO:
    file = os.fdopen(os.memfd_create("rendition"), "w+b", buffering=0)
    file.write(data)
    return file
