"""Bringing a restored catalogue up to what the object store knows, before a server owns it. It loses no row."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.access_records import upsert_record
from appliance.catalogue.sql.change_log import end_log
from appliance.catalogue.sql.image_queries import known, tombstoned
from appliance.catalogue.sql.lock_mark import mark, mark_if_closed
from appliance.catalogue.sql.rows import album_values, rebuilt_image_values, tombstone_values
from appliance.catalogue.sqlite.change_log import file_log
from appliance.catalogue.sqlite.connections import open_writer
from appliance.catalogue.sqlite.faults import translate_error
from appliance.catalogue.sqlite.recounting import recount_invites, recount_keys
from appliance.catalogue.values import SlugSpan
from appliance.domain.access_records import AccessRecord
from appliance.domain.model import Album, Image, Tombstone
from appliance.domain.passphrases import UNREADABLE_LOCK

P = ParamSpec("P")
T = TypeVar("T")


class CatalogueMerge:
    """One file, and the only connection to it. Its methods raise DiskFull, CatalogueUnavailable, CatalogueDamaged.

    What each method adds or changes is committed when it returns, and repeating it does no harm.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> Self:
        self._connection = await asyncio.to_thread(_open, self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._connection.close)

    async def known(self, slugs: Sequence[str]) -> set[str]:
        """Those of the slugs that have a row or a tombstone."""
        return await self._run(known, slugs)

    async def span(self) -> SlugSpan:
        """Which slugs there are."""
        return await self._run(_span)

    async def add_images(self, images: Iterable[Image]) -> int:
        """Add images that have neither a row nor a tombstone. Returns how many. They count as prewarmed."""
        return await self._run(_add_images, tuple(images))

    async def update_images(self, images: Iterable[Image]) -> int:
        """Update rows that are older than these images, except for where the original is. Returns how many."""
        return await self._run(_update_images, tuple(images))

    async def add_tombstones(self, tombstones: Iterable[Tombstone]) -> int:
        """Replace the rows of deleted images by tombstones. Returns how many rows went."""
        return await self._run(_add_tombstones, tuple(tombstones))

    async def end_images(self, tombstones: Iterable[Tombstone]) -> int:
        """End the images that wait in the bin, unless they were restored since. Returns how many.

        One without a row gets a tombstone.
        """
        return await self._run(_end_images, tuple(tombstones))

    async def upsert_albums(self, albums: Iterable[Album]) -> int:
        """Add albums, and update rows that are older than these. Returns how many."""
        return await self._run(_upsert_albums, tuple(albums))

    async def upsert_records(self, records: Iterable[AccessRecord]) -> int:
        """Add what the records describe, and update rows that are older than these. Returns how many."""
        return await self._run(_upsert_records, tuple(records))

    async def recount(self) -> None:
        """Recount what was uploaded with each access key and by each invite."""
        await self._run(recount_keys)
        await self._run(recount_invites)

    async def lock_for_good(self, slugs: Iterable[str]) -> None:
        """Lock these images and albums so that no passphrase opens them: what their locks are now is unknown."""
        await self._run(_lock_for_good, tuple(slugs))

    async def forget_finished_uploads(self) -> int:
        """Forget uploads that the copy has as unfinished, but that have become images since. Returns how many."""
        return await self._run(_forget_finished_uploads)

    async def _run(
        self, change: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def work() -> T:
            try:
                return change(self._connection, *args, **kwargs)
            except sqlite3.Error as error:
                raise translate_error(error) from error

        return await asyncio.to_thread(work)


def _open(path: Path) -> sqlite3.Connection:
    try:
        connection = open_writer(path)
        connection.execute("PRAGMA journal_mode = DELETE")
        end_log(connection, file_log())  # a backup may have been made during a copy, which then compares all rows
    except sqlite3.Error as error:
        raise translate_error(error) from error
    return connection


def _span(connection: sqlite3.Connection) -> SlugSpan:
    oldest, newest = (connection.execute(statement).fetchone() for statement in (sql.OLDEST, sql.LAST))
    receiving = tuple(slug for (slug,) in connection.execute(sql.RECEIVING).fetchall())
    return SlugSpan(oldest and oldest[0], newest and newest[0], receiving)


def _add_images(connection: sqlite3.Connection, images: Sequence[Image]) -> int:
    erased = tombstoned(connection, [image.slug for image in images])
    new = [image for image in images if image.slug not in erased]
    mark_if_closed(connection, *new)
    return _write(connection, sql.ADD_IMAGE, map(rebuilt_image_values, new))


def _update_images(connection: sqlite3.Connection, images: Sequence[Image]) -> int:
    mark_if_closed(connection, *images)
    return _write(connection, sql.CHANGE_IF_OLDER, map(rebuilt_image_values, images))


def _add_tombstones(connection: sqlite3.Connection, tombstones: Sequence[Tombstone]) -> int:
    values = [tombstone_values(tombstone) for tombstone in tombstones]
    removed = _write(connection, sql.REMOVE_IMAGE, values)
    _write(connection, sql.ADD_TOMBSTONE, values)
    return removed


def _end_images(connection: sqlite3.Connection, tombstones: Sequence[Tombstone]) -> int:
    values = [tombstone_values(tombstone) for tombstone in tombstones]
    ended = _write(connection, sql.END_IF_OLDER, values)
    _write(connection, sql.ADD_TOMBSTONE_IF_UNKNOWN, values)
    return ended


def _upsert_albums(connection: sqlite3.Connection, albums: Sequence[Album]) -> int:
    mark_if_closed(connection, *albums)
    values = [album_values(album, sidecar_due=False) for album in albums]
    added = _write(connection, sql.ADD_ALBUM, values)
    return added + _write(connection, sql.CHANGE_ALBUM_IF_OLDER, values)


def _upsert_records(connection: sqlite3.Connection, records: Sequence[AccessRecord]) -> int:
    before = connection.total_changes
    connection.execute("BEGIN")
    try:
        for record in records:
            upsert_record(connection, record)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return connection.total_changes - before


def _lock_for_good(connection: sqlite3.Connection, slugs: Sequence[str]) -> None:
    if slugs:
        mark(connection)
    values = [{"slug": slug, "lock": UNREADABLE_LOCK} for slug in slugs]
    _write(connection, sql.LOCK_IMAGE, values)
    _write(connection, sql.LOCK_ALBUM, values)


def _forget_finished_uploads(connection: sqlite3.Connection) -> int:
    return connection.execute(sql.FORGET_FINISHED_UPLOADS).rowcount


def _write(connection: sqlite3.Connection, statement: str, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write all rows in one transaction. Returns how many changed."""
    before = connection.total_changes
    connection.execute("BEGIN")
    try:
        connection.executemany(statement, rows)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return connection.total_changes - before
