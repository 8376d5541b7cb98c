"""Delaying the response to wrong delete tokens, access keys and passphrases from an address that has sent several.

A token has 128 bits, so it can't be guessed; the delay keeps guessing from costing the server much. How many
passphrases may be guessed is in `locks.guesses`. Both are checked first, and a right one is never delayed, because
several people may share an address. Addresses are kept in memory only, for some minutes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from appliance.domain.errors import Busy, KeyInvalid, WrongPassphrase, WrongToken

FREE_FAILURES = 10  # for a person who mixes up links
FIRST_DELAY_S = 0.1
MAX_DELAY_S = 5.0
FORGET_AFTER_S = 600.0
MAX_WAITING = 4  # responses to one address
MAX_ADDRESSES = 10_000


@dataclass(slots=True)
class TokenFailures:
    """The wrong tokens of one address."""

    count: int = 0
    last_s: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def delay_s(self) -> float:
        """The delay of the next response: double the one before."""
        over = self.count - FREE_FAILURES
        return min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** min(over - 1, 10)) if over > 0 else 0.0


class WrongTokenDelay:
    """Counts wrong tokens by address and delays the responses to them. Used from the event loop only."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        max_addresses: int = MAX_ADDRESSES,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._max_addresses = max_addresses
        self._failures: OrderedDict[str, TokenFailures] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses are known."""
        return len(self._failures)

    def failures_of(self, address: str) -> TokenFailures | None:
        return self._failures.get(address)

    @asynccontextmanager
    async def delayed(self, address: str) -> AsyncIterator[None]:
        """Delay a WrongToken, KeyInvalid or WrongPassphrase that is raised inside.

        Raises Busy instead if several of the address wait already.
        """
        try:
            yield
        except (WrongToken, KeyInvalid, WrongPassphrase):
            await self._delay(self._record_failure(address))
            raise

    def _record_failure(self, address: str) -> TokenFailures:
        failures = self._failures.setdefault(address, TokenFailures())
        if not failures.waiting and self._clock() - failures.last_s > FORGET_AFTER_S:
            failures.count = 0
        failures.count, failures.last_s = failures.count + 1, self._clock()
        self._failures.move_to_end(address)
        if len(self._failures) > self._max_addresses:
            self._failures.popitem(last=False)
        return failures

    async def _delay(self, failures: TokenFailures) -> None:
        """Wait; the responses to one address go out one after the other."""
        if not (delay_s := failures.delay_s):
            return
        if failures.waiting >= MAX_WAITING:
            raise Busy(
                "Too many wrong tokens, keys or passphrases from your address. Try again in a moment.",
                retry_after_s=max(1, round(MAX_DELAY_S)),
            )
        failures.waiting += 1
        try:
            async with failures.lock:
                await self._sleep(delay_s)
        finally:
            failures.waiting -= 1
