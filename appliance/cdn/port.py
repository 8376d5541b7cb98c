"""The port of shared caches: how everything between this host and its viewers is purged."""

from collections.abc import Sequence
from typing import Protocol

PROBE_TAG = "appliance-doctor"
"""A tag that no response carries, so that purging it removes nothing."""


class SharedCaches(Protocol):
    """All caches between this host and its viewers that can be purged.

    Every response about an image or album carries its slug as a tag, in `Cache-Tag` and `Surrogate-Key`. A tag is
    letters, digits and hyphens.
    """

    max_tags: int
    """How many tags one call may have."""

    async def purge(self, tags: Sequence[str]) -> None:
        """Remove every response that carries one of the tags, of which there are 1 to `max_tags`.

        On return each cache has confirmed that it serves none of them any more. Responses with other tags stay.
        Repeating it is fine, and so is a tag that nothing carries.

        Raises PurgeFailed where a cache refused, was silent or did not confirm; the detail says what to do, and
        `retry_after_s` is set where a cache named a time to wait.
        """

    async def close(self) -> None:
        """Wait for calls in progress and release threads and connections."""
