"""The reader that `ObjectStore.open` returns: chunks of an object or of a range of it, in bounded memory."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Protocol, Self

from appliance.domain.errors import StoreUnavailable
from appliance.shared.threads import Stop, Threads

CHUNK_BYTES = 256 * 1024


class ByteSource(Protocol):
    """Blocking reads from a file or a response of the store. Their faults are StoreUnavailable."""

    def read(self, max_bytes: int) -> bytes:
        """The next bytes, empty at the end."""

    def close(self) -> None:
        """Release the file or connection; repeating it is fine."""


class ObjectReader:
    """Iterate over it for chunks of at most 256 KiB; `size` is how many bytes there are in all.

    Use it with `async with`, or call `aclose`. Iterating raises StoreUnavailable when the store fails meanwhile.
    """

    def __init__(self, source: ByteSource, size: int, threads: Threads) -> None:
        self.size = size
        self._source = source
        self._left = size
        self._threads = threads

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._left:
            raise StopAsyncIteration
        chunk = await self._threads.run_stoppable(self._next)
        if not chunk:
            raise StoreUnavailable(f"The store closed the connection {self._left} bytes before the end of an object.")
        self._left -= len(chunk)
        return chunk

    def _next(self, _stop: Stop) -> bytes:
        return self._source.read(min(self._left, CHUNK_BYTES))

    async def aclose(self) -> None:
        """Stop reading and release the source; repeating it is fine."""
        self._left = 0
        self._source.close()  # never waits, so it needs no thread

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
