"""Access records as objects: `records/{kind}/{id}.json`, each a JSON object with its version and its fields."""

import json
from collections.abc import Callable, Mapping

from appliance.domain import access_keys, bans, image_locks, invites
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.objectstore.records import MALFORMED, UnreadableRecord

RECORDS = "records/"
_READERS: Mapping[RecordKind, Callable[[AccessRecord], object]] = {
    RecordKind.KEY: access_keys.key_of,
    RecordKind.INVITE: invites.invite_of,
    RecordKind.BAN: bans.ban_of,
    RecordKind.LOCK: image_locks.lock_of,
}
"""What each kind's records must describe. A reader raises KeyError, TypeError or ValueError."""

_WITHOUT_CONTENT: Mapping[str, Callable[[str], AccessRecord]] = {
    RecordKind.BAN.value: bans.record_without_content,
    RecordKind.LOCK.value: image_locks.record_without_content,
}
"""What is left of a record whose content can't be read, by its id. Raises ValueError."""


def record_key(kind: RecordKind, record_id: str) -> str:
    """The key of the object."""
    return f"{RECORDS}{kind.value}/{record_id}.json"


def record_bytes(record: AccessRecord) -> bytes:
    """The object's content."""
    document = {**(record.fields or {}), "kind": record.kind.value, "id": record.id, "version": record.version}
    return json.dumps(document, sort_keys=True, indent=1).encode()


def record_from(key: str, content: bytes) -> AccessRecord:
    """The record in the object at `key`. Raises UnreadableRecord."""
    try:
        document = json.loads(content)
        kind, record_id, version = (document.pop(name) for name in ("kind", "id", "version"))
        record = AccessRecord(RecordKind(kind), str(record_id), int(version), document)
        _READERS[record.kind](record)
    except MALFORMED as error:
        raise UnreadableRecord(f"{key} does not describe an access record: {error!r}") from error
    if key != record_key(record.kind, record.id):
        raise UnreadableRecord(f"{key} describes something else, {record_key(record.kind, record.id)}")
    return record


def unreadable_record(key: str) -> AccessRecord | None:
    """What stays in force of the record at `key` that can't be read: a ban, or a lock. None for anything else."""
    folder, _, name = key.rpartition("/")
    without_content = _WITHOUT_CONTENT.get(folder.removeprefix(RECORDS))
    try:
        return None if without_content is None else without_content(name.removesuffix(".json"))
    except ValueError:
        return None
