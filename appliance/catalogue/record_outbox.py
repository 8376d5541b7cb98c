"""The port of the record outbox: changes of keys, invites and the like that are not in the store yet."""

from typing import Protocol

from appliance.domain.access_records import AccessRecord, RecordKind


class RecordOutbox(Protocol):
    """Access records that the store doesn't have yet, each enqueued by the change of what it describes."""

    async def get(self, kind: RecordKind, record_id: str) -> AccessRecord | None:
        """The record that is due; None once the store has it."""

    async def due(self, after: AccessRecord | None = None, limit: int = 200) -> list[AccessRecord]:
        """Records that are due, in a stable order."""

    async def confirm(self, record: AccessRecord) -> AccessRecord | None:
        """The store knows of this version. Returns the newer one that it has to learn after it, which stays due.

        Where another node has confirmed that one already, this one may have replaced it, so it is due again.
        """

    async def enqueue_newer(self, record: AccessRecord) -> None:
        """The store may learn of this version later than it should. If there is a newer one, that is due again."""
