"""Wrong delete tokens: the answer to them comes late for an address that sent several. A right one is never held up.

A token has 128 bits and is not to be guessed; this keeps those who try from costing much. Tokens are looked at first,
for that is cheap, and somebody else may share the address. Addresses are kept in memory alone, for some minutes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.domain.errors import Busy, WrongToken

FREE_FAILURES = 10  # a person who mixes up links
FIRST_DELAY_S = 0.1
MAX_DELAY_S = 5.0
FORGET_AFTER_S = 600.0
MAX_WAITING = 4  # requests of one address
MAX_ADDRESSES = 10_000


@dataclass(slots=True)
class _Address:
    failures: int = 0
    last_s: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def delay_s(self) -> float:
        """How late the answer to the last wrong token is: twice as late as the one before."""
        over = self.failures - FREE_FAILURES
        return min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(over - 1, 10)) if over > 0 else 0.0


class WrongTokenDelay:
    """Who sent wrong tokens. Touched by the event loop's thread alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._addresses: OrderedDict[str, _Address] = OrderedDict()

    @asynccontextmanager
    async def delayed(self, address: str) -> AsyncIterator[None]:
        """Around whatever looks at a token. Raises Busy for a wrong one when several of the address wait already."""
        try:
            yield
        except WrongToken:
            await self._delay(self._record_failure(address))
            raise

    def _record_failure(self, address: str) -> _Address:
        known = self._addresses.setdefault(address, _Address())
        if not known.waiting and self._clock() - known.last_s > FORGET_AFTER_S:
            known.failures = 0
        known.failures, known.last_s = known.failures + 1, self._clock()
        self._addresses.move_to_end(address)
        if len(self._addresses) > MAX_ADDRESSES:
            self._addresses.popitem(last=False)
        return known

    async def _delay(self, known: _Address) -> None:
        """One answer after the other."""
        if not (delay_s := known.delay_s):
            return
        if known.waiting >= MAX_WAITING:
            raise Busy(
                "Too many wrong delete tokens from your address. Try again in a moment.",
                retry_after_s=max(1, round(MAX_DELAY_S)),
            )
        known.waiting += 1
        try:
            async with known.lock:
                await asyncio.sleep(delay_s)
        finally:
            known.waiting -= 1
