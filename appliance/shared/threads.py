"""Bounded thread pools, one for each kind of blocking work, so that a slow disk never holds up other work."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import TypeVar, TypeVarTuple

LARGE_BYTES = 64_000_000
PAGE = 1000  # entries of a listing that one hop to a thread brings
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class Stopped(Exception):
    """Ends a blocking call whose caller was cancelled. Not an OSError, so that nothing retries it as a fault."""


class Stop:
    """Signals a running call that its caller was cancelled."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises Stopped once the caller was cancelled; long calls ask between chunks."""
        if self._event.is_set():
            raise Stopped


class Threads:
    """Runs blocking calls off the event loop: `limit` at a time, and `large_limit` more that read a large file."""

    def __init__(self, name: str, limit: int, large_limit: int = 1) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix=name)
        self._large_pool = ThreadPoolExecutor(large_limit, thread_name_prefix=f"{name}-large")

    async def run(self, call: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """The call's result; what it raises is raised here. A running call continues when its caller is cancelled."""
        return await self.begin(call, *arguments)

    def begin(self, call: Callable[[*Arguments], Result], *arguments: *Arguments) -> asyncio.Future[Result]:
        """Begin the call now; its result or exception is the future's."""
        return asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)

    async def run_through(
        self, count_bytes: int, call: Callable[[*Arguments], Result], *arguments: *Arguments
    ) -> Result:
        """Like `run`, for a call that reads so many bytes: calls on small files never wait for those on large ones."""
        pool = self._large_pool if count_bytes > LARGE_BYTES else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, call, *arguments)

    async def run_stoppable(
        self, call: Callable[[Stop], Result], *, discard: Callable[[Result], None] | None = None
    ) -> Result:
        """The result of a call that is over before a cancelled caller continues.

        Cancelled, it tells the call to stop, waits for its end and gives a result to `discard`. The wait is what makes
        "a cancelled put is over" true; the calls' own timeouts bound it.
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

    async def pages(self, entries: Iterator[Result]) -> AsyncIterator[Result]:
        """The entries of a blocking iterator, fetched a page at a time."""
        while page := await self.run_stoppable(lambda _stop: list(islice(entries, PAGE))):
            for entry in page:
                yield entry

    async def close(self) -> None:
        """Wait for what runs, then end the threads."""
        await asyncio.to_thread(self.shutdown)

    def shutdown(self) -> None:
        """The same for a caller off the event loop; blocks."""
        self._pool.shutdown()
        self._large_pool.shutdown()


async def _end_of(future: Future[Result]) -> None:
    waiter = asyncio.wrap_future(future)
    while not waiter.done():
        with suppress(asyncio.CancelledError):  # a second cancellation must not leave the call behind either
            await asyncio.wait({waiter})
    waiter.exception()
