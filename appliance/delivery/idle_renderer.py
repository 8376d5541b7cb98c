"""Rendering while the host is idle: what pages would like to have, and nobody waits for.

    page is shown, image is prewarmed --> `want` --> the newest first
                                                        | no order runs or waits in any lane
                                                        v
                                          one rendition, in the lane of pyramids

An order that has begun is finished: it takes two seconds at most, at a low priority of the processor. Nothing that goes
wrong here changes an image's state.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Container, Iterable

from appliance.delivery.render_sessions import RenderSession, RenderSessions
from appliance.domain.clients import HOST, Clients
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, CannotResize
from appliance.domain.model import Image
from appliance.domain.renditions import RenderedFile, Target
from appliance.shared.negative_cache import NegativeCache
from appliance.workers import Workers

MAX_WAITING = 4096
CHECK_S = 0.25
RETRY_AFTER_S = 3600.0

log = logging.getLogger(__name__)


class IdleRenderer:
    """Renders what is wanted while `workers` have nothing else to do. It is forgotten at a restart."""

    def __init__(self, *, sessions: RenderSessions, workers: Workers, clock: Clock) -> None:
        self._sessions = sessions
        self._workers = workers
        self._waiting: OrderedDict[tuple[str, Target], Image] = OrderedDict()
        self._futile: NegativeCache[str] = NegativeCache(ttl_s=RETRY_AFTER_S, clock=clock)
        self._task: asyncio.Task[None] | None = None
        self._is_rendering = False

    @property
    def running(self) -> int:
        """How many renditions are being made: 0 or 1."""
        return int(self._is_rendering)

    @property
    def waiting(self) -> int:
        """How many renditions wait for an idle moment."""
        return len(self._waiting)

    def want(self, image: Image, targets: Iterable[Target], made: Container[str]) -> None:
        """Render these targets, the first one first, except those whose names are in `made`. Never waits.

        Nothing is rendered of an image that is expensive to decode: a view of another such image would have to wait.
        """
        if image.slug in self._futile or self._workers.is_expensive(image.facts):
            return
        missing = [target for target in targets if target.name not in made]
        for target in reversed(missing):
            self._waiting[image.slug, target] = image
            self._waiting.move_to_end((image.slug, target))
        while len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work_off())

    async def close(self) -> None:
        """Give up what is under way."""
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work_off(self) -> None:
        while self._waiting:
            if self._workers.is_idle:
                (_, target), image = self._waiting.popitem()
                await self._render_if_possible(image, target)
            else:
                await asyncio.sleep(CHECK_S)

    async def _render_if_possible(self, image: Image, target: Target) -> None:
        """Never raises: pages show JPEGs."""
        self._is_rendering = True
        try:
            async with self._sessions.open(image.slug) as session:
                await self._render(session, target)
        except CannotResize:
            self._futile.add(image.slug)
        except ApplianceError as fault:  # the image ended, or the store is away
            log.debug("not rendered while idle: %s", fault.detail, extra={"slug": image.slug})
        except Exception:
            log.exception("rendering while idle failed", extra={"slug": image.slug})
            self._futile.add(image.slug)
        finally:
            self._is_rendering = False

    async def _render(self, session: RenderSession, target: Target) -> None:
        if target.name in await session.names():
            return
        jpeg = await session.largest_jpeg()
        if jpeg is None:  # nobody knows yet whether the image has a gain map
            return
        if jpeg.has_gain_map:
            raise CannotResize("Its JPEGs show more than other formats can: they have a gain map.")
        (made,) = await self._rendered(session, target)
        await session.keep(target, await session.finish(made))

    async def _rendered(self, session: RenderSession, target: Target) -> list[RenderedFile]:
        """From a larger rendition, else from the original."""
        source = await session.source([target])
        with source.open() if source else await session.original(Clients(HOST)) as file:
            async with self._workers.lease_in_background() as worker:
                return await worker.render(file.fileno(), session.image.facts, (target,), patient=True)
