"""How long a client may keep this host waiting for a body that is streamed: an idle time, and a least rate.

The rate is an average of several idle times, so that a phone may stand still for one of them. Only waiting is counted,
never our own writing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

MIN_BYTES_PER_S = 1024  # GPRS sends two to four times that
AVERAGED = 5  # idle times

T = TypeVar("T")


class Timeouts:
    """What is left of the waiting for one body: every so many bytes buy it the whole of it again."""

    def __init__(self, idle_timeout_s: float) -> None:
        self._idle_timeout_s = idle_timeout_s
        self._whole_s = AVERAGED * idle_timeout_s
        self._whole_bytes = max(1, round(self._whole_s * MIN_BYTES_PER_S))
        self._clock = asyncio.get_running_loop().time
        self._left_s, self._due_bytes = self._whole_s, self._whole_bytes

    async def wait(self, coming: Awaitable[T]) -> T:
        """What the client is to send next. Raises TimeoutError when it keeps us waiting for too long, now or in all."""
        began_s = self._clock()
        try:
            async with asyncio.timeout(min(self._idle_timeout_s, self._left_s)):
                return await coming
        finally:
            self._left_s -= self._clock() - began_s

    async def stream(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks of the body, or of a part of it. Raises TimeoutError as `wait` does."""
        iterator = aiter(chunks)
        while (chunk := await self.wait(anext(iterator, None))) is not None:
            self._due_bytes -= len(chunk)
            if self._due_bytes <= 0:
                self._left_s, self._due_bytes = self._whole_s, self._whole_bytes
            yield chunk
