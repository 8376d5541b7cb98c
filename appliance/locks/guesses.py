"""Guesses: how many wrong passphrases one address, and everybody together for one lock, may send in ten minutes.

A passphrase is counted before it is checked, and forgotten when it was right, so that parallel guesses gain nothing.
Counts are in memory only. A bounded number is kept; the oldest are forgotten first.
"""

from cachetools import TTLCache

from appliance.domain.clock import Clock
from appliance.domain.errors import TooManyGuesses

WINDOW_S = 600
MAX_BY_CLIENT = 20
"""A person who mixes up passphrases, or several behind one address."""
MAX_BY_LOCK = 200
"""10.5 million guesses a year: a passphrase of five random words (64 bits) is safe for longer than images are kept."""
MAX_COUNTED = 20_000


class Guesses:
    """Counts wrong passphrases. Used from the event loop only."""

    def __init__(self, clock: Clock) -> None:
        self._counts: TTLCache[tuple[str, str], int] = TTLCache(MAX_COUNTED, WINDOW_S, timer=clock)

    def begin(self, client: str, slug: str) -> None:
        """Count a passphrase that is about to be checked. Raises TooManyGuesses, and then counts nothing."""
        for key, limit in _keys(client, slug):
            if (count := self._counts.get(key, 0)) >= limit:
                raise TooManyGuesses(limit=limit, actual=count, retry_after_s=WINDOW_S)
        for key, _ in _keys(client, slug):
            self._counts[key] = self._counts.get(key, 0) + 1

    def forgive(self, client: str, slug: str) -> None:
        """The passphrase was right, or was not checked."""
        for key, _ in _keys(client, slug):
            if (count := self._counts.get(key, 0)) > 1:
                self._counts[key] = count - 1
            else:
                self._counts.pop(key, None)


def _keys(client: str, slug: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return (("client", client), MAX_BY_CLIENT), (("lock", slug), MAX_BY_LOCK)
