"""The rows of resumable uploads: what can be asked of them, and what can be done to them."""

import sqlite3
from collections.abc import Sequence

from appliance.catalogue import statements as sql
from appliance.catalogue.readers import Readers
from appliance.catalogue.rows import Row, packed, refusal_text, upload_of, upload_values
from appliance.catalogue.writer import Outcome, Writer
from appliance.domain.errors import Conflict
from appliance.domain.model import Ending, Refusal, Tombstone, Upload, UploadState

Connection = sqlite3.Connection


class UploadRows:
    """Resumable uploads by the hash of their id. Changes are durable when they return; faults are the catalogue's."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def add(self, upload: Upload) -> None:
        """A new upload, whose hash and slug nobody has."""
        await self._writer.run(lambda connection: _add(connection, upload))

    async def get(self, id_hash: str) -> Upload | None:
        """The upload, ended ones included, until it is forgotten."""
        return await self._readers.run(_one, sql.UPLOAD, {"id_hash": packed(id_hash)})

    async def by_slug(self, slug: str) -> Upload | None:
        """The upload whose link it is, ended ones included."""
        return await self._readers.run(_one, sql.UPLOAD_BY_SLUG, {"slug": slug})

    async def set_length(self, id_hash: str, length: int) -> bool:
        """Set a deferred length, in bytes. False when it is known already, or the upload has ended."""
        return await self._writer.run(lambda connection: _set_length(connection, id_hash, length))

    async def set_edits(self, id_hash: str, edits: bytes, *, credentials: bool = False) -> None:
        """What is about to be overwritten in its file, and whether content credentials are among it."""
        await self._writer.run(lambda connection: _set_edits(connection, id_hash, edits, credentials))

    async def keep_until(self, id_hash: str, expires_s: int) -> None:
        """When an upload that is being received is given up."""
        await self._writer.run(lambda connection: _keep_until(connection, id_hash, expires_s))

    async def refuse(self, upload: Upload, refusal: Refusal, *, now_s: int, kept_until_s: int) -> bool:
        """Its bytes became no image, and its link is gone. False when it has ended already."""
        return await self._writer.run(
            lambda connection: _end(
                connection, upload, UploadState.REFUSED, refusal, now_s=now_s, kept_until_s=kept_until_s
            )
        )

    async def give_up(self, upload: Upload, *, now_s: int, kept_until_s: int, for_good: bool = True) -> bool:
        """Nothing more is taken and its link is gone. False when it had ended before; an image that it made stays.

        Unless `for_good`, the link is remembered no longer than the upload: it never led to anything.
        """
        return await self._writer.run(
            lambda connection: _end(
                connection,
                upload,
                UploadState.GONE,
                None,
                now_s=now_s,
                kept_until_s=kept_until_s,
                for_good=for_good,
            )
        )

    async def unfinished(self, now_s: int, most: int) -> int:
        """How many are being received and not overdue, counted up to `most`."""
        return await self._readers.run(_unfinished, now_s, most)

    async def due(self, now_s: int, *, after_s: int = 0, limit: int = 500) -> Sequence[Upload]:
        """Those being received whose time is over, longest overdue first, later than `after_s`."""
        return await self._readers.run(_due, now_s, after_s, limit)

    async def forget(self, now_s: int, limit: int = 1000) -> int:
        """Forget ended uploads that were kept long enough; says how many."""
        return await self._writer.run(lambda connection: _forget(connection, now_s, limit))


def finish_upload(connection: Connection, id_hash: str, kept_until_s: int) -> None:
    """Part of a larger change. Raises Conflict when the upload is not being received any more."""
    values = {"id_hash": packed(id_hash), "state": UploadState.DONE.value, "refusal": None, "expires_s": kept_until_s}
    if connection.execute(sql.END_UPLOAD, values).rowcount != 1:
        raise Conflict("The upload was cancelled in the meantime.")


def _one(connection: Connection, statement: str, values: dict[str, object]) -> Upload | None:
    row = connection.execute(statement, values).fetchone()
    return None if row is None else upload_of(row)


def _add(connection: Connection, upload: Upload) -> Outcome[None]:
    connection.execute(sql.ADD_UPLOAD, upload_values(upload))
    return Outcome(None)


def _set_length(connection: Connection, id_hash: str, length: int) -> Outcome[bool]:
    done = connection.execute(sql.SET_UPLOAD_LENGTH, {"id_hash": packed(id_hash), "length": length})
    return Outcome(done.rowcount == 1)


def _set_edits(connection: Connection, id_hash: str, edits: bytes, credentials: bool) -> Outcome[None]:
    values = {"id_hash": packed(id_hash), "edits": edits, "credentials": credentials}
    connection.execute(sql.SET_UPLOAD_EDITS, values)
    return Outcome(None)


def _keep_until(connection: Connection, id_hash: str, expires_s: int) -> Outcome[None]:
    connection.execute(sql.KEEP_UPLOAD, {"id_hash": packed(id_hash), "expires_s": expires_s})
    return Outcome(None)


def _end(
    connection: Connection,
    upload: Upload,
    state: UploadState,
    refusal: Refusal | None,
    *,
    now_s: int,
    kept_until_s: int,
    for_good: bool = True,
) -> Outcome[bool]:
    values = {
        "id_hash": packed(upload.id_hash),
        "state": state.value,
        "refusal": refusal_text(refusal),
        "expires_s": kept_until_s,
    }
    if connection.execute(sql.END_UPLOAD, values).rowcount != 1:
        if state is UploadState.GONE:
            connection.execute(sql.GIVE_UP_ENDED, {"id_hash": packed(upload.id_hash)})
            connection.execute(sql.CLEAR_GONE_UPLOAD, {"id_hash": packed(upload.id_hash)})
        return Outcome(False)
    connection.execute(sql.CLEAR_GONE_UPLOAD, {"id_hash": packed(upload.id_hash)})
    rows: dict[str, Row | None] = {}
    if upload.slug is not None and for_good:
        tombstone = Tombstone(upload.slug, Ending.UNFINISHED, now_s)
        values = {"slug": upload.slug, "ended": tombstone.ended.value, "ended_s": now_s}
        connection.execute(sql.ADD_TOMBSTONE, values)
        rows[upload.slug] = tombstone
    return Outcome(True, rows)


def _unfinished(connection: Connection, now_s: int, most: int) -> int:
    return int(connection.execute(sql.UNFINISHED_UPLOADS, {"now_s": now_s, "limit": most}).fetchone()[0])


def _due(connection: Connection, now_s: int, after_s: int, limit: int) -> Sequence[Upload]:
    values = {"now_s": now_s, "after_s": after_s, "limit": limit}
    return [upload_of(row) for row in connection.execute(sql.UPLOADS_DUE, values).fetchall()]


def _forget(connection: Connection, now_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_UPLOADS, {"now_s": now_s, "limit": limit}).rowcount)
