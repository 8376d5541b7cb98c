"""Wrong delete tokens: an address that sent several waits before its next one is looked at. Others never wait for it.

A token has 128 bits and is not to be guessed; this keeps those who try from costing much. Addresses are kept in memory
alone, and for some minutes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.errors import Busy, WrongToken

FREE = 10  # a person who mixes up links
FIRST_S = 0.1
MAX_S = 5.0
FORGOTTEN_S = 600.0
MAX_WAITING = 4  # requests of one address
MAX_ADDRESSES = 10_000


@dataclass(slots=True)
class _Address:
    failures: int = 0
    last_s: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def until_s(self) -> float:
        """When its next token is looked at: each wrong one doubles the pause."""
        return self.last_s + min(MAX_S, FIRST_S * 2.0 ** min(self.failures - FREE, 10))


class WrongTokens:
    """Who sent wrong tokens. Touched by the event loop's thread alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    @asynccontextmanager
    async def patience(self, address: str) -> AsyncIterator[None]:
        """Around whatever looks at a token. Raises Busy when several of the same address wait already."""
        known = self._known(address)
        if known is None or known.failures < FREE:
            async with self._noted(address):
                yield
            return
        if known.waiting >= MAX_WAITING:
            raise Busy(
                "Many wrong delete tokens came from your address. Try again in a moment.",
                retry_after_s=max(1, round(MAX_S)),
            )
        known.waiting += 1
        try:
            async with known.lock:
                await asyncio.sleep(max(0.0, known.until_s() - self._clock()))
                async with self._noted(address):
                    yield
        finally:
            known.waiting -= 1

    @asynccontextmanager
    async def _noted(self, address: str) -> AsyncIterator[None]:
        try:
            yield
        except WrongToken:
            known = self._addresses.setdefault(address, _Address())
            known.failures, known.last_s = known.failures + 1, self._clock()
            self._addresses.move_to_end(address)
            if len(self._addresses) > MAX_ADDRESSES:
                self._addresses.popitem(last=False)
            raise

    def _known(self, address: str) -> _Address | None:
        known = self._addresses.get(address)
        if known is not None and not known.waiting and self._clock() - known.last_s > FORGOTTEN_S:
            del self._addresses[address]
            return None
        return known
