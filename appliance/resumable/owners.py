"""Owners: from which address each unfinished upload was begun, for none may have more than its share of them.

It is forgotten by a restart, for addresses are written down nowhere.
"""

from appliance.client_limiter import MIN_SHARE, ClientLimiter
from appliance.clients import HOST

RETRY_AFTER_S = 60


class Owners:
    """The owners of unfinished uploads, by the hashes of the uploads' ids."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._limiter = ClientLimiter("uploads are unfinished", RETRY_AFTER_S)
        self._owners: dict[str, str] = {}

    def take(self, id_hash: str, owner: str) -> None:
        """One more, until it is released. Raises Busy."""
        self._limiter.check(owner, self._most)
        self._limiter.take(owner)
        self._owners[id_hash] = owner

    def of(self, id_hash: str) -> str:
        """Whose it is; this host's own where nobody is known to own it."""
        return self._owners.get(id_hash, HOST)

    def has_several(self, owner: str) -> bool:
        """Whether it has as many as anybody may have at least."""
        return self._limiter.held(owner) >= MIN_SHARE

    def release(self, id_hash: str) -> None:
        """It has ended; one that nobody is known to own is none's."""
        if (owner := self._owners.pop(id_hash, None)) is not None:
            self._limiter.give_back(owner)
