"""The port of idempotency records."""

from typing import Protocol

from appliance.domain.model import IdempotencyRecord


class IdempotencyCatalogue(Protocol):
    """The first response to each Idempotency-Key. Records are added with the image or album they belong to."""

    async def get(self, key_hash: str) -> IdempotencyRecord | None:
        """The record of the key, until it is forgotten."""

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        """Forget records that were made before `before_s`, oldest first. Returns how many."""
