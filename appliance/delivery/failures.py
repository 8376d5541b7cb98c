"""What is remembered of images that could not be resized, so that they are not tried again and again."""

from collections import OrderedDict

from appliance.catalogue import Catalogue
from appliance.clock import Clock
from appliance.errors import CannotResize
from appliance.model import Image

MEMORY_OF_FAILURES = 10_000
FAILURES_BEFORE_ORIGINAL_ONLY = 2  # the first may be a worker's bad luck
FORGIVEN_AFTER_S = 600.0


class Failures:
    """Refuses what failed a moment ago, and marks images that fail for good as original-only.

    Without `condemning` only broken pixels count as failing for good, never a deadline or a worker's death.
    """

    def __init__(self, *, catalogue: Catalogue, clock: Clock, condemning: bool = True) -> None:
        self._condemning = condemning
        self._catalogue = catalogue
        self._clock = clock
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def refuse(self, image: Image) -> None:
        """Raises CannotResize for an image that is known to fail."""
        if image.original_only is not None:
            raise CannotResize(f"{image.original_only} You can download the original.")
        failures, last_s = self._failures.get(image.slug, (0, 0.0))
        if failures and self._clock() - last_s < FORGIVEN_AFTER_S:
            raise CannotResize("This image could not be resized a moment ago. You can download the original.")

    async def remember(self, image: Image, fault: CannotResize) -> None:
        failures = self._failures.pop(image.slug, (0, 0.0))[0] + 1
        if fault.final or (self._condemning and failures >= FAILURES_BEFORE_ORIGINAL_ONLY):
            await self._catalogue.mark_original_only(image.slug, fault.detail)
            return
        self._failures[image.slug] = (failures, self._clock())
        if len(self._failures) > MEMORY_OF_FAILURES:
            self._failures.popitem(last=False)
