"""Waiting for something that tells nobody when it changes: a file, a metric, a process, another server."""

import asyncio
from collections.abc import Awaitable, Callable

WITHIN_S = 60.0
POLL_S = 0.005


async def until(
    reached: Callable[[], bool | Awaitable[bool]], what: str = "a change", within_s: float = WITHIN_S
) -> None:
    """Returns once `reached()` is true; the test fails with `what` when that doesn't happen in time."""
    try:
        async with asyncio.timeout(within_s):
            while not await _is(reached()):  # noqa: ASYNC110 - what is waited for sends no event
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise AssertionError(f"waited {within_s:g} s in vain for {what}") from None


async def _is(verdict: bool | Awaitable[bool]) -> bool:
    return verdict if isinstance(verdict, bool) else await verdict
