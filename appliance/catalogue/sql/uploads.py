"""The rows of resumable uploads."""

from collections.abc import Iterable, Sequence

from appliance.catalogue.sql import node_statements
from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.lock_mark import mark_if_closed
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.overdue_statements import UPLOADS_DUE_AT
from appliance.catalogue.sql.parts_statements import NEEDING_PARTS
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.rows import Row, packed, refusal_text, tombstone_values, upload_of, upload_values
from appliance.catalogue.sql.writer import Writer
from appliance.domain.errors import Conflict
from appliance.domain.model import Ending, Tombstone
from appliance.domain.nodes import DEAD_AFTER_S
from appliance.domain.resumable_uploads import Refusal, Upload, UploadState


class UploadRows:
    """An `UploadCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def add(self, upload: Upload) -> None:
        await self._writer.run(lambda connection: _add(connection, upload))

    async def get(self, id_hash: str) -> Upload | None:
        return await self._readers.run(_get, sql.UPLOAD, {"id_hash": packed(id_hash)})

    async def by_slug(self, slug: str) -> Upload | None:
        return await self._readers.run(_get, sql.UPLOAD_BY_SLUG, {"slug": slug})

    async def set_length(self, id_hash: str, length: int) -> bool:
        return await self._writer.run(lambda connection: _set_length(connection, id_hash, length))

    async def complete(self, id_hash: str, length: int) -> bool:
        return await self._writer.run(lambda connection: _complete(connection, id_hash, length))

    async def set_edits(self, id_hash: str, edits: bytes, *, credentials: bool = False) -> None:
        await self._writer.run(lambda connection: _set_edits(connection, id_hash, edits, credentials))

    async def claim(self, id_hashes: Iterable[str], node: str) -> None:
        names = list(id_hashes)
        await self._writer.run(lambda connection: _claim(connection, names, node))

    async def move(self, upload: Upload, node: str) -> bool:
        return await self._writer.run(lambda connection: _move(connection, sql.MOVE_UPLOAD, upload, node))

    async def take_over(self, upload: Upload, node: str) -> bool:
        statement = node_statements.TAKE_OVER_UPLOAD
        return await self._writer.run(lambda connection: _move(connection, statement, upload, node, DEAD_AFTER_S))

    async def keep_until(self, id_hash: str, expires_s: int) -> bool:
        return await self._writer.run(lambda connection: _keep_until(connection, id_hash, expires_s))

    async def refuse(self, upload: Upload, refusal: Refusal, *, now_s: int, kept_until_s: int) -> bool:
        return await self._writer.run(
            lambda connection: _refuse(connection, upload, refusal, now_s=now_s, kept_until_s=kept_until_s)
        )

    async def give_up(
        self, upload: Upload, *, now_s: int, kept_until_s: int, for_good: bool = True, is_overdue: bool = False
    ) -> bool:
        statement = sql.END_OVERDUE_UPLOAD if is_overdue else sql.END_UPLOAD
        return await self._writer.run(
            lambda connection: _give_up(
                connection, statement, upload, now_s=now_s, kept_until_s=kept_until_s, for_good=for_good
            )
        )

    async def count_unfinished(self, now_s: int, limit: int) -> int:
        return await self._readers.run(_count_unfinished, now_s, limit)

    async def due(self, now_s: int, *, node: str | None = None, after_s: int = 0, limit: int = 500) -> list[Upload]:
        return await self._readers.run(_due, now_s, node, after_s, limit)

    async def needing_parts(self) -> list[Upload]:
        return await self._readers.run(_needing_parts)

    async def forget(self, now_s: int, limit: int = 1000) -> int:
        return await self._writer.run(lambda connection: _forget(connection, now_s, limit))


def finish_upload(connection: Connection, upload: Upload, kept_until_s: int) -> None:
    """Part of a larger change. Raises Conflict when the upload is not being received any more, or on another node."""
    if not _end(connection, upload, UploadState.DONE, kept_until_s):
        raise Conflict("The upload was cancelled in the meantime.")


def _get(connection: Connection, statement: str, values: dict[str, object]) -> Upload | None:
    row = connection.execute(statement, values).fetchone()
    return None if row is None else upload_of(row)


def _add(connection: Connection, upload: Upload) -> Outcome[None]:
    connection.execute(sql.ADD_UPLOAD, upload_values(upload))
    mark_if_closed(connection, upload)
    return Outcome(None)


def _set_length(connection: Connection, id_hash: str, length: int) -> Outcome[bool]:
    done = connection.execute(sql.SET_UPLOAD_LENGTH, {"id_hash": packed(id_hash), "length": length})
    return Outcome(done.rowcount == 1)


def _complete(connection: Connection, id_hash: str, length: int) -> Outcome[bool]:
    done = connection.execute(sql.COMPLETE_UPLOAD, {"id_hash": packed(id_hash), "length": length})
    return Outcome(done.rowcount == 1)


def _set_edits(connection: Connection, id_hash: str, edits: bytes, credentials: bool) -> Outcome[None]:
    values = {"id_hash": packed(id_hash), "edits": edits, "credentials": credentials}
    connection.execute(sql.SET_UPLOAD_EDITS, values)
    return Outcome(None)


def _claim(connection: Connection, id_hashes: Sequence[str], node: str) -> Outcome[None]:
    for id_hash in id_hashes:
        connection.execute(node_statements.CLAIM_UPLOAD, {"id_hash": packed(id_hash), "node": node})
    return Outcome(None)


def _move(
    connection: Connection, statement: str, upload: Upload, node: str, dead_after_s: int | None = None
) -> Outcome[bool]:
    values = {"id_hash": packed(upload.id_hash), "former": upload.node, "node": node, "dead_after_s": dead_after_s}
    return Outcome(connection.execute(statement, values).rowcount == 1)


def _keep_until(connection: Connection, id_hash: str, expires_s: int) -> Outcome[bool]:
    done = connection.execute(sql.KEEP_UPLOAD, {"id_hash": packed(id_hash), "expires_s": expires_s})
    return Outcome(done.rowcount == 1)


def _refuse(
    connection: Connection, upload: Upload, refusal: Refusal, *, now_s: int, kept_until_s: int
) -> Outcome[bool]:
    if not _end(connection, upload, UploadState.REFUSED, kept_until_s, refusal):
        return Outcome(False)
    return Outcome(True, _add_tombstone(connection, upload, now_s))


def _give_up(
    connection: Connection, statement: str, upload: Upload, *, now_s: int, kept_until_s: int, for_good: bool
) -> Outcome[bool]:
    id_hash = {"id_hash": packed(upload.id_hash)}
    values = _ending(upload, UploadState.GONE, kept_until_s) | {"now_s": now_s}
    ended = connection.execute(statement, values).rowcount == 1
    # While a node alone has the original of an image that was assembled, its parts are what survives that node.
    connection.execute(sql.CLEAR_GONE_PARTS if ended else sql.GIVE_UP_ENDED, id_hash)
    connection.execute(sql.CLEAR_GONE_UPLOAD, id_hash)
    return Outcome(ended, _add_tombstone(connection, upload, now_s) if ended and for_good else {})


def _end(
    connection: Connection, upload: Upload, state: UploadState, kept_until_s: int, refusal: Refusal | None = None
) -> bool:
    """False if it has ended already, or if another node has it now."""
    return connection.execute(sql.END_UPLOAD, _ending(upload, state, kept_until_s, refusal)).rowcount == 1


def _ending(upload: Upload, state: UploadState, kept_until_s: int, refusal: Refusal | None = None) -> dict[str, object]:
    return {
        "id_hash": packed(upload.id_hash),
        "node": upload.node or "",
        "state": state.value,
        "refusal": refusal_text(refusal),
        "expires_s": kept_until_s,
    }


def _add_tombstone(connection: Connection, upload: Upload, now_s: int) -> dict[str, Row | None]:
    """Remember that the slug was given out; partial uploads have none."""
    if upload.slug is None:
        return {}
    tombstone = Tombstone(upload.slug, Ending.UNFINISHED, now_s)
    connection.execute(sql.ADD_TOMBSTONE, tombstone_values(tombstone))
    return {upload.slug: tombstone}


def _count_unfinished(connection: Connection, now_s: int, limit: int) -> int:
    return int(connection.execute(sql.UNFINISHED_UPLOADS, {"now_s": now_s, "limit": limit}).fetchone()[0])


def _due(connection: Connection, now_s: int, node: str | None, after_s: int, limit: int) -> list[Upload]:
    values = {"now_s": now_s, "node": node, "after_s": after_s, "limit": limit}
    statement = sql.UPLOADS_DUE if node is None else UPLOADS_DUE_AT
    return [upload_of(row) for row in connection.execute(statement, values).fetchall()]


def _needing_parts(connection: Connection) -> list[Upload]:
    return [upload_of(row) for row in connection.execute(NEEDING_PARTS).fetchall()]


def _forget(connection: Connection, now_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_UPLOADS, {"now_s": now_s, "limit": limit}).rowcount)
