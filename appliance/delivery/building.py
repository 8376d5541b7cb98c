"""Building pyramids: once an image, in the background, and again when somebody zooms into one that is gone."""

import asyncio
import logging
from collections import OrderedDict
from typing import BinaryIO

from appliance.cache import Pyramids
from appliance.catalogue import Catalogue
from appliance.clients import Clients
from appliance.clock import Clock
from appliance.config import Renditions
from appliance.delivery.originals import Originals
from appliance.effort import is_long
from appliance.errors import ApplianceError, Busy, CannotResize
from appliance.living import living
from appliance.metrics import Metrics
from appliance.model import Image
from appliance.renditions import Priority
from appliance.shares import Shares
from appliance.workers import Waiting, Worker, Workers

AT_ONCE = 64  # waiting for the one worker; later ones are built when somebody zooms
PATIENCE_S = 20.0
RETRY_AFTER_S = 5
FORGIVEN_AFTER_S = 600.0
MEMORY_OF_FAILURES = 10_000

log = logging.getLogger(__name__)


class Building:
    """Has pyramids built, one task an image however many wait for it."""

    def __init__(
        self,
        config: Renditions,
        *,
        pyramids: Pyramids,
        workers: Workers,
        originals: Originals,
        catalogue: Catalogue,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._config = config
        self._pyramids = pyramids
        self._workers = workers
        self._originals = originals
        self._catalogue = catalogue
        self._metrics = metrics
        self._clock = clock
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._clients: dict[str, Clients] = {}
        self._shares = Shares("images are being prepared for zooming", RETRY_AFTER_S)
        self._places: dict[str, Waiting[Worker]] = {}
        self._failed: OrderedDict[str, float] = OrderedDict()

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def suits(self, image: Image) -> bool:
        """Whether an image is zoomed from a pyramid: large or slow to decode, and building it did not fail of late."""
        slow = is_long(image.facts) and not image.animated
        large = slow or image.width * image.height > self._config.pyramid_pixels
        failed_s = self._failed.get(image.slug)
        failed = failed_s is not None and self._clock() - failed_s < FORGIVEN_AFTER_S
        return self._pyramids.enabled and image.original_only is None and large and not failed

    def expect(self, image: Image, client: str) -> None:
        """Somebody will zoom into it: have its pyramid ready by then, unless it is there or many are waited for."""
        if image.slug in self._tasks:
            self._clients[image.slug].join(client)
        elif self.suits(image) and len(self._tasks) < AT_ONCE and self._shares.has_room(client, AT_ONCE):
            found = self._pyramids.open(image.slug)
            if found is None:
                self._start(image, client)
            else:
                found.close()

    async def built(self, image: Image, clients: Clients) -> BinaryIO | None:
        """The pyramid, once it is built; close it. None when that fails.

        Raises Busy when it takes longer than a viewer waits; the building goes on.
        """
        self.expect(image, clients.first)
        task = self._tasks.get(image.slug)
        if task is None and self.suits(image):
            found = self._pyramids.open(image.slug)
            if found is not None:
                return found
            raise _preparing()
        if task is not None:
            self._clients[image.slug].include(clients)
            if (place := self._places.get(image.slug)) is not None:
                place.hurry(Priority.VIEW)
            await asyncio.wait([task], timeout=PATIENCE_S)
            if not task.done():
                raise _preparing()
        return self._pyramids.open(image.slug)

    def _start(self, image: Image, client: str) -> None:
        self._shares.take(client)
        clients = self._clients[image.slug] = Clients(client)
        task = self._tasks[image.slug] = asyncio.create_task(self._build_or_remember(image, clients))
        task.add_done_callback(lambda _: self._ended(image.slug, client))

    def _ended(self, slug: str, client: str) -> None:
        self._tasks.pop(slug, None)
        self._clients.pop(slug, None)
        self._shares.give_back(client)

    async def _build_or_remember(self, image: Image, clients: Clients) -> None:
        """It never raises: whoever waits finds a pyramid, or does without."""
        try:
            with self._metrics.pyramid_seconds.time():
                await self._build(image, clients)
        except CannotResize as fault:
            log.info("no pyramid: %s", fault.detail, extra={"slug": image.slug})
            self._remember(image)
        except (
            ApplianceError
        ) as fault:  # it ended, or a full queue, or a store that is away: the next viewer asks again
            log.debug("no pyramid: %s", fault.detail, extra={"slug": image.slug})
        except OSError as fault:
            log.warning("no pyramid: %s", fault, extra={"slug": image.slug})
            self._remember(image)
        except Exception:
            log.exception("building a pyramid failed", extra={"slug": image.slug})
            self._remember(image)

    async def _build(self, image: Image, clients: Clients) -> None:
        with self._pyramids.ticket(image.slug) as ticket:
            image = living(await self._catalogue.get(image.slug), self._clock())  # asked after the ticket was drawn
            with await self._originals.file(image, clients) as original, self._pyramids.draft() as draft:
                place = self._places[image.slug] = self._workers.queue_pyramid(image.facts, Priority.PYRAMID, clients)
                try:
                    async with place as worker:
                        await worker.build_pyramid(original.fileno(), draft.fileno())
                finally:
                    self._places.pop(image.slug, None)
                if not await self._pyramids.admit(ticket, draft) and not ticket.revoked:
                    raise CannotResize("Its pyramid is larger than the cache for pyramids.")

    def _remember(self, image: Image) -> None:
        self._failed[image.slug] = self._clock()
        if len(self._failed) > MEMORY_OF_FAILURES:
            self._failed.popitem(last=False)


def _preparing() -> Busy:
    return Busy("This image is being prepared for zooming. Try again in a few seconds.", retry_after_s=RETRY_AFTER_S)
