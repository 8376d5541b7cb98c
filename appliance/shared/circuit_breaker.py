"""A circuit breaker: while a service fails, callers wait, and one at a time finds out whether it works again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum


class State(StrEnum):
    """What a breaker does with calls."""

    CLOSED = "closed"
    """All pass."""
    OPEN = "open"
    """They wait, while probes ask whether the service answers."""
    HALF_OPEN = "half-open"
    """It answers, and one call shows whether it works."""


Listener = Callable[[State], None]


class CircuitBreaker:
    """`trip` and `reset` report how calls went; `permit` holds back the calls that can wait.

    `probe` returns whether the service answers, and never raises. Pauses between probes double from
    `first_pause_s` up to `max_pause_s`.
    Used by the event loop's thread alone.
    """

    def __init__(
        self,
        probe: Callable[[], Awaitable[bool]],
        *,
        first_pause_s: float,
        max_pause_s: float,
    ) -> None:
        self._probe = probe
        self.first_pause_s = first_pause_s
        self.max_pause_s = max_pause_s
        self._pause_s = 0.0
        self._closed = asyncio.Event()
        self._closed.set()
        self._probing = asyncio.Lock()
        self._is_on_trial = False
        self._listeners: list[Listener] = []

    @property
    def state(self) -> State:
        if self._closed.is_set():
            return State.CLOSED
        return State.HALF_OPEN if self._is_on_trial else State.OPEN

    def subscribe(self, listener: Listener) -> None:
        """Call the listener whenever the breaker opens or closes."""
        self._listeners.append(listener)

    def trip(self) -> None:
        """Open: the service failed, so calls wait."""
        if self._closed.is_set():
            self._closed.clear()
            self._notify(State.OPEN)

    def reset(self) -> None:
        """Close: the service works, so calls pass."""
        if not self._closed.is_set():
            self._closed.set()
            self._notify(State.CLOSED)

    @asynccontextmanager
    async def permit(self, *, alone: bool) -> AsyncIterator[None]:
        """Hold the block until it may run: at once while closed, otherwise one by one as the service answers.

        With `alone`, no other block starts before this one has ended.
        """
        if self._closed.is_set():
            self._pause_s = 0.0
            yield
            return
        async with self._probing:
            await self._until_it_answers()
            if alone and not self._closed.is_set():
                with self._trial():
                    yield
                return
        yield

    async def probe(self) -> None:
        """Probe now, unless a waiting caller does so already."""
        if not self._probing.locked():
            async with self._probing:
                await self._probe()

    async def _until_it_answers(self) -> None:
        """Pause and probe in turn, until a probe succeeds or the breaker is closed."""
        while not self._closed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s):
                    await self._closed.wait()
            self._pause_s = min(self.max_pause_s, max(self.first_pause_s, 2 * self._pause_s))
            if self._closed.is_set() or await self._probe():
                return

    @contextmanager
    def _trial(self) -> Iterator[None]:
        self._is_on_trial = True
        try:
            yield
        finally:
            self._is_on_trial = False

    def _notify(self, state: State) -> None:
        for listener in self._listeners:
            listener(state)
