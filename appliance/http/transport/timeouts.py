"""How long a client may take to send a streamed body: an idle timeout, and a minimum rate.

The rate is an average over several idle timeouts, so that a phone may pause for one of them. Only the time spent
waiting for the client counts, not the time that we spend writing.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

MIN_BYTES_PER_S = 1024  # GPRS sends two to four times as much
AVERAGED_TIMEOUTS = 5

T = TypeVar("T")


class Timeouts:
    """The waiting time that one body has left. It is full again after each batch of bytes that the rate asks for."""

    def __init__(self, idle_timeout_s: float) -> None:
        self._idle_timeout_s = idle_timeout_s
        self._full_s = AVERAGED_TIMEOUTS * idle_timeout_s
        self._batch_bytes = max(1, round(self._full_s * MIN_BYTES_PER_S))
        self._clock = asyncio.get_running_loop().time
        self._left_s, self._missing_bytes = self._full_s, self._batch_bytes

    async def wait(self, arriving: Awaitable[T]) -> T:
        """The client's next data. Raises TimeoutError when it takes too long, for this or for the whole body."""
        started_s = self._clock()
        try:
            async with asyncio.timeout(min(self._idle_timeout_s, self._left_s)):
                return await arriving
        finally:
            self._left_s -= self._clock() - started_s

    async def stream(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks of the body or of a part of it. Raises TimeoutError as `wait` does."""
        iterator = aiter(chunks)
        while (chunk := await self.wait(anext(iterator, None))) is not None:
            self._missing_bytes -= len(chunk)
            if self._missing_bytes <= 0:
                self._left_s, self._missing_bytes = self._full_s, self._batch_bytes
            yield chunk
