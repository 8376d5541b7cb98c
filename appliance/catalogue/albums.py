"""The rows of albums: what can be asked of them, and what can be done to them."""

import json
import sqlite3
from collections.abc import Mapping, Sequence

from appliance.catalogue import statements as sql
from appliance.catalogue.purges import TWICE
from appliance.catalogue.readers import Readers
from appliance.catalogue.rows import album_of, album_values, idempotency_values, images_of
from appliance.catalogue.writer import Outcome, Writer
from appliance.domain.errors import Conflict, IdempotencyKeyInUse
from appliance.domain.model import Album, IdempotencyRecord, Image

Connection = sqlite3.Connection


class AlbumRows:
    """Albums by their slug. Changes are durable when they return; faults are the catalogue's."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def add(self, album: Album, idempotency: IdempotencyRecord | None = None) -> None:
        """A new album. Raises Conflict (its slug is taken), IdempotencyKeyInUse (the key has its first answer)."""
        await self._writer.run(lambda connection: _add(connection, album, idempotency))

    async def get(self, slug: str) -> Album | None:
        """The album, ended and erased ones included, until it is forgotten."""
        return await self._readers.run(_one, slug)

    async def images(self, slugs: Sequence[str]) -> list[Image]:
        """The rows of these images, ended ones included, in their order; those that were erased are left out."""
        return await self._readers.run(_images, slugs)

    async def change(self, album: Album) -> None:
        """Compare and set: the row becomes `album` if it has the version before. Raises Conflict."""
        await self._writer.run(lambda connection: _change(connection, album))

    async def due(self, now_s: int, *, after_s: int = 0, limit: int = 200) -> list[Album]:
        """Those that may have come to their end, longest overdue first, later than `after_s`."""
        return await self._readers.run(_walk, sql.ALBUMS_DUE, {"now_s": now_s, "after_s": after_s, "limit": limit})

    async def erasable(self, now_s: int, limit: int = 200, *, skipped: int = 0) -> list[Album]:
        """Ended ones whose grace is over, after as many as are skipped."""
        values = {"now_s": now_s, "limit": limit, "skipped": skipped}
        return await self._readers.run(_walk, sql.ALBUMS_ERASABLE, values)

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        """Forget erased albums that ended before; says how many."""
        return await self._writer.run(lambda connection: _forget(connection, before_s, limit))

    async def sidecars_due(self, after: str = "", limit: int = 100) -> list[Album]:
        """Those that the store does not know as they are."""
        return await self._readers.run(_walk, sql.ALBUM_SIDECARS_DUE, {"after": after, "limit": limit})

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        """False if the row changed since `version` was read: the sidecar stays due, or has to go."""
        return await self._writer.run(lambda connection: _mark_written(connection, slug, version))


def _add(connection: Connection, album: Album, idempotency: IdempotencyRecord | None) -> Outcome[None]:
    try:
        connection.execute(sql.ADD_ALBUM, album_values(album, sidecar_due=True))
    except sqlite3.IntegrityError as error:
        raise Conflict("The generated album link is already in use. Try again.") from error
    if idempotency is not None:
        try:
            connection.execute(sql.ADD_IDEMPOTENCY, idempotency_values(idempotency))
        except sqlite3.IntegrityError as error:
            raise IdempotencyKeyInUse(
                "Another request with the same Idempotency-Key has finished. Repeat the request to get its response."
            ) from error
    return Outcome(None)


def _one(connection: Connection, slug: str) -> Album | None:
    row = connection.execute(sql.ALBUM, {"slug": slug}).fetchone()
    return None if row is None else album_of(row)


def _images(connection: Connection, slugs: Sequence[str]) -> list[Image]:
    found = images_of(connection.execute(sql.ALBUM_IMAGES, {"slugs": json.dumps(slugs)}))
    by_slug = {image.slug: image for image in found}
    return [by_slug[slug] for slug in slugs if slug in by_slug]


def _change(connection: Connection, album: Album) -> Outcome[None]:
    values = album_values(album, sidecar_due=not album.erased)
    if connection.execute(sql.CHANGE_ALBUM, values).rowcount != 1:
        raise Conflict()
    return Outcome(None, stale={album.slug: TWICE})


def _walk(connection: Connection, statement: str, values: Mapping[str, object]) -> list[Album]:
    return [album_of(row) for row in connection.execute(statement, values).fetchall()]


def _forget(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_ALBUMS, {"before_s": before_s, "limit": limit}).rowcount)


def _mark_written(connection: Connection, slug: str, version: int) -> Outcome[bool]:
    done = connection.execute(sql.MARK_ALBUM_SIDECAR_WRITTEN, {"slug": slug, "version": version})
    return Outcome(done.rowcount == 1)
