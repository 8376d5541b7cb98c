"""Shares: how much of what this host gives at once goes to one address, so that nobody keeps all others out.

Addresses are kept in memory alone, and only while they hold something.
"""

from collections import Counter

from appliance.errors import Busy

SHARES = 4
LEAST = 8  # of a small number one address may have more than a quarter: most likely it is the only one


def share_of(most: int) -> int:
    """How many of `most` one address may hold."""
    return min(most, max(LEAST, most // SHARES))


def refuse_beyond_share(held: int, most: int, what: str, retry_after_s: int) -> None:
    """Raises Busy for an address that holds its share of `most` already."""
    share = share_of(most)
    if held >= share:
        raise Busy(
            f"{held:,} {what} from your address, which is the limit. Try again later.",
            limit=share,
            actual=held,
            retry_after_s=retry_after_s,
        )


class Shares:
    """Who holds how much of one thing. A holder without a name is this host itself, and is not counted."""

    def __init__(self, what: str, retry_after_s: int) -> None:
        self._what = what
        self._retry_after_s = retry_after_s
        self._held: Counter[str] = Counter()

    def has_room(self, holder: str, most: int) -> bool:
        """Whether the holder has less than its share of `most`."""
        return not holder or self._held[holder] < share_of(most)

    def check(self, holder: str, most: int) -> None:
        """Raises Busy when the holder has its share of `most` already."""
        refuse_beyond_share(self._held[holder] if holder else 0, most, self._what, self._retry_after_s)

    def take(self, holder: str) -> None:
        if holder:
            self._held[holder] += 1

    def give_back(self, holder: str) -> None:
        if holder and self._held[holder] > 1:
            self._held[holder] -= 1
        else:
            self._held.pop(holder, None)

    def held(self, holder: str) -> int:
        """How much it holds."""
        return self._held.get(holder, 0)
