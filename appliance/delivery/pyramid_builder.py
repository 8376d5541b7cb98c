"""Building pyramids: once per image, in the background, and again when a zoomed image has lost its pyramid."""

import asyncio
import logging
from typing import BinaryIO

from appliance.cache import Pyramids
from appliance.catalogue import ImageCatalogue
from appliance.config.model import Renditions
from appliance.delivery.originals import Originals
from appliance.domain.clients import Clients
from appliance.domain.clock import Clock
from appliance.domain.errors import ApplianceError, Busy, CannotResize
from appliance.domain.model import Image
from appliance.domain.render_cost import is_long
from appliance.domain.renditions import Priority
from appliance.domain.visibility import require_visible
from appliance.limits import ProcessorBudget
from appliance.observability.metrics import Metrics
from appliance.shared.client_limiter import ClientLimiter
from appliance.shared.negative_cache import NegativeCache
from appliance.shared.single_flight import Flight, SingleFlight
from appliance.workers import Lease, Worker, Workers

MAX_BUILDS = 64  # that wait for the worker; further ones are built when somebody zooms
PATIENCE_S = 20.0
RETRY_AFTER_S = 5
FAILURE_TTL_S = 600.0

log = logging.getLogger(__name__)


class PyramidBuilder:
    """Has pyramids built, each once however many wait for it. `patience_s` is how long a viewer waits for one."""

    def __init__(
        self,
        config: Renditions,
        *,
        processor_budget: ProcessorBudget,
        pyramids: Pyramids,
        workers: Workers,
        originals: Originals,
        catalogue: ImageCatalogue,
        metrics: Metrics,
        clock: Clock,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.patience_s = patience_s
        self._config = config
        self._budget = processor_budget
        self._payers: dict[str, Clients] = {}
        self._pyramids = pyramids
        self._workers = workers
        self._originals = originals
        self._catalogue = catalogue
        self._metrics = metrics
        self._clock = clock
        self._builds: SingleFlight[str, None] = SingleFlight()
        self._limiter = ClientLimiter("images are being prepared for zooming", RETRY_AFTER_S)
        self._leases: dict[str, Lease[Worker]] = {}
        self._failed: NegativeCache[str] = NegativeCache(ttl_s=FAILURE_TTL_S, clock=clock)

    def __len__(self) -> int:
        """How many pyramids are being built, or wait for it."""
        return len(self._builds)

    async def close(self) -> None:
        """Cancel running builds."""
        await self._builds.close()

    def is_eligible(self, image: Image) -> bool:
        """Whether an image is zoomed from a pyramid: it is large or slow, and building one did not just fail."""
        slow = is_long(image.facts) and not image.animated
        large = slow or image.width * image.height > self._config.pyramid_pixels
        return self._pyramids.enabled and image.original_only is None and large and image.slug not in self._failed

    def ensure(self, image: Image, clients: Clients) -> None:
        """Start building the image's pyramid for clients who zoom, unless it exists or too many are waiting."""
        self.prepare(image, clients.first)
        if image.slug in self._builds:
            self._payers.setdefault(image.slug, Clients()).include(clients)

    def prepare(self, image: Image, client: str) -> None:
        """The same as part of the client's upload, to which no processor time is charged."""
        if self._builds.join(image.slug, Clients(client)) is not None:
            return
        if self.is_eligible(image) and len(self._builds) < MAX_BUILDS and self._limiter.has_room(client, MAX_BUILDS):
            found = self._pyramids.open(image.slug)
            if found is None:
                self._start(image, client)
            else:
                found.close()

    async def open_built(self, image: Image, clients: Clients) -> BinaryIO | None:
        """The pyramid, once it is built; close it. None when that fails.

        Raises Busy when it takes longer than a viewer waits; the build continues.
        """
        self.ensure(image, clients)
        task = self._builds.join(image.slug, clients)
        if task is None and self.is_eligible(image):
            found = self._pyramids.open(image.slug)
            if found is not None:
                return found
            raise _preparing()
        if task is not None:
            if (lease := self._leases.get(image.slug)) is not None:
                lease.promote(Priority.VIEW)
            await asyncio.wait([task], timeout=self.patience_s)
            if not task.done():
                raise _preparing()
        return self._pyramids.open(image.slug)

    def _start(self, image: Image, client: str) -> None:
        async def build_in_share(flight: Flight) -> None:
            try:
                await self._build_or_remember(image, flight.clients)
            finally:
                self._payers.pop(image.slug, None)
                self._limiter.give_back(client)

        self._builds.start(image.slug, build_in_share, Clients(client))
        self._limiter.take(client)

    async def _build_or_remember(self, image: Image, clients: Clients) -> None:
        """Build it, and remember a failure. Never raises: those who wait find a pyramid, or none."""
        try:
            with self._metrics.pyramid_seconds.time():
                await self._build(image, clients)
        except CannotResize as fault:
            log.info("no pyramid: %s", fault.detail, extra={"slug": image.slug})
            self._failed.add(image.slug)
        except ApplianceError as fault:  # such as a full queue: the next viewer asks again
            log.debug("no pyramid: %s", fault.detail, extra={"slug": image.slug})
        except OSError as fault:
            log.warning("no pyramid: %s", fault, extra={"slug": image.slug})
            self._failed.add(image.slug)
        except Exception:
            log.exception("building a pyramid failed", extra={"slug": image.slug})
            self._failed.add(image.slug)

    async def _build(self, image: Image, clients: Clients) -> None:
        with self._pyramids.ticket(image.slug) as ticket:
            image = require_visible(await self._catalogue.get(image.slug), self._clock())  # after drawing the ticket
            with await self._originals.file(image, clients) as original, self._pyramids.draft() as draft:
                lease = self._leases[image.slug] = self._workers.lease_for_pyramid(
                    image.facts, Priority.PYRAMID, clients, lambda _, seconds: self._charge(image.slug, seconds)
                )
                try:
                    async with lease as worker:
                        await worker.build_pyramid(original.fileno(), draft.fileno())
                finally:
                    self._leases.pop(image.slug, None)
                if not await self._pyramids.admit(ticket, draft) and not ticket.revoked:
                    raise CannotResize("Its pyramid is larger than the cache for pyramids.")

    def _charge(self, slug: str, seconds: float) -> None:
        if (payers := self._payers.get(slug)) is not None:
            self._budget.charge(payers, seconds)


def _preparing() -> Busy:
    return Busy("This image is being prepared for zooming. Try again in a few seconds.", retry_after_s=RETRY_AFTER_S)
