"""The rows of access records that the store doesn't have yet, each enqueued by the change that made it due."""

import json
from typing import Any

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
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
        return await self._readers.run(_get, kind, record_id)

    async def due(self, after: AccessRecord | None = None, limit: int = 200) -> list[AccessRecord]:
        return await self._readers.run(_due, ("", "") if after is None else (after.kind.value, after.id), limit)

    async def confirm(self, record: AccessRecord) -> None:
        await self._writer.run(lambda connection: _confirm(connection, record))


def enqueue_record(connection: Connection, record: AccessRecord) -> None:
    """Enqueue the record for the store, in the transaction of the change that it describes."""
    body = None if record.fields is None else json.dumps(record.fields)
    connection.execute(
        sql.ENQUEUE_RECORD, {"kind": record.kind.value, "id": record.id, "version": record.version, "body": body}
    )


def due_version(connection: Connection, kind: RecordKind, record_id: str) -> int:
    """The version of the record that is due, 0 if none is: what has no row begins after it."""
    record = _get(connection, kind, record_id)
    return 0 if record is None else record.version


def _get(connection: Connection, kind: RecordKind, record_id: str) -> AccessRecord | None:
    row = connection.execute(sql.RECORD_DUE, {"kind": kind.value, "id": record_id}).fetchone()
    return None if row is None else _record_of(row)


def _due(connection: Connection, after: tuple[str, str], limit: int) -> list[AccessRecord]:
    values = {"kind": after[0], "id": after[1], "limit": limit}
    return [_record_of(row) for row in connection.execute(sql.RECORDS_DUE, values).fetchall()]


def _confirm(connection: Connection, record: AccessRecord) -> Outcome[None]:
    values = {"kind": record.kind.value, "id": record.id, "version": record.version}
    connection.execute(sql.MARK_RECORD_WRITTEN, values)
    return Outcome(None)


def _record_of(row: tuple[Any, ...]) -> AccessRecord:
    kind, record_id, version, body = row
    return AccessRecord(RecordKind(kind), record_id, version, None if body is None else json.loads(body))
