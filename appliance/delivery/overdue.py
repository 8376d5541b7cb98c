"""Cuts that could not be made a moment ago, each by itself: what asks for too much says nothing of its image."""

from collections import OrderedDict

from appliance.clock import Clock
from appliance.errors import CannotResize
from appliance.model import Image
from appliance.regions import Cut

MEMORY_OF_CUTS = 10_000
FORGIVEN_AFTER_S = 600.0


class Overdue:
    """Remembers cuts that met a deadline, or a worker's death, for some minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failed: OrderedDict[tuple[str, Cut], float] = OrderedDict()

    def refuse(self, image: Image, cut: Cut) -> None:
        """Raises CannotResize for a cut that is known to fail."""
        failed_s = self._failed.get((image.slug, cut))
        if failed_s is not None and self._clock() - failed_s < FORGIVEN_AFTER_S:
            raise CannotResize("This part of the image could not be rendered a moment ago. Request a smaller one.")

    def remember(self, image: Image, cut: Cut) -> None:
        self._failed.pop((image.slug, cut), None)
        self._failed[image.slug, cut] = self._clock()
        if len(self._failed) > MEMORY_OF_CUTS:
            self._failed.popitem(last=False)
