"""Rendering: every size of an image that is wanted at the same time comes from one decode.

Requests collect in a batch of their image and priority until a worker is granted; the next batch collects while one is
rendered. A batch of views takes its own sizes, and those that are cheap to add, out of the batch of lower priority, and
waits for nothing larger.

    order --> batch (image, VIEW)    -- a worker is granted: claim --> decode --> answer, then cache
              batch (image, PREWARM)      ^ takes what is cheap
"""

import contextlib
import time
from asyncio import Future, shield
from collections.abc import Iterator

from appliance.cache import Rendition
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.batches import Batch, Batches
from appliance.delivery.failures import Failures
from appliance.delivery.gathering import Gathering
from appliance.delivery.render_sessions import RenderSession, RenderSessions
from appliance.delivery.sources import RenditionSource
from appliance.domain.animation import keeps_animation
from appliance.domain.clients import Clients
from appliance.domain.errors import ApplianceError, CannotResize
from appliance.domain.model import Image
from appliance.domain.renditions import Facts, Priority, RenderedFile, Target
from appliance.limits import ProcessorBudget
from appliance.observability.metrics import Metrics
from appliance.workers import Lease, Worker, Workers

_UNREADABLE_ANIMATION = "The animation couldn't be read to the end. The file is damaged, or needs too much memory."

RenderBatch = Batch[Priority, Target, Rendition]


class Renderer:
    """Makes the renditions that the cache lacks, each once, however many wait for it.

    `batches` are those that collect or are rendered, `failures` the images that it refuses to try again, and
    `gathering` knows whether views come in several sizes.
    """

    def __init__(
        self,
        config: Renditions,
        *,
        sessions: RenderSessions,
        workers: Workers,
        catalogue: ImageCatalogue,
        failures: Failures,
        processor_budget: ProcessorBudget,
        metrics: Metrics,
    ) -> None:
        self._sessions = sessions
        self._workers = workers
        self._catalogue = catalogue
        self._budget = processor_budget
        self._metrics = metrics
        self._animations = config.animation_budget
        self.batches: Batches[Priority, Target, Rendition] = Batches(self._render_batch)
        self.failures = failures
        self.gathering = Gathering()

    async def render(self, image: Image, target: Target, priority: Priority, clients: Clients) -> Rendition:
        """The finished rendition. Raises CannotResize, Busy, StoreUnavailable, GoneImage, Stopping."""
        return await shield(self.order(image, target, priority, clients))

    def order(self, image: Image, target: Target, priority: Priority, clients: Clients) -> "Future[Rendition]":
        """The future of a rendition, in a batch that is being rendered or in one that collects.

        Raises CannotResize for an image that is known to fail, and Stopping.
        """
        self.failures.refuse(image)
        if priority is Priority.VIEW:
            self.gathering.note(image.slug, target)
        for each in Priority:
            if (found := self.batches.join(image, each, target, clients)) is not None:
                return found
        return self.batches.want(image, priority, target, clients)

    async def close(self) -> None:
        """Give up what is under way. Everyone who waits gets Stopping."""
        await self.batches.close()

    async def _render_batch(self, batch: RenderBatch) -> None:
        """Record a verdict before anyone is answered, so that every answer agrees with it."""
        with self._timed(batch.kind):
            try:
                if batch.kind is Priority.VIEW:
                    await self.gathering.wait()
                async with self._sessions.open(batch.image.slug) as session:
                    await self._fill(batch, session)
            except CannotResize as fault:
                self.batches.freeze(batch)  # requests that come while it is recorded collect in the next batch
                with contextlib.suppress(ApplianceError):  # a catalogue that is away: the next failure is remembered
                    await self.failures.remember(batch.image, fault)
                raise

    def _claim(self, batch: RenderBatch) -> tuple[Target, ...]:
        """Freeze the batch once a worker is granted, and return its targets, including cheap ones of lower priority."""
        self.batches.freeze(batch)
        own = batch.jobs
        for priority in Priority:
            other = self.batches.collecting(batch.image, priority)
            if other is not None and own:
                cheap = self._cheap(batch.image, own, other.jobs) if priority > batch.kind else ()
                batch.take(other, (*own, *cheap))
        return batch.jobs

    def _cheap(self, image: Image, own: tuple[Target, ...], others: tuple[Target, ...]) -> list[Target]:
        """The other targets that cost little more: those that are no larger, or all where decoding takes longest."""
        largest = max(target.preset.box_px for target in own)
        is_expensive = self._workers.is_expensive(image.facts)
        return [other for other in others if other not in own and (is_expensive or other.preset.box_px <= largest)]

    @contextlib.contextmanager
    def _timed(self, priority: Priority) -> Iterator[None]:
        started_s = time.monotonic()
        try:
            yield
        finally:
            seconds = self._metrics.rendition_seconds.labels(priority.name.lower())
            seconds.observe(time.monotonic() - started_s)

    async def _fill(self, batch: RenderBatch, session: RenderSession) -> None:
        """Render a batch: from a larger rendition if all targets can be made from it, else from the original."""
        if not batch.jobs:  # another batch took all of them
            return
        source = await session.source(batch.jobs)
        made = await self._from_source(batch, source) if source is not None else None
        if made is None:
            made = await self._from_original(batch, session)
        await self._note_stills(session.image, made)
        finished = {done.target: await session.finish(done) for done in made}
        for target, rendition in finished.items():  # answer first, cache second: the cache's disk may be slow
            batch.fulfil(target, rendition)
        if finished:
            await session.keep_all(finished)

    async def _from_source(self, batch: RenderBatch, source: RenditionSource) -> list[RenderedFile] | None:
        """None when that is impossible: other targets joined while it waited, or the source can't be decoded."""
        with source.open() as file:
            async with self._lease(source.facts, batch) as worker:
                targets = self._claim(batch)
                if not targets:
                    return []
                if not source.can_make(targets):
                    return None
                try:
                    return await worker.render(file.fileno(), source.image.facts, targets)
                except CannotResize:  # this says nothing about the original
                    return None

    async def _from_original(self, batch: RenderBatch, session: RenderSession) -> list[RenderedFile]:
        """In the lane that suits the original."""
        facts = session.image.facts
        lease = self._lease(facts, batch)
        lease.require_room()
        with await session.original(batch.clients) as file:
            async with lease as worker:
                targets = self._claim(batch)
                return await worker.render(file.fileno(), facts, targets) if targets else []

    def _lease(self, facts: Facts, batch: RenderBatch) -> Lease[Worker]:
        """What is made ahead of the first view is part of an upload, and not charged."""
        charge = self._budget.charge if batch.kind is Priority.VIEW else None
        return self._workers.lease(facts, batch.kind, batch.clients, short=True, charge=charge)

    async def _note_stills(self, image: Image, made: list[RenderedFile]) -> None:
        """Record animations that turned out unreadable, before anyone is answered, so that page and API say so."""
        if any(not done.is_animated and keeps_animation(image.facts, done.target, self._animations) for done in made):
            await self._catalogue.mark_still(image.slug, _UNREADABLE_ANIMATION)
