"""Rows from access records of the store, each written unless the row is as new already; and records from rows."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.bans import find_ban, upsert_ban
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.image_queries import resolve
from appliance.catalogue.sql.invites import find_invite, invite_values
from appliance.catalogue.sql.keys import find_key, key_values
from appliance.catalogue.sql.lock_mark import mark
from appliance.domain import access_keys, bans, image_locks, invites
from appliance.domain.access_keys import key_of
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.image_locks import UNREADABLE_VERSION, lock_of
from appliance.domain.invites import invite_of
from appliance.domain.model import Image


def upsert_record(connection: Connection, record: AccessRecord) -> None:
    """Add what the record describes, or bring its row up to it."""
    _WRITERS[record.kind](connection, record)


def record_of_row(connection: Connection, known: AccessRecord) -> AccessRecord:
    """What the store has to know now of the same thing. It is gone if it has no row any more."""
    found = _READERS[known.kind](connection, known.id)
    return replace(known, version=known.version + 1, fields=None) if found is None else found


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


def _key_record(connection: Connection, key_id: str) -> AccessRecord | None:
    key = find_key(connection, key_id)
    return None if key is None else access_keys.record_of(key)


def _invite_record(connection: Connection, invite_id: str) -> AccessRecord | None:
    invite = find_invite(connection, invite_id)
    return None if invite is None else invites.record_of(invite)


def _ban_record(connection: Connection, ban_id: str) -> AccessRecord | None:
    ban = find_ban(connection, ban_id)
    return None if ban is None else bans.record_of(ban)


def _lock_record(connection: Connection, slug: str) -> AccessRecord | None:
    image = resolve(connection, slug)
    return image_locks.record_of(image) if isinstance(image, Image) else None


_READERS: Mapping[RecordKind, Callable[[Connection, str], AccessRecord | None]] = {
    RecordKind.KEY: _key_record,
    RecordKind.INVITE: _invite_record,
    RecordKind.BAN: _ban_record,
    RecordKind.LOCK: _lock_record,
}
