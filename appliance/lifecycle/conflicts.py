"""Compare-and-set on rows that others may change meanwhile: a shipper, a worker's verdict, the expiry."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from appliance.domain.errors import Conflict

T = TypeVar("T")
MAX_ATTEMPTS = 5


async def retry_on_conflict(attempt: Callable[[], Awaitable[T]]) -> T:
    """The result of `attempt`, which reads the row and changes it, and runs again where the row changed in between.

    Raises Conflict after five attempts; whatever else `attempt` raises.
    """
    for _ in range(MAX_ATTEMPTS - 1):
        try:
            return await attempt()
        except Conflict:
            continue
    return await attempt()
