"""A cache of renditions: memory before disk, and tickets that keep out renditions of ended images."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from appliance.cache.disk import DiskCache
from appliance.cache.memory import MemoryCache
from appliance.cache.rendition import Rendition
from appliance.cache.tickets import Ticket, Tickets


class Cache:
    """Renditions by slug and name (`medium.webp`)."""

    def __init__(self, root: Path, *, edition: str, memory_bytes: int, disk_bytes: int) -> None:
        self._memory = MemoryCache(memory_bytes)
        self._disk = DiskCache(root, edition=edition, limit_bytes=disk_bytes)
        self._tickets = Tickets()

    @property
    def memory_bytes(self) -> int:
        return self._memory.bytes

    @property
    def disk_bytes(self) -> int:
        return self._disk.bytes

    @property
    def images_in_progress(self) -> int:
        """How many images something is being rendered or read of."""
        return len(self._tickets)

    async def start(self) -> None:
        """Return at once; what the disk holds is counted in the background."""
        await self._disk.start()

    async def close(self) -> None:
        await self._disk.close()

    async def settle(self) -> None:
        """Wait until what the disk holds is counted, and no trimming is under way."""
        await self._disk.settle()

    async def trim(self) -> None:
        """Bring the disk below its bound."""
        await self._disk.trim()

    # --- looking up -----------------------------------------------------------------------------------------------

    def peek(self, slug: str, name: str) -> Rendition | None:
        """From memory, without waiting."""
        return self._memory.get(slug, name)

    async def get(self, slug: str, name: str) -> Rendition | None:
        """From memory or disk; a hit on disk is kept in memory. A damaged file is a miss."""
        if (near := self._memory.get(slug, name)) is not None:
            return near
        ticket = self.begin(slug)
        try:
            found = await self._disk.get(slug, name)
            if found is None:  # it may have been admitted while the disk was read
                return self._memory.get(slug, name)
            if not ticket.revoked:
                self._memory.keep(slug, name, found)
            return found
        finally:
            self.end(ticket)

    async def names(self, slug: str) -> frozenset[str]:
        """The renditions of an image that are here, in memory or on disk."""
        return frozenset(await self._disk.sizes(slug)) | self._memory.names(slug)

    async def sizes(self, slug: str) -> dict[str, int]:
        """The same, and how many bytes each has."""
        return await self._disk.sizes(slug) | self._memory.sizes(slug)

    # --- admitting ------------------------------------------------------------------------------------------------

    def begin(self, slug: str) -> Ticket:
        """A ticket for work on the image, which `admit` asks for. Return it with `end`."""
        return self._tickets.begin(slug)

    def end(self, ticket: Ticket) -> None:
        self._tickets.end(ticket)

    async def admit(self, ticket: Ticket, name: str, rendition: Rendition) -> bool:
        """Keep a rendition, unless its image was evicted since the ticket was issued. Returns whether it was kept."""
        return await self.admit_all(ticket, {name: rendition})

    async def admit_all(self, ticket: Ticket, made: Mapping[str, Rendition]) -> bool:
        """Keep renditions of one image, by name, in one go. Returns whether all were kept."""
        if ticket.revoked:
            return False
        for name, rendition in made.items():
            self._memory.keep(ticket.slug, name, rendition)
        try:
            drafts = await self._disk.drafts(ticket.slug, made)
        except OSError:
            return True  # a full disk: memory has them, and they can be made again
        # No await between the check and the renames: an eviction comes before all or after all.
        lost = [draft for name, draft in drafts.items() if ticket.revoked or not self._disk.publish(draft, name)]
        for draft in lost:
            draft.unlink(missing_ok=True)
        return not lost

    # --- forgetting -----------------------------------------------------------------------------------------------

    def barred(self, slug: str) -> AbstractContextManager[None]:
        """Keep nothing of the image whose making begins inside the block."""
        return self._tickets.barred(slug)

    async def evict(self, slug: str) -> None:
        """Forget every rendition of an image, and refuse those that are being rendered."""
        self._revoke(slug)
        await self._disk.evict(slug)
        self._revoke(slug)  # again, for what was read from disk before the folder went

    def _revoke(self, slug: str) -> None:
        self._tickets.revoke(slug)
        self._memory.evict(slug)
