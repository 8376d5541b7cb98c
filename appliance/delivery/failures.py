"""Failures: images that could not be resized are not tried again for a while, or never."""

from cachetools import LRUCache

from appliance.catalogue import ImageCatalogue
from appliance.domain.clock import Clock
from appliance.domain.errors import CannotResize
from appliance.domain.model import Image
from appliance.shared.negative_cache import MAX_KEYS, NegativeCache

RETRY_AFTER_S = 600.0
MAX_FAILURES = 2  # the first may have been the worker's


class Failures:
    """Refuses images that failed recently, and marks permanent failures as original-only in their rows.

    Broken pixels are a permanent failure; a deadline or a worker's death becomes one after `max_failures`, or never
    (None).
    """

    def __init__(self, *, catalogue: ImageCatalogue, clock: Clock, max_failures: int | None = MAX_FAILURES) -> None:
        self._catalogue = catalogue
        self._max_failures = max_failures
        self._recent: NegativeCache[str] = NegativeCache(ttl_s=RETRY_AFTER_S, clock=clock)
        self._counts: LRUCache[str, int] = LRUCache(MAX_KEYS)

    def refuse(self, image: Image) -> None:
        """Raises CannotResize for an image that is known to fail."""
        if image.original_only is not None:
            raise CannotResize(f"{image.original_only} You can download the original.")
        if image.slug in self._recent:
            raise CannotResize("This image could not be resized a moment ago. You can download the original.")

    async def remember(self, image: Image, fault: CannotResize) -> None:
        """Count a failure, and record it in the image's row if it is permanent. Raises the catalogue's faults."""
        failures = self._counts.pop(image.slug, 0) + 1
        if self._is_permanent(fault, failures):
            self._recent.discard(image.slug)
            await self._catalogue.mark_original_only(image.slug, fault.detail)
            return
        self._counts[image.slug] = failures
        self._recent.add(image.slug)

    def _is_permanent(self, fault: CannotResize, failures: int) -> bool:
        return fault.final or (self._max_failures is not None and failures >= self._max_failures)
