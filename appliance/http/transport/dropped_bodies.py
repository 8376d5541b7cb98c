"""Dropping bodies that nobody wants: the kernel throws away what has come, so that it is never copied or parsed.

What a refused client still sends has to be received: else it would see a reset, and not the answer. It is received by
a second descriptor of the connection, so that its transport, which would copy it, stays paused.
"""

import asyncio
import os
import resource
import socket
from asyncio.trsock import TransportSocket
from collections import deque
from contextlib import suppress

MAX_READS_PER_TURN = 24
"""Of all connections together. The kernel drops 256 KB in 35 µs, so that they take a millisecond of a turn of the event
loop at most. With a third of these reads, a flood brings more than is dropped, and its connections add up."""
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
        self._waiting: deque[_DroppedBody] = deque()
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

    def read_in_turn(self, body: "_DroppedBody") -> None:
        """Have the body read now, or in one of the next turns, behind those that wait."""
        if self._waiting or self._reads == MAX_READS_PER_TURN:
            self._waiting.append(body)
        else:
            self._read(body)

    def _read(self, body: "_DroppedBody") -> None:
        if not self._reads:
            asyncio.get_running_loop().call_soon(self._next_turn)
        self._reads += 1
        body.read()

    def _next_turn(self) -> None:
        self._reads = 0
        while self._waiting and self._reads < MAX_READS_PER_TURN:
            body = self._waiting.popleft()
            if not body.ended.done():
                self._read(body)


class _DroppedBody:
    """One body, while it is dropped. It asks for its turn when something has come, and not again before it has read."""

    def __init__(self, connection: socket.socket, turns: DroppedBodies, left_bytes: int | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._turns = turns
        self._left = left_bytes
        self._dropped = 0
        self.ended = self._loop.create_future()
        self._listen()

    def stop(self) -> None:
        """Read no more."""
        self.ended.cancel()
        self._loop.remove_reader(self._connection)

    def _listen(self) -> None:
        if not self.ended.done():
            self._loop.add_reader(self._connection, self._ask)

    def _ask(self) -> None:
        self._loop.remove_reader(self._connection)
        self._turns.read_in_turn(self)

    def read(self) -> None:
        """Drop what has come, up to a bound."""
        is_slow = self._dropped > DROPPED_AT_ONCE
        with suppress(BlockingIOError):
            self._note(self._receive(SLOW_BYTES if is_slow else AT_ONCE_BYTES))
        if is_slow:
            self._loop.call_later(PAUSE_S, self._listen)
        else:
            self._listen()

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
