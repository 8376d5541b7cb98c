"""The rows of bans."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.catalogue.sql import ban_statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.due_records import due_version, enqueue_record
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.writer import Writer
from appliance.domain.access_records import AccessRecord, RecordKind
from appliance.domain.bans import UNREADABLE_VERSION, Ban, ban_of, id_of, record_of, subject_of
from appliance.domain.errors import UnknownBan


class BanRows:
    """A `BanCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def put(self, ban: Ban) -> Ban:
        return await self._writer.run(lambda connection: _put(connection, ban))

    async def end(self, subject: str, now_s: int) -> Ban:
        return await self._writer.run(lambda connection: _end(connection, subject, now_s))

    async def all(self) -> list[Ban]:
        return await self._readers.run(_all)

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        return await self._writer.run(lambda connection: _forget(connection, before_s, limit))


def upsert_ban(connection: Connection, record: AccessRecord) -> None:
    """Add the ban of the record, or bring its row up to it. One whose record can't be read has no end."""
    values = _values(ban_of(record))
    connection.execute(sql.ADD_BAN_IF_ABSENT, values)
    if record.version == UNREADABLE_VERSION:
        connection.execute(sql.LET_BAN_LAST, {"id": record.id})
    else:
        connection.execute(sql.CHANGE_BAN_IF_OLDER, values)


def _put(connection: Connection, ban: Ban) -> Outcome[Ban]:
    known = find_ban(connection, ban.id)
    before = due_version(connection, RecordKind.BAN, ban.id) if known is None else known.version
    return Outcome(_write(connection, replace(ban, version=before + 1)))


def _end(connection: Connection, subject: str, now_s: int) -> Outcome[Ban]:
    ban = find_ban(connection, id_of(subject))
    if ban is None or not ban.is_in_force(now_s):
        raise UnknownBan(f"There is no ban of {subject:.80} itself. See `appliance ban list`, also for wider ones.")
    return Outcome(_write(connection, replace(ban, until_s=now_s, version=ban.version + 1)))


def _write(connection: Connection, ban: Ban) -> Ban:
    connection.execute(sql.PUT_BAN, _values(ban))
    enqueue_record(connection, record_of(ban))
    return ban


def _forget(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    ended = [_ban_of(row) for row in connection.execute(sql.ENDED_BANS, {"before_s": before_s, "limit": limit})]
    for ban in ended:
        connection.execute(sql.FORGET_BAN, {"id": ban.id})
        enqueue_record(connection, AccessRecord(RecordKind.BAN, ban.id, ban.version + 1, None))
    return Outcome(len(ended))


def find_ban(connection: Connection, ban_id: str) -> Ban | None:
    """The ban with this id, ended or not."""
    row = connection.execute(sql.BAN, {"id": ban_id}).fetchone()
    return None if row is None else _ban_of(row)


def _all(connection: Connection) -> list[Ban]:
    return [_ban_of(row) for row in connection.execute(sql.BANS)]


def _values(ban: Ban) -> Mapping[str, Any]:
    return {
        "id": ban.id,
        "reason": ban.reason,
        "created_s": ban.created_s,
        "until_s": ban.until_s,
        "views": ban.views,
        "version": ban.version,
    }


def _ban_of(row: tuple[Any, ...]) -> Ban:
    ban_id, reason, created_s, until_s, views, version = row
    return Ban(subject_of(ban_id), reason, created_s, until_s, bool(views), version)
