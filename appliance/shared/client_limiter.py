"""Client limiter: how much of one thing each client may hold, so that none keeps the others out.

Clients are held in memory only, and only while they hold something.
"""

from collections import Counter

from appliance.domain.clients import HOST
from appliance.domain.errors import Busy

SHARES = 4
MIN_SHARE = 8  # of a small limit one client may hold more than a quarter: it is probably the only one


def share_of(limit: int) -> int:
    """How many of `limit` one client may hold."""
    return min(limit, max(MIN_SHARE, limit // SHARES))


def refuse_beyond_share(held: int, limit: int, what: str, retry_after_s: int) -> None:
    """Raises Busy for a client that holds its share of `limit` already."""
    share = share_of(limit)
    if held >= share:
        raise Busy(
            f"{held:,} {what} from your address, which is the limit. Try again later.",
            limit=share,
            actual=held,
            retry_after_s=retry_after_s,
        )


class ClientLimiter:
    """Counts what each client holds of one thing. This host itself (`HOST`) is not counted."""

    def __init__(self, what: str, retry_after_s: int) -> None:
        self._what = what
        self._retry_after_s = retry_after_s
        self._held: Counter[str] = Counter()

    def has_room(self, client: str, limit: int) -> bool:
        """Whether the client has less than its share of `limit`."""
        return client == HOST or self._held[client] < share_of(limit)

    def check(self, client: str, limit: int) -> None:
        """Raises Busy when the client has its share of `limit` already."""
        refuse_beyond_share(0 if client == HOST else self._held[client], limit, self._what, self._retry_after_s)

    def take(self, client: str) -> None:
        """Count one more for the client."""
        if client != HOST:
            self._held[client] += 1

    def give_back(self, client: str) -> None:
        """Count one less for the client."""
        if client != HOST and self._held[client] > 1:
            self._held[client] -= 1
        else:
            self._held.pop(client, None)

    def held(self, client: str) -> int:
        """How much the client holds."""
        return self._held.get(client, 0)
