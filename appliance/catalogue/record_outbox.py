"""The port of the record outbox: changes of keys, invites and the like that are not in the store yet."""

from typing import Protocol

from appliance.domain.access_records import AccessRecord, RecordKind


class RecordOutbox(Protocol):
    """Access records that the store doesn't have yet, each enqueued by the change of what it describes."""

    async def get(self, kind: RecordKind, record_id: str) -> AccessRecord | None:
        """The record that is due; None once the store has it."""

    async def due(self, after: AccessRecord | None = None, limit: int = 200) -> list[AccessRecord]:
        """Records that are due, in a stable order."""

    async def confirm(self, record: AccessRecord) -> None:
        """The store knows of this version. A later one stays due."""
