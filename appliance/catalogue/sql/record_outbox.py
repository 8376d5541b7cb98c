"""The outbox of access records: what the store has to get, and what it has to get again."""

from appliance.catalogue.sql.access_records import record_of_row
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.due_records import due_record, due_records, enqueue_record, remove_due
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.writer import Writer
from appliance.domain.access_records import AccessRecord, RecordKind


class RecordRows:
    """A `RecordOutbox`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def get(self, kind: RecordKind, record_id: str) -> AccessRecord | None:
        return await self._readers.run(due_record, kind, record_id)

    async def due(self, after: AccessRecord | None = None, limit: int = 200) -> list[AccessRecord]:
        return await self._readers.run(due_records, ("", "") if after is None else (after.kind.value, after.id), limit)

    async def confirm(self, record: AccessRecord) -> AccessRecord | None:
        return await self._writer.run(lambda connection: _confirm(connection, record))

    async def enqueue_newer(self, record: AccessRecord) -> None:
        await self._writer.run(lambda connection: Outcome(_enqueue_newer(connection, record)))


def _confirm(connection: Connection, record: AccessRecord) -> Outcome[AccessRecord | None]:
    return Outcome(None if remove_due(connection, record) else _enqueue_newer(connection, record))


def _enqueue_newer(connection: Connection, record: AccessRecord) -> AccessRecord | None:
    """The record that is due, or else that of the row, which is due from now on; None unless it is a newer one."""
    due = due_record(connection, record.kind, record.id)
    newest = due or record_of_row(connection, record)
    if newest.version == record.version or (newest.fields is None and record.fields is None):
        return None
    if due is None:
        enqueue_record(connection, newest)
    return newest
