"""Rendering: every size of an image that is wanted at the same time comes from one decode.

Requests collect in a batch of their image and priority until a worker is free for it; the next batch collects while
one is rendered. A view takes its own size, and what is cheap with it, out of the batches of lower priority, and waits
for nothing larger.

    order --> batch (image, VIEW)    -- a worker is free: claim --> decode --> answer, then cache
              batch (image, PREWARM)      ^ takes along what is cheap
"""

import contextlib
import time
from asyncio import CancelledError, Future, shield
from collections.abc import Iterator

from appliance.cache import Cache, Rendition, Ticket
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.batch import Batch
from appliance.delivery.failures import Failures
from appliance.delivery.originals import Originals
from appliance.delivery.sources import Source, nearest_source
from appliance.domain.animation import moves
from appliance.domain.clients import Clients
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, CannotResize, Stopping
from appliance.domain.model import Image
from appliance.domain.renditions import Made, Priority, Target
from appliance.domain.visibility import require_visible
from appliance.observability.metrics import Metrics
from appliance.shared.single_flight import SingleFlight
from appliance.shared.threads import Threads
from appliance.workers import Workers

LARGE_BYTES = 1_000_000  # up to here the sum of the bytes costs the event loop less than a thread would
THREADS = 2
_NO_MOTION = "The animation couldn't be read to the end. The file is damaged, or needs too much memory."

Key = tuple[str, Priority]
"""Of a batch: its image's slug, and its priority."""


class Renderer:
    """Makes what the cache lacks, once, however many wait for it."""

    def __init__(
        self,
        config: Renditions,
        *,
        cache: Cache,
        workers: Workers,
        originals: Originals,
        catalogue: ImageCatalogue,
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
        self._animations = config.animation_budget
        self._collecting: dict[Key, Batch] = {}
        self._running: dict[Key, Batch] = {}
        self._loops: SingleFlight[Key, None] = SingleFlight()
        self._threads = Threads("renderer", THREADS)
        self._failures = failures

    async def render(self, image: Image, target: Target, priority: Priority, clients: Clients) -> Rendition:
        """The finished rendition. Raises CannotResize, Busy, StoreUnavailable, GoneImage, Stopping."""
        return await shield(self.order(image, target, priority, clients))

    def order(self, image: Image, target: Target, priority: Priority, clients: Clients) -> "Future[Rendition]":
        """The future of a rendition, in a batch that runs or in one that collects; its turn is that of any client.

        Raises CannotResize for an image that is known to fail, and Stopping.
        """
        self._failures.refuse(image)
        running = (self._running.get((image.slug, each)) for each in Priority)
        for batch in filter(None, running):
            if (found := batch.find(target)) is not None:
                batch.clients.include(clients)  # it may have to wait once more, for the original
                return found
        batch = self._open_batch(image, priority)
        batch.clients.include(clients)
        return batch.want(target)

    async def close(self) -> None:
        """Give up what is under way."""
        await self._loops.close()
        for batch in tuple(self._collecting.values()):
            self._fail(batch, Stopping())
        await self._threads.close()

    # --- batches --------------------------------------------------------------------------------------------------

    def _open_batch(self, image: Image, priority: Priority) -> Batch:
        """The batch that collects, which is rendered after the one that runs."""
        key = image.slug, priority
        self._loops.start(key, lambda _: self._render_batches(key))
        if key not in self._collecting:
            self._collecting[key] = Batch(image, priority)
        return self._collecting[key]

    async def _render_batches(self, key: Key) -> None:
        """Render this image's batches one after another until none is left."""
        while (batch := self._collecting.get(key)) is not None:
            with self._timed(batch):
                await self._render_batch(batch)

    async def _render_batch(self, batch: Batch) -> None:
        try:
            await self._fill_or_remember(batch)
        except CancelledError:
            self._fail(batch, Stopping())
            raise
        except Exception as fault:
            self._fail(batch, fault)
        finally:
            self._running.pop((batch.image.slug, batch.priority), None)

    async def _fill_or_remember(self, batch: Batch) -> None:
        """Record a verdict before anyone is answered, so that every answer agrees with it."""
        try:
            with self._ticket(batch.image.slug) as ticket:
                await self._fill(batch, ticket)
        except CannotResize as fault:
            self._close_batch(batch)  # requests that come while it is recorded collect in the next batch
            with contextlib.suppress(ApplianceError):  # a catalogue that is away: the next failure is remembered
                await self._failures.remember(batch.image, fault)
            raise

    def _fail(self, batch: Batch, fault: Exception) -> None:
        """Closed first, so that nobody joins a batch that has failed."""
        self._close_batch(batch)
        batch.fail(fault)

    def _close_batch(self, batch: Batch) -> None:
        """From here on requests for other sizes collect in a new batch."""
        key = batch.image.slug, batch.priority
        if self._collecting.get(key) is batch:
            del self._collecting[key]
            self._running[key] = batch

    def _claim(self, batch: Batch) -> tuple[Target, ...]:
        """Close the batch once a worker is free, and return its targets, including cheap ones of lower priority."""
        self._close_batch(batch)
        own = batch.targets
        for priority in Priority:
            other = self._collecting.get((batch.image.slug, priority))
            if other is not None and own:
                cheap = self._cheap(batch.image, own, other.targets) if priority > batch.priority else ()
                batch.take_over(other, (*own, *cheap))
        return batch.targets

    def _cheap(self, image: Image, own: tuple[Target, ...], others: tuple[Target, ...]) -> list[Target]:
        """Those no larger than what a view shows, and all of them where the decode is what takes long."""
        largest = max(target.preset.box_px for target in own)
        is_expensive = self._workers.is_dear(image.facts)
        return [other for other in others if other not in own and (is_expensive or other.preset.box_px <= largest)]

    @contextlib.contextmanager
    def _ticket(self, slug: str) -> Iterator[Ticket]:
        ticket = self._cache.begin(slug)
        try:
            yield ticket
        finally:
            self._cache.end(ticket)

    @contextlib.contextmanager
    def _timed(self, batch: Batch) -> Iterator[None]:
        started_s = time.monotonic()
        try:
            yield
        finally:
            seconds = self._metrics.rendition_seconds.labels(batch.priority.name.lower())
            seconds.observe(time.monotonic() - started_s)

    # --- one batch ------------------------------------------------------------------------------------------------

    async def _fill(self, batch: Batch, ticket: Ticket) -> None:
        """Make a batch's targets: from a larger rendition if that can give all of them, else from the original."""
        row = await self._catalogue.get(batch.image.slug)  # read after the ticket was drawn
        image = require_visible(row, self._clock())
        if not batch.targets:  # all of them went to another batch
            self._close_batch(batch)
            return
        source = await nearest_source(self._cache, self._config, image, batch.targets)
        made = await self._from_source(batch, source) if source is not None else None
        if made is None:
            made = await self._from_original(batch, image)
        await self._note_stills(image, made)
        finished = [(done.target, await self._summed(done.data)) for done in made]
        for target, rendition in finished:  # answer everybody first, keep second: the cache's disk may be slow
            batch.fulfil(target, rendition)
            self._metrics.renditions.labels(target.preset.name, target.format.value).inc()
        for target, rendition in finished:
            await self._cache.admit(ticket, target.name, rendition)

    async def _from_source(self, batch: Batch, source: Source) -> list[Made] | None:
        """None when it can't give them: sizes joined while it waited, or its pixels turn out to be no use."""
        with source.open() as file:
            async with self._workers.queue(source.facts, batch.priority, batch.clients) as worker:
                targets = self._claim(batch)
                if not targets:
                    return []
                if not source.can_give(targets):
                    return None
                try:
                    return await worker.render(file.fileno(), source.image.facts, targets)
                except CannotResize:  # a verdict on the rendition is none on the image
                    return None

    async def _from_original(self, batch: Batch, image: Image) -> list[Made]:
        """In the lane that suits the original, which may be a heavy one."""
        with await self._originals.file(image, batch.clients) as file:
            async with self._workers.queue(image.facts, batch.priority, batch.clients) as worker:
                targets = self._claim(batch)
                return await worker.render(file.fileno(), image.facts, targets) if targets else []

    async def _note_stills(self, image: Image, made: list[Made]) -> None:
        """Record it before anyone is answered, so that page and API say what the image shows."""
        if any(not done.moves and moves(image.facts, done.target, self._animations) for done in made):
            await self._catalogue.mark_still(image.slug, _NO_MOTION)

    async def _summed(self, data: bytes) -> Rendition:
        if len(data) <= LARGE_BYTES:
            return Rendition.of(data)
        return await self._threads.run(Rendition.of, data)
