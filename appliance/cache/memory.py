"""Renditions in memory: bounded bytes, least recently used out first; used by the event loop's thread alone."""

from collections import OrderedDict

from appliance.cache.rendition import Rendition

ENTRY_OVERHEAD_BYTES = 400  # key, dictionary slot and object of one entry
LARGEST_SHARE = 4  # one rendition may take a quarter of all, or it would push out everything else


class MemoryCache:
    """Renditions by slug and name."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._renditions: OrderedDict[tuple[str, str], Rendition] = OrderedDict()
        self._names: dict[str, set[str]] = {}
        self.bytes = 0

    def get(self, slug: str, name: str) -> Rendition | None:
        found = self._renditions.get((slug, name))
        if found is not None:
            self._renditions.move_to_end((slug, name))
        return found

    def names(self, slug: str) -> frozenset[str]:
        """The renditions of one image that are here."""
        return frozenset(self._names.get(slug, ()))

    def sizes(self, slug: str) -> dict[str, int]:
        """How many bytes each of them has; looking does not count as use."""
        return {name: len(self._renditions[slug, name].data) for name in self.names(slug)}

    def keep(self, slug: str, name: str, rendition: Rendition) -> None:
        self._forget(slug, name)
        size = len(rendition.data) + ENTRY_OVERHEAD_BYTES
        if size > self._limit_bytes // LARGEST_SHARE:
            return
        self._renditions[slug, name] = rendition
        self._names.setdefault(slug, set()).add(name)
        self.bytes += size
        while self.bytes > self._limit_bytes:
            self._forget(*next(iter(self._renditions)))

    def evict(self, slug: str) -> None:
        for name in self.names(slug):
            self._forget(slug, name)

    def _forget(self, slug: str, name: str) -> None:
        gone = self._renditions.pop((slug, name), None)
        if gone is None:
            return
        self.bytes -= len(gone.data) + ENTRY_OVERHEAD_BYTES
        self._names[slug].discard(name)
        if not self._names[slug]:
            del self._names[slug]
