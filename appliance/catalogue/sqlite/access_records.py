"""Rows from access records of the store, each written unless the row is as new already."""

import sqlite3
from collections.abc import Callable, Mapping

from appliance.catalogue.sqlite import statements as sql
from appliance.catalogue.sqlite.bans import upsert_ban
from appliance.catalogue.sqlite.invites import invite_values
from appliance.catalogue.sqlite.keys import key_values
from appliance.domain.access_keys import key_of
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.invites import invite_of


def upsert_record(connection: sqlite3.Connection, record: AccessRecord) -> None:
    """Add what the record describes, or bring its row up to it. Raises sqlite3.Error."""
    _WRITERS[record.kind](connection, record)


def _upsert_key(connection: sqlite3.Connection, record: AccessRecord) -> None:
    values = key_values(key_of(record))
    connection.execute(sql.ADD_KEY_IF_ABSENT, values)
    connection.execute(sql.CHANGE_KEY_IF_OLDER, values)


def _upsert_invite(connection: sqlite3.Connection, record: AccessRecord) -> None:
    values = invite_values(invite_of(record))
    connection.execute(sql.ADD_INVITE_IF_ABSENT, values)
    connection.execute(sql.CHANGE_INVITE_IF_OLDER, values)


_WRITERS: Mapping[RecordKind, Callable[[sqlite3.Connection, AccessRecord], None]] = {
    RecordKind.KEY: _upsert_key,
    RecordKind.INVITE: _upsert_invite,
    RecordKind.BAN: upsert_ban,
}
