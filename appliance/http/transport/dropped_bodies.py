"""Dropping bodies that nobody wants: the kernel throws away what has come, so that it is never copied or parsed.

What a refused client still sends has to be received: else it would see a reset, and not the answer. It is received by
a second descriptor of the connection, so that its transport, which would copy it, stays paused.
"""

import asyncio
import os
import resource
import socket
from asyncio.trsock import TransportSocket
from contextlib import suppress

MAX_READS_PER_TURN = 8
"""Of all connections together. A turn of the event loop then takes less than a millisecond for them."""
MAX_BODIES = 1024
"""Dropped at the same time, or an eighth of the open files: each takes a descriptor. Others wait in the kernel."""
AT_ONCE_BYTES = 256 * 1024
DROPPED_AT_ONCE = 32_000_000
"""Bytes of a body that are dropped without a pause: a program that reads nothing before it has sent everything sees its
refusal."""
SLOW_BYTES, PAUSE_S = 96 * 1024, 0.02
"""From then on one read brings so many bytes and is followed by a pause: 5 MB a second, however fast its client
sends."""

_NOWHERE = bytearray(AT_ONCE_BYTES)
"""Only its size is used: with MSG_TRUNC, Linux drops what TCP received instead of copying it here (tcp(7))."""


class DroppedBodies:
    """Drops at most `max_bodies` at the same time, a few reads in each turn. Used from the event loop only."""

    def __init__(self, max_bodies: int | None = None) -> None:
        open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._places = asyncio.Semaphore(max_bodies or min(MAX_BODIES, open_files // 8))
        self._reads = 0

    async def drop(self, connection: TransportSocket, left_bytes: int | None, *, within_s: float) -> None:
        """Return when so many bytes have come (None: nobody knows how many), or the client has gone, or in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), self._places:
                await self._drop(connection, left_bytes)

    async def _drop(self, connection: TransportSocket, left_bytes: int | None) -> None:
        with socket.socket(connection.family, connection.type, connection.proto, os.dup(connection.fileno())) as own:
            body = _DroppedBody(own, self, left_bytes)
            try:
                await body.ended
            finally:
                body.stop()

    def may_read(self) -> bool:
        """Count a read, unless there were too many in this turn. What waits is readable in the next one as well."""
        if not self._reads:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._reads += 1
        return self._reads <= MAX_READS_PER_TURN

    def _next_turn(self) -> None:
        self._reads = 0


class _DroppedBody:
    """One body, while it is dropped."""

    def __init__(self, connection: socket.socket, turns: DroppedBodies, left_bytes: int | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._turns = turns
        self._left = left_bytes
        self._dropped = 0
        self.ended = self._loop.create_future()
        self._read_on()

    def stop(self) -> None:
        """Read no more."""
        self.ended.cancel()
        self._loop.remove_reader(self._connection)

    def _read_on(self) -> None:
        if not self.ended.done():
            self._loop.add_reader(self._connection, self._read)

    def _read(self) -> None:
        if not self._turns.may_read():
            return
        is_slow = self._dropped > DROPPED_AT_ONCE
        with suppress(BlockingIOError):
            self._note(self._receive(SLOW_BYTES if is_slow else AT_ONCE_BYTES))
        if is_slow:
            self._loop.remove_reader(self._connection)
            self._loop.call_later(PAUSE_S, self._read_on)

    def _receive(self, most: int) -> int:
        """How many bytes have come; 0 if the client has gone. Raises BlockingIOError if there are none yet."""
        try:
            return self._connection.recv_into(_NOWHERE, most, socket.MSG_TRUNC)
        except BlockingIOError:
            raise
        except OSError:
            return 0

    def _note(self, count: int) -> None:
        self._dropped += count
        is_whole = self._left is not None and self._dropped >= self._left
        if (not count or is_whole) and not self.ended.done():
            self.ended.set_result(None)
