"""A bounded set of threads of one's own, so that slow disks never queue behind somebody else's work."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

GIANT_BYTES = 64_000_000
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


class Threads:
    """Runs blocking calls off the event loop, `limit` at a time, and of those that go through a giant `giants` more."""

    def __init__(self, name: str, limit: int, giants: int = 1) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix=name)
        self._giants = ThreadPoolExecutor(giants, thread_name_prefix=f"{name}-giants")

    async def run(self, call: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """The call's result; what it raises is raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)

    async def run_through(
        self, count_bytes: int, call: Callable[[*Arguments], Result], *arguments: *Arguments
    ) -> Result:
        """The same for a call that goes through so many bytes: no small one waits until a giant's has ended."""
        pool = self._giants if count_bytes > GIANT_BYTES else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, call, *arguments)

    async def close(self) -> None:
        """Wait for what runs, then end the threads."""
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._giants.shutdown)
