"""One view: an image that is shown once, to whoever presses the button first, and is deleted then.

    unspent --begin--> being viewed (10 minutes, one ticket) --spend, before the last byte--> deleted
                            |
                            +-- nobody got all of it: expired, and its owner may restore it for the grace period

Both steps are in the row before what they allow, so that no crash shows it whole twice.
"""

from contextlib import suppress

from appliance.cache import Caches
from appliance.catalogue import ImageCatalogue
from appliance.domain import tokens
from appliance.domain.clock import Clock
from appliance.domain.errors import BeingViewed, Conflict, GoneImage
from appliance.domain.model import Ending, Image
from appliance.domain.visibility import require_visible
from appliance.lifecycle.conflicts import retry_on_conflict
from appliance.lifecycle.endings import UNDO_S
from appliance.lifecycle.sidecars import Sidecars
from appliance.lifecycle.tombstones import StoredTombstones
from appliance.observability.metrics import Metrics

VIEW_S = 600
"""How long a view that broke off may be repeated with its ticket."""


class OneViews:
    """Begins and spends the one view of an image."""

    def __init__(
        self,
        *,
        catalogue: ImageCatalogue,
        cache: Caches,
        sidecars: Sidecars,
        tombstones: StoredTombstones,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._catalogue = catalogue
        self._cache = cache
        self._sidecars = sidecars
        self._tombstones = tombstones
        self._metrics = metrics
        self._clock = clock

    async def begin(self, asked: Image, ticket: str | None) -> str:
        """Begin the view, or continue the one of this ticket. Returns its ticket.

        `asked` is the row by which the viewer was admitted. Raises BeingViewed for anybody else, Conflict where its
        owner has changed who may see it, UnknownImage, GoneImage.
        """

        async def begin_row() -> str:
            image, now_s = require_visible(await self._catalogue.get(asked.slug), self._clock()), int(self._clock())
            if not image.one_view or image.lock != asked.lock:
                raise Conflict
            if image.viewing is not None:
                return self._continued(image, ticket, now_s)
            new = tokens.generate_token()
            begun = await self._catalogue.begin_view(
                image.slug,
                version=image.version,
                viewing=tokens.hash_secret(new),
                now_s=now_s,
                expires_s=now_s + VIEW_S,
            )
            await self._sidecars.keep(begun)
            return new

        return await retry_on_conflict(begin_row)

    @staticmethod
    def _continued(image: Image, ticket: str | None, now_s: int) -> str:
        left_s = (image.viewing_s or 0) + VIEW_S - now_s
        if left_s <= 0:
            raise GoneImage("This image could be viewed once, and that is over.")
        if ticket is None or not tokens.matches(ticket, image.viewing or ""):
            raise BeingViewed(retry_after_s=left_s)
        return ticket

    async def spend(self, slug: str, ticket: str) -> Image | None:
        """Delete the image, durably, because its last byte is about to be sent. Its bytes are erased soon after.

        None where its owner has opened it to everybody, or offered it again, since this view was begun. Raises
        GoneImage where another request has spent it.
        """

        async def end_row() -> Image | None:
            row, now_s = await self._catalogue.get(slug), int(self._clock())
            if not isinstance(row, Image) or row.ended is Ending.DELETED:
                raise GoneImage("This image could be viewed once, and that is over.")
            if not row.one_view or not tokens.matches(ticket, row.viewing or ""):
                return None
            return await self._catalogue.end(slug, now_s=now_s, erase_after_s=now_s + UNDO_S, version=row.version)

        return await retry_on_conflict(end_row)

    async def take_back(self, image: Image) -> None:
        """The last byte could not be sent: the view that was begun may be repeated, unless its time is over."""
        with suppress(Conflict, GoneImage):
            restored = await self._catalogue.restore(image.slug, now_s=int(self._clock()), expires_s=None)
            await self._sidecars.keep(restored)

    async def settle(self, image: Image) -> None:
        """After a spent view: what a deletion does besides the row. A crash leaves it to the jobs."""
        await self._sidecars.keep(image)
        await self._cache.evict(image.slug)
        await self._tombstones.settle_now(image.slug)
        self._metrics.deleted.inc()
