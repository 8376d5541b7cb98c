"""A flood of uploads that nobody wants, from any number of addresses, at a rate that doesn't care about the answers.

A process of its own (`main`): it floods for the time that is asked for, then prints what the answers were and how
long the processor worked for it. The first addresses are the loopback's own (127.1.0.0/16), one connection each; beyond
`ALIASES`, where the machine would run out of ports, a trusted proxy's connections carry them in X-Forwarded-For.
"""

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter

from benchmarks.harness import distinct
from benchmarks.load.kept_connections import NOISE
from tests.support.images.pictures import photo

ALIASES = 100
BYTES = 1_000_000
BLOCK_BYTES = 65_536
PATIENCE_S = 10.0
AT_ONCE = 200
BROKEN, WAITING = "broken", "not sent, for all were waiting"
PROXY = "127.0.0.1"


class Flooder:
    """Sends uploads to a port, each from the next of its addresses."""

    def __init__(self, port: int, addresses: int) -> None:
        self._port = port
        self._addresses = addresses
        self._small = photo(640, 480)
        self._numbers = iter(range(10**9))
        self._chance = random.Random(addresses)
        self.answers: Counter[str] = Counter()
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, rate: float, seconds: float) -> None:
        """So many uploads a second; what can't be sent for want of an answer to those before is counted too."""
        began_s = time.monotonic()
        while (now_s := time.monotonic() - began_s) < seconds:
            for _ in range(int(now_s * rate) - self.answers.total() - len(self._running)):
                if len(self._running) >= AT_ONCE:
                    self.answers[WAITING] += 1
                else:
                    task = asyncio.create_task(self._one())
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
            await asyncio.sleep(0.005)
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _one(self) -> None:
        number = next(self._numbers)
        try:
            async with asyncio.timeout(PATIENCE_S):
                self.answers[await self._upload(number)] += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            self.answers[BROKEN] += 1

    async def _upload(self, number: int) -> str:
        place = number % self._addresses
        by_alias = self._addresses <= ALIASES
        source = f"127.1.{place % 256}.1" if by_alias else PROXY
        forwarded = "" if by_alias else f"X-Forwarded-For: 10.{place >> 8 & 255}.{place & 255}.1\r\n"
        head = (
            f"POST /api/v1/images?filename=a.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: {BYTES}\r\n"
            f"{forwarded}Connection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, local_addr=(source, 0))
        try:
            return await self._answer(reader, writer, head.encode(), distinct(self._small, number))
        finally:
            writer.transport.abort()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, file: bytes
    ) -> str:
        """The status of the answer; the body ends where the answer comes before it was sent."""
        at = self._chance.randrange(len(NOISE) - BYTES)
        end = at + BYTES - len(file)
        writer.write(head + file)
        line = asyncio.ensure_future(reader.readline())
        try:
            with contextlib.suppress(OSError):
                await asyncio.sleep(0.001)
                while not line.done() and at < end:
                    block = NOISE[at : min(at + BLOCK_BYTES, end)]
                    writer.write(bytes(block))
                    at += len(block)
                    await writer.drain()
            return str((await line).split()[1], "ascii")
        except IndexError:
            return BROKEN
        finally:
            line.cancel()


def main() -> None:
    """Flood the host at a port: `PORT ADDRESSES RATE SECONDS`; prints `begun`, then what came as JSON."""
    port, addresses, rate, seconds = sys.argv[1:]
    flooder = Flooder(int(port), int(addresses))
    print("begun", flush=True)
    asyncio.run(flooder.run(float(rate), float(seconds)))
    print(json.dumps({"answers": flooder.answers, "cpu_s": time.process_time()}), flush=True)
