"""Access records that are due: a change of a row enqueues one in its own transaction, until the store has it."""

import json
from typing import Any

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.domain.access_records import AccessRecord, RecordKind


def enqueue_record(connection: Connection, record: AccessRecord) -> None:
    """Enqueue the record for the store, in the transaction of the change that it describes."""
    body = None if record.fields is None else json.dumps(record.fields)
    connection.execute(
        sql.ENQUEUE_RECORD, {"kind": record.kind.value, "id": record.id, "version": record.version, "body": body}
    )


def due_record(connection: Connection, kind: RecordKind, record_id: str) -> AccessRecord | None:
    """The record that is due; None if none is."""
    row = connection.execute(sql.RECORD_DUE, {"kind": kind.value, "id": record_id}).fetchone()
    return None if row is None else _record_of(row)


def due_version(connection: Connection, kind: RecordKind, record_id: str) -> int:
    """The version of the record that is due, 0 if none is: what has no row begins after it."""
    record = due_record(connection, kind, record_id)
    return 0 if record is None else record.version


def due_records(connection: Connection, after: tuple[str, str], limit: int) -> list[AccessRecord]:
    """Those after a kind and id, in their order."""
    values = {"kind": after[0], "id": after[1], "limit": limit}
    return [_record_of(row) for row in connection.execute(sql.RECORDS_DUE, values).fetchall()]


def remove_due(connection: Connection, record: AccessRecord) -> bool:
    """Whether this version was due until now, and none is any more."""
    values = {"kind": record.kind.value, "id": record.id, "version": record.version}
    return connection.execute(sql.MARK_RECORD_WRITTEN, values).rowcount == 1


def _record_of(row: tuple[Any, ...]) -> AccessRecord:
    kind, record_id, version, body = row
    return AccessRecord(RecordKind(kind), record_id, version, None if body is None else json.loads(body))
