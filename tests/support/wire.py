"""Clients on bare sockets, which can stop in the middle, come from any address of the loopback, and read slowly."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

PATIENCE_S = 30


class Wire:
    """One connection to a host on 127.0.0.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, port: int, address: str = "127.0.0.1") -> "Wire":
        """From an address of the loopback, with little room for what it does not read."""
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(one, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=one, limit=4096))

    async def send(self, text: str | bytes) -> None:
        self._writer.write(text.encode() if isinstance(text, str) else text)
        await self._writer.drain()

    async def drip(self, text: str, pause_s: float) -> str:
        """Send a letter at a time until there is an answer; its head."""
        answer = asyncio.ensure_future(self.head())
        with contextlib.suppress(ConnectionError):
            for letter in text:
                if answer.done():
                    break
                await self.send(letter)
                await asyncio.sleep(pause_s)
        return await answer

    async def head(self) -> str:
        """The next reply's status line and headers."""
        async with asyncio.timeout(PATIENCE_S):
            return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def some(self, max_bytes: int) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read(max_bytes)

    async def rest(self) -> bytes:
        """What comes until the other side ends the connection, whichever way it does."""
        taken = bytearray()
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while block := await self._reader.read(65_536):
                    taken += block
        return bytes(taken)

    def abort(self) -> None:
        self._writer.transport.abort()


@contextlib.asynccontextmanager
async def wires(port: int, count: int, *addresses: str) -> AsyncIterator[list[Wire]]:
    """So many connections of each address."""
    opened: list[Wire] = []
    try:
        for address in addresses or ("127.0.0.1",):
            opened += [await Wire.to(port, address) for _ in range(count)]
        yield opened
    finally:
        for wire in opened:
            wire.abort()
