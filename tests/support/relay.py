"""A TCP relay that cuts connections."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Relay:
    """Passes TCP on, and cuts some connections after a random number of bytes that the client sent.

    `passed_bytes` counts what clients sent through it; it passes nothing more of that while `flowing` is not set.
    """

    port: int
    seed: int
    share: float = 0.34
    least: int = 2_000  # so that a request without a body comes through
    most: int = 300_000
    pause_s: float = 0.0
    cut: int = 0
    passed_bytes: int = 0
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    _choose: random.Random = field(init=False)
    _passing: set["asyncio.Task[None]"] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self._choose = random.Random(self.seed)
        self.flowing.set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        """Its URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(self._pass(reader, writer))
        self._passing.add(passing)
        with contextlib.suppress(asyncio.CancelledError):  # streams take a cancelled task for a fault
            await passing
        writer.transport.abort()
        self._passing.discard(passing)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        budget = self._choose.randint(self.least, self.most) if self._choose.random() < self.share else 1 << 62
        try:
            above, below = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return
        back = asyncio.create_task(_pass_on(above, writer))
        try:
            while budget and (data := await reader.read(min(65_536, budget))):
                budget -= len(data)
                self.passed_bytes += len(data)
                below.write(data)
                await below.drain()
                await asyncio.sleep(self.pause_s)
                await self.flowing.wait()
        except ConnectionError:
            pass
        finally:
            try:
                if not budget:
                    self.cut += 1
                elif not back.done():
                    below.write_eof() if below.can_write_eof() and not below.is_closing() else None
                    await asyncio.wait([back], timeout=10)
            finally:
                back.cancel()
                below.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()  # also when the server was killed with bytes unread, or its client would wait for ever
