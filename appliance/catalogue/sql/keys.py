"""The rows of access keys, and of what was uploaded with each."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.due_records import enqueue_record
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.rows import packed, unpacked
from appliance.catalogue.sql.writer import Writer
from appliance.domain.access_keys import AccessKey, KeyUsage, Scope, day_of, limits_of, record_of
from appliance.domain.errors import Conflict, KeyInvalid, UnknownKey
from appliance.domain.key_rules import require_valid, require_within
from appliance.domain.model import Image


class KeyRows:
    """A `KeyCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def add(self, key: AccessKey) -> None:
        await self._writer.run(lambda connection: _add(connection, key))

    async def get(self, key_id: str) -> AccessKey | None:
        return await self._readers.run(find_key, key_id)

    async def usage(self, key_id: str) -> KeyUsage:
        return await self._readers.run(_usage, key_id)

    async def all(self) -> list[AccessKey]:
        return await self._readers.run(_all)

    async def change(self, key_id: str, change: Callable[[AccessKey], AccessKey]) -> AccessKey:
        return await self._writer.run(lambda connection: _change(connection, key_id, change))


def charge(connection: Connection, image: Image) -> None:
    """Part of adding an image: count it for its key.

    Raises KeyInvalid where the key ended meanwhile, and as `require_within` does.
    """
    if image.access_key is None:
        return
    key = find_key(connection, image.access_key)
    if key is None:
        raise KeyInvalid
    require_valid(key, image.created_s)
    usage = _usage(connection, key.id)
    require_within(key, usage, image.bytes, image.created_s)
    set_usage(connection, key.id, usage.on(day_of(image.created_s)).with_image(image.bytes))


def give_back(connection: Connection, image: Image, *, images: int = 1) -> None:
    """Part of a larger change: so much of the image's is on the host no more. What came that day stays counted."""
    if image.access_key is not None:
        connection.execute(sql.GIVE_BACK, {"id": image.access_key, "images": images, "bytes": image.bytes})


def key_values(key: AccessKey) -> Mapping[str, Any]:
    """The parameters that write the key."""
    return {
        "id": key.id,
        "name": key.name,
        "secret_hash": packed(key.secret_hash),
        "former_hash": None if key.former_hash is None else packed(key.former_hash),
        "scopes": " ".join(key.scopes),
        "limits": json.dumps(asdict(key.limits)),
        "created_s": key.created_s,
        "expires_s": key.expires_s,
        "revoked_s": key.revoked_s,
        "version": key.version,
    }


def _add(connection: Connection, key: AccessKey) -> Outcome[None]:
    if connection.execute(sql.KEY_BY_NAME, {"name": key.name}).fetchone():
        raise Conflict(f"There is a key with the name “{key.name}” already. Choose another name, or revoke that key.")
    if connection.execute(sql.ADD_KEY, key_values(key)).rowcount != 1:
        raise Conflict("The generated id is already in use. Try again.")
    enqueue_record(connection, record_of(key))
    return Outcome(None)


def find_key(connection: Connection, key_id: str) -> AccessKey | None:
    """The key with this id, revoked or not."""
    row = connection.execute(sql.KEY, {"id": key_id}).fetchone()
    return None if row is None else _key_of(row)


def _usage(connection: Connection, key_id: str) -> KeyUsage:
    row = connection.execute(sql.KEY_USAGE, {"id": key_id}).fetchone()
    return KeyUsage() if row is None else KeyUsage(*row)


def _all(connection: Connection) -> list[AccessKey]:
    return [_key_of(row) for row in connection.execute(sql.KEYS).fetchall()]


def _change(connection: Connection, key_id: str, change: Callable[[AccessKey], AccessKey]) -> Outcome[AccessKey]:
    key = find_key(connection, key_id)
    if key is None:
        raise UnknownKey(f"There is no access key {key_id!r:.80}.")
    changed = replace(change(key), version=key.version + 1)
    connection.execute(sql.CHANGE_KEY, key_values(changed))
    enqueue_record(connection, record_of(changed))
    return Outcome(changed)


def set_usage(connection: Connection, key_id: str, usage: KeyUsage) -> None:
    """Put this in the place of what was counted for the key."""
    connection.execute(sql.SET_KEY_USAGE, {"id": key_id, **asdict(usage)})


def _key_of(row: tuple[Any, ...]) -> AccessKey:
    key_id, name, secret_hash, former_hash, scopes, limits, created_s, expires_s, revoked_s, version = row
    return AccessKey(
        id=key_id,
        name=name,
        secret_hash=unpacked(secret_hash),
        former_hash=None if former_hash is None else unpacked(former_hash),
        scopes=tuple(Scope(scope) for scope in scopes.split()),
        created_s=created_s,
        expires_s=expires_s,
        revoked_s=revoked_s,
        limits=limits_of(json.loads(limits)),
        version=version,
    )
