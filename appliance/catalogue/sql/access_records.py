"""Rows from access records of the store, each written unless the row is as new already."""

from collections.abc import Callable, Mapping
from dataclasses import asdict

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.bans import upsert_ban
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.invites import invite_values
from appliance.catalogue.sql.keys import key_values
from appliance.catalogue.sql.lock_mark import mark
from appliance.domain.access_keys import key_of
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.image_locks import UNREADABLE_VERSION, lock_of
from appliance.domain.invites import invite_of


def upsert_record(connection: Connection, record: AccessRecord) -> None:
    """Add what the record describes, or bring its row up to it."""
    _WRITERS[record.kind](connection, record)


def _upsert_key(connection: Connection, record: AccessRecord) -> None:
    values = key_values(key_of(record))
    connection.execute(sql.ADD_KEY, values)
    connection.execute(sql.CHANGE_KEY_IF_OLDER, values)


def _upsert_invite(connection: Connection, record: AccessRecord) -> None:
    values = invite_values(invite_of(record))
    connection.execute(sql.ADD_INVITE, values)
    connection.execute(sql.CHANGE_INVITE_IF_OLDER, values)


def _lock_image(connection: Connection, record: AccessRecord) -> None:
    """Lock the image, if it has a row. A record that can't be read replaces no lock that could be."""
    found = lock_of(record)
    mark(connection)
    statement = sql.LOCK_IMAGE_IF_OPEN if found.version == UNREADABLE_VERSION else sql.LOCK_IMAGE_IF_OLDER
    connection.execute(statement, asdict(found))


_WRITERS: Mapping[RecordKind, Callable[[Connection, AccessRecord], None]] = {
    RecordKind.KEY: _upsert_key,
    RecordKind.INVITE: _upsert_invite,
    RecordKind.BAN: upsert_ban,
    RecordKind.LOCK: _lock_image,
}
