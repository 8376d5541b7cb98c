"""The rows of albums."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.idempotency import add_record
from appliance.catalogue.sql.invites import forget_invites
from appliance.catalogue.sql.lock_mark import mark_if_closed
from appliance.catalogue.sql.outbox import TWO_ROUNDS
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.readers import Readers
from appliance.catalogue.sql.rows import album_of, album_values, images_of
from appliance.catalogue.sql.writer import Writer
from appliance.domain.errors import AlbumFull, Conflict, EndedAlbumInvite
from appliance.domain.model import Album, IdempotencyRecord, Image


class AlbumRows:
    """An `AlbumCatalogue`."""

    def __init__(self, readers: Readers, writer: Writer) -> None:
        self._readers = readers
        self._writer = writer

    async def add(self, album: Album, idempotency: IdempotencyRecord | None = None) -> None:
        await self._writer.run(lambda connection: _add(connection, album, idempotency))

    async def get(self, slug: str) -> Album | None:
        return await self._readers.run(_get, slug)

    async def images(self, slugs: Sequence[str]) -> list[Image]:
        return await self._readers.run(_images, slugs)

    async def change(self, album: Album) -> None:
        await self._writer.run(lambda connection: _change(connection, album))

    async def due(self, now_s: int, *, after_s: int = 0, limit: int = 200) -> list[Album]:
        return await self._readers.run(_walk, sql.ALBUMS_DUE, {"now_s": now_s, "after_s": after_s, "limit": limit})

    async def erasable(self, now_s: int, limit: int = 200, *, skipped: int = 0) -> list[Album]:
        values = {"now_s": now_s, "limit": limit, "skipped": skipped}
        return await self._readers.run(_walk, sql.ALBUMS_ERASABLE, values)

    async def forget(self, before_s: int, limit: int = 1000) -> int:
        return await self._writer.run(lambda connection: _forget(connection, before_s, limit))

    async def sidecars_due(self, after: str = "", limit: int = 100) -> list[Album]:
        return await self._readers.run(_walk, sql.ALBUM_SIDECARS_DUE, {"after": after, "limit": limit})

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        return await self._writer.run(lambda connection: _mark_written(connection, slug, version))


def append_image(connection: Connection, slug: str, image: Image, max_images: int) -> None:
    """Part of adding an image: put it at the end of an album. Raises EndedAlbumInvite, AlbumFull."""
    album = _get(connection, slug)
    if album is None or album.ended is not None or (album.expires_s or image.created_s + 1) <= image.created_s:
        raise EndedAlbumInvite
    if len(album.images) >= max_images:
        raise AlbumFull(limit=max_images, actual=len(album.images) + 1)
    due_s = max(album.due_s, image.expires_s)
    changed = replace(
        album,
        images=(*album.images, image.slug),
        due_s=due_s if album.expires_s is None else min(due_s, album.expires_s),
        version=album.version + 1,
    )
    connection.execute(sql.CHANGE_ALBUM, album_values(changed, sidecar_due=True))


def _add(connection: Connection, album: Album, idempotency: IdempotencyRecord | None) -> Outcome[None]:
    if connection.execute(sql.ADD_ALBUM, album_values(album, sidecar_due=True)).rowcount != 1:
        raise Conflict("The generated album link is already in use. Try again.")
    add_record(connection, idempotency)
    mark_if_closed(connection, album)
    return Outcome(None)


def _get(connection: Connection, slug: str) -> Album | None:
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
    mark_if_closed(connection, album)
    if album.erased:
        forget_invites(connection, album.slug)
    return Outcome(None, stale={album.slug: TWO_ROUNDS})


def _walk(connection: Connection, statement: str, values: Mapping[str, object]) -> list[Album]:
    return [album_of(row) for row in connection.execute(statement, values).fetchall()]


def _forget(connection: Connection, before_s: int, limit: int) -> Outcome[int]:
    return Outcome(connection.execute(sql.FORGET_ALBUMS, {"before_s": before_s, "limit": limit}).rowcount)


def _mark_written(connection: Connection, slug: str, version: int) -> Outcome[bool]:
    done = connection.execute(sql.MARK_ALBUM_SIDECAR_WRITTEN, {"slug": slug, "version": version})
    return Outcome(done.rowcount == 1)
