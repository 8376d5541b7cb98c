"""The port of the purge outbox: what shared caches still have to forget."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from appliance.catalogue.values import PendingPurges, Purge


class PurgeOutbox(Protocol):
    """Tags that shared caches have to purge.

    Where the catalogue is opened for purging, a change that makes an image or album stale in shared caches enqueues its
    tag in the same moment; so no crash loses a purge. Otherwise the outbox stays empty.
    """

    @property
    def pending(self) -> asyncio.Event:
        """Is set when tags are enqueued. The purger clears it before it looks."""

    async def enqueue(self, tags: Sequence[str]) -> None:
        """Have these tags purged, although nothing of their rows has changed."""

    async def due(self, now_s: int, limit: int) -> list[Purge]:
        """Purges that are due at `now_s`, longest first."""

    async def confirm(self, purges: Sequence[Purge], *, again_s: int) -> None:
        """One round of each purge is done; the next one, if any, is due at `again_s`.

        A tag that was enqueued again in the meantime stays due.
        """

    async def count_pending(self, now_s: int) -> PendingPurges:
        """How many purges are due at `now_s`, and since when."""
