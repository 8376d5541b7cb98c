"""Failures: images that could not be resized are not tried again for a while, or never."""

from cachetools import LRUCache

from appliance.catalogue import ImageCatalogue
from appliance.domain import refusals
from appliance.domain.clock import Clock
from appliance.domain.errors import CannotResize
from appliance.domain.model import Image
from appliance.observability.metrics import Metrics
from appliance.shared.negative_cache import MAX_KEYS, NegativeCache

RETRY_AFTER_S = 600.0
MAX_FAILURES = 2
"""Decodes that take all the time allowed, until the image counts as too slow for this host."""
MAX_TRIES, LONG_RETRY_AFTER_S = 3, 6 * 3600.0
"""Failures of any other cause, until the image is left alone for longer: its file may end workers each time."""


class Failures:
    """Refuses images that failed recently, and marks permanent failures as original-only in their rows.

    Broken pixels fail for good at once, a decode that is too slow after `max_failures` of them, or never (None). A
    worker's death and an overloaded host change no image's state.
    """

    def __init__(
        self, *, catalogue: ImageCatalogue, metrics: Metrics, clock: Clock, max_failures: int | None = MAX_FAILURES
    ) -> None:
        self._catalogue = catalogue
        self._metrics = metrics
        self.max_failures = max_failures
        self._recent: NegativeCache[str] = NegativeCache(ttl_s=RETRY_AFTER_S, clock=clock)
        self._stubborn: NegativeCache[str] = NegativeCache(ttl_s=LONG_RETRY_AFTER_S, clock=clock)
        self._slow: LRUCache[str, int] = LRUCache(MAX_KEYS)
        self._tries: LRUCache[str, int] = LRUCache(MAX_KEYS)

    def refuse(self, image: Image) -> None:
        """Raises CannotResize for an image that is known to fail."""
        if image.original_only is not None:
            raise CannotResize(f"{image.original_only} You can download the original.")
        if image.slug in self._recent or image.slug in self._stubborn:
            raise CannotResize("This image could not be resized a moment ago. You can download the original.")

    async def remember(self, image: Image, fault: CannotResize) -> None:
        """Count a failure, and record it in the image's row if it is permanent. Raises the catalogue's faults."""
        if self._is_permanent(image, fault):
            self._recent.discard(image.slug)
            reason = refusals.TOO_SLOW if fault.is_too_slow else fault.detail
            await self._catalogue.mark_original_only(image.slug, reason)
            self._metrics.became_original_only.labels("slow" if fault.is_too_slow else "pixels").inc()
            return
        self._tries[image.slug] = tries = self._tries.pop(image.slug, 0) + 1
        (self._recent if tries < MAX_TRIES else self._stubborn).add(image.slug)

    def _is_permanent(self, image: Image, fault: CannotResize) -> bool:
        if fault.final or not fault.is_too_slow or self.max_failures is None:
            return fault.final
        self._slow[image.slug] = slow = self._slow.pop(image.slug, 0) + 1
        return slow >= self.max_failures
