"""The store's own bounded threads: blocking calls run here, and a cancelled call is over before its caller goes on."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
PAGE = 1000  # entries of a listing that one hop to a thread brings


class Stopped(Exception):
    """Ends a blocking call whose caller was cancelled. Not an OSError: nothing may take it for a fault and retry."""


class Stop:
    """Tells a running call that nobody waits for it any more."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Stopped once the caller was cancelled; long calls ask between chunks."""
        if self._event.is_set():
            raise Stopped


class StoreThreads:
    """Runs blocking calls, `limit` at a time."""

    def __init__(self, name: str, limit: int) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix=name)

    async def run(self, call: Callable[[Stop], T], *, discard: Callable[[T], None] | None = None) -> T:
        """The call's result. Cancelled, it tells the call to stop, waits for its end and gives a result to `discard`.

        The wait is what makes "a cancelled put is over" true; the calls' own timeouts bound it.
        """
        stop = Stop()
        future = self._pool.submit(call, stop)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            stop.set()
            if not future.cancel():  # it runs already
                await _end_of(future)
                if discard and future.exception() is None:
                    discard(future.result())
            raise

    async def pages(self, entries: Iterator[T]) -> AsyncIterator[T]:
        """The entries of a blocking iterator, fetched a page at a time."""
        while page := await self.run(lambda _stop: list(islice(entries, PAGE))):
            for entry in page:
                yield entry

    async def close(self) -> None:
        """Wait for what runs, then end the threads."""
        await asyncio.to_thread(self._pool.shutdown)


async def _end_of(future: Future[T]) -> None:
    waiter = asyncio.wrap_future(future)
    while not waiter.done():
        with suppress(asyncio.CancelledError):  # a second cancellation must not leave the call behind either
            await asyncio.wait({waiter})
    waiter.exception()
