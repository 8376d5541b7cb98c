"""A store under observation: its faults are counted by operation, and open a circuit breaker."""

import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore.port import ObjectEntry, ObjectInfo, ObjectStore
from appliance.objectstore.reader import ObjectReader
from appliance.observability.metrics import Metrics
from appliance.shared.circuit_breaker import CircuitBreaker, State
from appliance.shared.negative_cache import NegativeCache

FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 10.0  # between probes of a store that doesn't serve
LOG_AGAIN_S = 60.0  # between log lines about the same thing
LASTING = ("check", "put")  # a full disk fails these while all else succeeds: only their own success ends the fault

log = logging.getLogger(__name__)


class ObservedStore:
    """Passes every call on to the store. `fault` says what is wrong with it; None while it serves.

    `breaker` is open while there is a fault: calls that can wait ask it for a permit. Its pauses between probes grow
    from `first_pause_s` to `max_pause_s`.
    """

    def __init__(
        self,
        store: ObjectStore,
        metrics: Metrics,
        *,
        first_pause_s: float = FIRST_PAUSE_S,
        max_pause_s: float = MAX_PAUSE_S,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._faults: dict[str, str] = {}
        self._logged: NegativeCache[str] = NegativeCache(ttl_s=LOG_AGAIN_S, clock=time.monotonic)
        self.breaker = CircuitBreaker(self.answers, first_pause_s=first_pause_s, max_pause_s=max_pause_s)

    @property
    def fault(self) -> str | None:
        return next(iter(self._faults.values()), None)

    @property
    def name(self) -> str:
        return self._store.name

    @property
    def max_object_bytes(self) -> int:
        return self._store.max_object_bytes

    async def start(self) -> None:
        with self._recorded("start"):
            await self._store.start()

    async def put(self, key: str, path: Path, *, media_type: str, metadata: Mapping[str, str]) -> None:
        with self._recorded("put"):
            await self._store.put(key, path, media_type=media_type, metadata=metadata)

    async def put_range(self, key: str, path: Path, start: int, length: int, *, media_type: str) -> None:
        with self._recorded("put"):
            await self._store.put_range(key, path, start, length, media_type=media_type)

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> None:
        with self._recorded("put_bytes"):
            await self._store.put_bytes(key, data, media_type=media_type)

    async def fetch(self, key: str, to: Path) -> None:
        with self._recorded("fetch", needed=key):
            await self._store.fetch(key, to)

    async def open(self, key: str, start: int = 0, length: int | None = None) -> ObjectReader:
        with self._recorded("open", needed=key):
            return await self._store.open(key, start, length)

    async def stat(self, key: str) -> ObjectInfo:
        with self._recorded("stat"):
            return await self._store.stat(key)

    async def delete(self, key: str) -> None:
        with self._recorded("delete"):
            await self._store.delete(key)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        with self._recorded("list"):
            async for entry in self._store.list(prefix, after):
                yield entry

    async def check(self) -> None:
        with self._recorded("check"):
            await self._store.check()

    async def close(self) -> None:
        await self._store.close()

    async def probe(self) -> None:
        """Make the store ready and check whether it would serve; a failed check is recorded as a fault.

        Raises StoreUnavailable as `start` does.
        """
        await self.start()
        with suppress(StoreUnavailable):
            await self.check()

    async def answers(self) -> bool:
        """Whether a probe succeeds now, however many faults there were before."""
        try:
            await self.probe()
        except StoreUnavailable:
            return False
        return True

    def mark_unavailable(self, reason: str) -> None:
        """Treat the store as unavailable until it shows otherwise."""
        self._record_fault("start", reason)

    def clear_put_fault(self) -> None:
        """Nothing is left to put, so a fault of earlier puts says nothing any more."""
        self._clear_faults("put")

    @contextmanager
    def _recorded(self, operation: str, needed: str | None = None) -> Iterator[None]:
        """Record how the operation went. `needed` is the key of an object that an image's row needs."""
        try:
            yield
        except StoreUnavailable as fault:
            self._metrics.store_faults.labels(operation).inc()
            self._record_fault(operation, fault.detail)
            raise
        except ObjectMissing:
            self._record_success(operation)
            if needed is not None and self._should_log("missing"):
                log.error("the object store is missing %s, which an image needs", needed)
            raise
        else:
            self._record_success(operation)

    def _record_fault(self, operation: str, reason: str) -> None:
        if self._should_log(reason):
            log.error("the object store is failing: %s", reason)
        self._faults[operation] = reason
        self._metrics.store_up.set(0)
        self.breaker.trip()

    def _record_success(self, operation: str) -> None:
        self._clear_faults(operation, *(other for other in self._faults if other not in LASTING))

    def _clear_faults(self, *operations: str) -> None:
        for operation in operations:
            self._faults.pop(operation, None)
        if self._faults:
            return
        self._metrics.store_up.set(1)
        if self.breaker.state is not State.CLOSED and self._should_log("available"):
            log.info("the object store is available again")
        self.breaker.reset()

    def _should_log(self, subject: str) -> bool:
        """Whether the subject was not logged a moment ago: a store that comes and goes would fill the log."""
        is_new = subject not in self._logged
        if is_new:
            self._logged.add(subject)
        return is_new
