"""What shared caches must do for this host: forget by tag."""

from collections.abc import Sequence
from typing import Protocol

PROBE_TAG = "appliance-doctor"
"""A tag that no answer carries: whoever forgets it forgets nothing."""


class SharedCaches(Protocol):
    """All caches between this host and its viewers that can be told to forget.

    Every answer about an image carries the image's slug as its tag, in `Cache-Tag` and `Surrogate-Key`.
    """

    most_tags: int
    """How many tags one call may have."""

    async def purge(self, tags: Sequence[str]) -> None:
        """On return every cache has confirmed that it serves nothing any more that it held under one of these tags,
        `most_tags` at most. Doing it twice is fine.

        Raises PurgeFailed, with `retry_after_s` where a cache asked for patience.
        """

    async def close(self) -> None:
        """Calls under way are over when this returns."""
