"""The port of access keys."""

from collections.abc import Callable
from typing import Protocol

from appliance.domain.access_keys import AccessKey, KeyUsage


class KeyCatalogue(Protocol):
    """Access keys, by id, and what was uploaded with each. A revoked key is kept, so that nothing brings it back.

    Every change makes the key's record due in the same moment.
    """

    async def add(self, key: AccessKey) -> None:
        """Add a key. Raises Conflict if its id is in use, or if another key that isn't revoked has its name."""

    async def get(self, key_id: str) -> AccessKey | None:
        """The key, revoked and expired ones included."""

    async def usage(self, key_id: str) -> KeyUsage:
        """What was uploaded with the key; nothing if there is no such key."""

    async def all(self) -> list[AccessKey]:
        """Every key, in the order in which they were made."""

    async def change(self, key_id: str, change: Callable[[AccessKey], AccessKey]) -> AccessKey:
        """The key as `change` made it, with the next version. Raises UnknownKey, and what `change` raises.

        `change` may run on another thread.
        """
