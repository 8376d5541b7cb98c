"""A lane: a few threads on which passphrases are hashed, in turn for the networks that wait."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from appliance.domain.errors import Busy
from appliance.shared.client_limiter import ClientLimiter
from appliance.shared.threads import Threads

RETRY_AFTER_S = 2
Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")
Turn = asyncio.Future[None]


class HashingLane:
    """Runs calls on `threads` threads. At most `max_calls` run and wait, a few of one network.

    Networks are served in turn. When the lane is full, one that has fewer waiting takes the place of the newest call of
    the one that has most. `what` says in errors what the calls do. Used from the event loop only.
    """

    def __init__(self, what: str, *, threads: int, max_calls: int) -> None:
        self._what = what
        self._max_calls = max_calls
        self._threads = Threads("passphrases", threads)
        self._idle = threads
        self._limiter = ClientLimiter(what, RETRY_AFTER_S)
        self._waiting: OrderedDict[str, deque[Turn]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        """How many calls run or wait."""
        return self._count

    async def close(self) -> None:
        await self._threads.close()

    def require_room(self, network: str) -> None:
        """Raises Busy if a call of the network's would be refused now."""
        self._limiter.check(network, self._max_calls)
        if self._count >= self._max_calls and self._crowd(network) is None:
            raise self._busy()

    async def run(self, network: str, call: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """The call's result. One that was begun keeps its thread, even if its caller has left. Raises Busy."""
        turn = self._enter(network)
        try:
            await turn
        except BaseException:
            if turn in self._waiting.get(network, ()):
                self._drop(network, turn)
            elif not turn.cancelled() and turn.exception() is None:  # the caller left when its turn had come
                self._end(network)
            raise
        running = asyncio.ensure_future(self._threads.run(call, *arguments))
        running.add_done_callback(lambda _running: self._end(network))
        return await asyncio.shield(running)

    def _enter(self, network: str) -> Turn:
        self.require_room(network)
        turn: Turn = asyncio.get_running_loop().create_future()
        if self._count >= self._max_calls and (crowd := self._crowd(network)) is not None:
            displaced = self._waiting[crowd][-1]
            self._drop(crowd, displaced)
            displaced.set_exception(self._busy())
        self._limiter.take(network)
        self._count += 1
        if self._idle:
            self._idle -= 1
            turn.set_result(None)
        else:
            self._waiting.setdefault(network, deque()).append(turn)
        return turn

    def _end(self, network: str) -> None:
        """Give the place back, and the thread to the network whose turn it is."""
        self._give_back(network)
        while self._waiting:
            following, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[following] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
            self._give_back(following)  # its caller has left
        self._idle += 1

    def _drop(self, network: str, turn: Turn) -> None:
        turns = self._waiting[network]
        turns.remove(turn)
        if not turns:
            del self._waiting[network]
        self._give_back(network)

    def _give_back(self, network: str) -> None:
        self._limiter.give_back(network)
        self._count -= 1

    def _crowd(self, network: str) -> str | None:
        """The network that has most waiting, if that is more than this one would have."""
        most = max(self._waiting, key=lambda each: len(self._waiting[each]), default=None)
        if most is None or len(self._waiting[most]) <= len(self._waiting.get(network, ())) + 1:
            return None
        return most

    def _busy(self) -> Busy:
        return Busy(
            f"{self._count} {self._what}, which is the limit of this host. Try again in a few seconds.",
            limit=self._max_calls,
            actual=self._count,
            retry_after_s=RETRY_AFTER_S,
        )
