"""Owners: from which address each unfinished upload was begun, for none may have more than its share of them.

It is forgotten by a restart, for addresses are written down nowhere.
"""

from appliance.clients import HOST
from appliance.shares import LEAST, Shares

RETRY_AFTER_S = 60


class Owners:
    """The owners of unfinished uploads, by the hashes of the uploads' ids."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._shares = Shares("uploads are unfinished", RETRY_AFTER_S)
        self._owners: dict[str, str] = {}

    def take(self, id_hash: str, owner: str) -> None:
        """One more, until it is released. Raises Busy."""
        self._shares.check(owner, self._most)
        self._shares.take(owner)
        self._owners[id_hash] = owner

    def of(self, id_hash: str) -> str:
        """Whose it is; this host's own where nobody is known to own it."""
        return self._owners.get(id_hash, HOST)

    def has_several(self, owner: str) -> bool:
        """Whether it has as many as anybody may have at least."""
        return self._shares.held(owner) >= LEAST

    def release(self, id_hash: str) -> None:
        """It has ended; one that nobody is known to own is none's."""
        if (owner := self._owners.pop(id_hash, None)) is not None:
            self._shares.give_back(owner)
