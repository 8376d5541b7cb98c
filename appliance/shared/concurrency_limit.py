"""Concurrency limit: how many transfers of one kind may run at once, shared so that a few clients keep none out.

A client holds at most its share of the permits (`client_limiter`). When none is left, a client that holds fewer still
gets one, and the slowest transfer of the client with the largest number ends for it. So a client without a permit is
never refused while another one has two.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from appliance.domain.clients import HOST
from appliance.domain.errors import Busy
from appliance.shared.client_limiter import refuse_beyond_share

SETTLING_S = 5.0  # a younger transfer hasn't shown its speed yet


class Permit:
    """Permission for one transfer, and a record of its speed. `began_s` is the event loop's time when it was given.

    `on_moved` is called with each count of bytes, and may raise to end the transfer.
    """

    __slots__ = ("_moved_bytes", "began_s", "client", "on_moved", "scope")

    def __init__(self, client: str, scope: asyncio.Timeout, now_s: float) -> None:
        self.client = client
        self.scope = scope
        self.began_s = now_s
        self.on_moved: Callable[[int], None] | None = None
        self._moved_bytes = 0

    def moved(self, count: int) -> None:
        """Note that so many bytes were transferred."""
        self._moved_bytes += count
        if self.on_moved is not None:
            self.on_moved(count)

    async def counted(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same stream, with its bytes noted."""
        async for chunk in stream:
            self.moved(len(chunk))
            yield chunk

    def speed(self, now_s: float) -> tuple[bool, float]:
        """A sort key: the slowest first, and transfers too young to judge last."""
        age_s = now_s - self.began_s
        return age_s < SETTLING_S, self._moved_bytes / max(age_s, 0.001)


class ConcurrencyLimit:
    """Gives out `limit` permits. This host itself (`HOST`) has no share to stay within."""

    def __init__(self, what: str, limit: int, retry_after_s: int) -> None:
        self.limit = limit
        self._what = what
        self._retry_after_s = retry_after_s
        self._held: dict[str, set[Permit]] = {}
        self._in_use = 0

    @property
    def in_use(self) -> int:
        """How many permits are held."""
        return self._in_use

    def check(self, client: str) -> None:
        """Raises Busy where `permit` would."""
        mine = len(self._held.get(client, ()))
        if client != HOST:
            refuse_beyond_share(mine, self.limit, self._what, self._retry_after_s)
        if self._in_use >= self.limit and self._yielding(mine) is None:
            raise self._busy(f"{self._in_use:,} {self._what}, which is the limit of this host.")

    @asynccontextmanager
    async def permit(self, client: str) -> AsyncIterator[Permit]:
        """Hold a permit. Raises Busy when there is none, and inside the block when another client gets it."""
        self.check(client)
        scope = asyncio.timeout(None)
        try:
            async with scope:
                permit = self._take(client, scope)
                try:
                    yield permit
                finally:
                    self._give_back(permit)
        except TimeoutError as fault:
            if not scope.expired():
                raise
            raise self._busy(
                f"{self.limit:,} {self._what}, which is the limit of this host. Yours was one of the slowest from an "
                "address with many, so it was stopped to let another one in."
            ) from fault

    def _take(self, client: str, scope: asyncio.Timeout) -> Permit:
        now_s = asyncio.get_running_loop().time()
        if self._in_use >= self.limit:
            fullest = self._yielding(len(self._held.get(client, ())))
            assert fullest is not None, "it was checked, and nothing else ran since"
            slowest = min(fullest, key=lambda permit: permit.speed(now_s))
            self._give_back(slowest)
            slowest.scope.reschedule(now_s)
        permit = Permit(client, scope, now_s)
        self._held.setdefault(client, set()).add(permit)
        self._in_use += 1
        return permit

    def _give_back(self, permit: Permit) -> None:
        """Free the permit, unless it was taken away before."""
        held = self._held.get(permit.client, set())
        if permit not in held:
            return
        self._in_use -= 1
        held.remove(permit)
        if not held:
            del self._held[permit.client]

    def _yielding(self, mine: int) -> set[Permit] | None:
        """The permits of the client that holds most, if a client that holds `mine` may take one of them."""
        fullest = max((held for client, held in self._held.items() if client != HOST), key=len, default=None)
        return fullest if fullest is not None and len(fullest) > mine + 1 else None

    def _busy(self, detail: str) -> Busy:
        return Busy(
            f"{detail} Try again in a few seconds.",
            limit=self.limit,
            actual=self._in_use,
            retry_after_s=self._retry_after_s,
        )
