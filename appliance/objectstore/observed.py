"""Any store, watched: its faults are counted by operation, and who asks is told how it does."""

import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.domain.errors import ObjectMissing, StoreUnavailable
from appliance.objectstore.base import ObjectEntry, ObjectInfo, ObjectStore
from appliance.objectstore.reader import ObjectReader
from appliance.observability.metrics import Metrics
from appliance.shared.circuit_breaker import CircuitBreaker, State

FIRST_PAUSE_S, MAX_PAUSE_S = 0.5, 10.0  # between probes of a store that is away
TOLD_AGAIN_S = 60.0  # between log lines about the same thing
LASTING = ("check", "put")  # a full disk fails these while all else succeeds: only their own success ends the fault

log = logging.getLogger(__name__)


class ObservedStore:
    """Passes everything on. `fault` is what is wrong with the store, in words; None while it serves.

    `breaker` is open while there is a fault: what can wait asks it for leave before a call.
    """

    def __init__(self, store: ObjectStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        self._faults: dict[str, str] = {}
        self._told: dict[str, float] = {}
        self.breaker = CircuitBreaker(self._answers, first_pause_s=FIRST_PAUSE_S, max_pause_s=MAX_PAUSE_S)

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
        with self._watched("start"):
            await self._store.start()

    async def put(self, key: str, path: Path, *, media_type: str, metadata: Mapping[str, str]) -> None:
        with self._watched("put"):
            await self._store.put(key, path, media_type=media_type, metadata=metadata)

    async def put_bytes(self, key: str, data: bytes, *, media_type: str) -> None:
        with self._watched("put_bytes"):
            await self._store.put_bytes(key, data, media_type=media_type)

    async def fetch(self, key: str, to: Path) -> None:
        with self._watched("fetch", missed=key):
            await self._store.fetch(key, to)

    async def open(self, key: str, start: int = 0, length: int | None = None) -> ObjectReader:
        with self._watched("open", missed=key):
            return await self._store.open(key, start, length)

    async def stat(self, key: str) -> ObjectInfo:
        with self._watched("stat"):
            return await self._store.stat(key)

    async def delete(self, key: str) -> None:
        with self._watched("delete"):
            await self._store.delete(key)

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        with self._watched("list"):
            async for entry in self._store.list(prefix, after):
                yield entry

    async def check(self) -> None:
        with self._watched("check"):
            await self._store.check()

    async def close(self) -> None:
        await self._store.close()

    async def probe(self) -> None:
        """Have a store that was away ready, and see whether it would serve. Raises StoreUnavailable as `start` does."""
        await self.start()
        with suppress(StoreUnavailable):  # it is noted
            await self.check()

    async def _answers(self) -> bool:
        try:
            await self.probe()
        except StoreUnavailable:  # it is noted
            return False
        return True

    def doubt(self, words: str) -> None:
        """Take the store for away until it shows otherwise."""
        self._failed("start", words)

    def nothing_to_put(self) -> None:
        """Whatever could not be put is not wanted any more, so that only other faults count."""
        self._recover("put")

    @contextmanager
    def _watched(self, operation: str, missed: str | None = None) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as fault:
            self._metrics.store_faults.labels(operation).inc()
            self._failed(operation, fault.detail)
            raise
        except ObjectMissing:
            self._succeeded(operation)
            if missed is not None and self._tells("missing"):  # only living rows are asked for this way
                log.error("the object store is missing %s, which an image needs", missed)
            raise
        else:
            self._succeeded(operation)

    def _failed(self, operation: str, words: str) -> None:
        if self._tells(words):
            log.error("the object store is failing: %s", words)
        self._faults[operation] = words
        self._metrics.store_up.set(0)
        self.breaker.trip()

    def _succeeded(self, operation: str) -> None:
        self._recover(operation, *(other for other in self._faults if other not in LASTING))

    def _recover(self, *operations: str) -> None:
        for operation in operations:
            self._faults.pop(operation, None)
        if self._faults:
            return
        self._metrics.store_up.set(1)
        if self.breaker.state is not State.CLOSED and self._tells("up"):
            log.info("the object store is available again")
        self.breaker.reset()

    def _tells(self, words: str) -> bool:
        """Whether this is worth a log line now: what comes and goes would fill the log."""
        now_s = time.monotonic()
        self._told = {told: told_s for told, told_s in self._told.items() if now_s - told_s < TOLD_AGAIN_S}
        return self._told.setdefault(words, now_s) == now_s
