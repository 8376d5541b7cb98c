"""The originals that wait for the store: each once, clients in turn, small files and large ones in lanes of their own.

The queue is in memory and only a hint; rows remember what it loses.
"""

import asyncio
import math
import random
import time

from appliance.domain.clients import HOST
from appliance.domain.model import Image
from appliance.lifecycle.client_queue import ClientQueue

LARGE_BYTES = 64_000_000  # a few large files never hold up the small ones
MAX_QUEUED = 10_000
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 10.0

Lane = ClientQueue[Image]


class ShipQueue:
    """`small` and `large` are the lanes that shippers take originals from. Used by the event loop's thread alone.

    An original stays queued from `add` to `settle`, also while it is being shipped or waits for another attempt. The
    pauses between its attempts grow from `first_retry_s` to `last_retry_s`.
    """

    def __init__(self, first_retry_s: float = FIRST_RETRY_S, last_retry_s: float = LAST_RETRY_S) -> None:
        self.first_retry_s = first_retry_s
        self.last_retry_s = last_retry_s
        self.small: Lane = ClientQueue()
        self.large: Lane = ClientQueue()
        self._queued: dict[str, tuple[Image, asyncio.Future[bool]]] = {}
        self._failures: dict[str, int] = {}
        self._retries: dict[str, asyncio.TimerHandle] = {}
        self._hurried_s = -math.inf

    def __len__(self) -> int:
        """How many originals are queued."""
        return len(self._queued)

    def __contains__(self, slug: object) -> bool:
        """Whether the original of this image is queued."""
        return slug in self._queued

    @property
    def is_full(self) -> bool:
        return len(self._queued) >= MAX_QUEUED

    @property
    def oldest_s(self) -> float | None:
        """When the oldest of them was created, in unix seconds."""
        return min((image.created_s for image, _ in tuple(self._queued.values())), default=None)

    @staticmethod
    def is_large(image: Image) -> bool:
        return image.bytes > LARGE_BYTES

    def add(self, image: Image, client: str) -> asyncio.Future[bool] | None:
        """Queue the original unless it is queued already. None when the queue is full.

        The future says whether it was shipped; False comes early where waiting for it is in vain.
        """
        if image.slug in self._queued:
            return self._queued[image.slug][1]
        if self.is_full:
            return None
        promise = asyncio.get_running_loop().create_future()
        self._queued[image.slug] = image, promise
        self._lane_of(image).put_nowait((client, image))
        return promise

    def settle(self, image: Image, *, is_shipped: bool) -> None:
        """The original needs no shipping any more."""
        self._failures.pop(image.slug, None)
        _answer(self._queued.pop(image.slug)[1], is_shipped=is_shipped)

    def retry_later(self, image: Image) -> None:
        """Put the original back into its lane after a pause that doubles with each failure."""
        _answer(self._queued[image.slug][1], is_shipped=False)
        failures = self._failures[image.slug] = self._failures.get(image.slug, 0) + 1
        backoff_s = min(self.last_retry_s, self.first_retry_s * 2 ** min(failures, 10)) * random.uniform(0.7, 1.0)  # noqa: S311 - only to spread them
        loop = asyncio.get_running_loop()
        self._retries[image.slug] = loop.call_later(backoff_s, self._put_back, image.slug)

    def retry_now(self) -> None:
        """End the pauses; at most once in `last_retry_s`, or an object that always fails would be tried all day."""
        if time.monotonic() - self._hurried_s < self.last_retry_s:
            return
        self._hurried_s = time.monotonic()
        for slug in tuple(self._retries):
            self._retries[slug].cancel()
            self._put_back(slug)

    def is_paused(self, slug: str) -> bool:
        """Whether the original waits for another attempt."""
        return slug in self._retries

    def release_waiters(self) -> None:
        """Answer False to everybody who waits: it will take longer."""
        for _, promise in self._queued.values():
            _answer(promise, is_shipped=False)

    def close(self) -> None:
        """Start no attempt any more, and cancel what callers wait for."""
        for timer in self._retries.values():
            timer.cancel()
        for _, promise in self._queued.values():
            promise.cancel()

    def _put_back(self, slug: str) -> None:
        del self._retries[slug]
        image, _ = self._queued[slug]
        self._lane_of(image).put_nowait((HOST, image))

    def _lane_of(self, image: Image) -> Lane:
        return self.large if self.is_large(image) else self.small


def _answer(promise: asyncio.Future[bool], *, is_shipped: bool) -> None:
    if not promise.done():
        promise.set_result(is_shipped)
