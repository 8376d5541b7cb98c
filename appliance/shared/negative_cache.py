"""A memory of what failed a while ago, so that it is not tried again and again."""

from typing import Generic, TypeVar

from cachetools import TTLCache

from appliance.domain.clock import Clock

K = TypeVar("K")
MAX_KEYS = 10_000


class NegativeCache(Generic[K]):
    """Keys that failed within the last `ttl_s` seconds; beyond `max_keys`, the oldest are forgotten."""

    def __init__(self, *, ttl_s: float, clock: Clock, max_keys: int = MAX_KEYS) -> None:
        self._failed: TTLCache[K, None] = TTLCache(max_keys, ttl_s, timer=clock)

    def __contains__(self, key: K) -> bool:
        return key in self._failed

    def add(self, key: K) -> None:
        """The key failed now; its time starts again."""
        self._failed[key] = None

    def discard(self, key: K) -> None:
        """The key may be tried again."""
        self._failed.pop(key, None)
