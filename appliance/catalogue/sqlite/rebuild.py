"""A new catalogue from images and albums that were read from the object store. No server may run meanwhile."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from appliance.catalogue.sql import statements as sql
from appliance.catalogue.sql.lock_mark import mark_if_closed
from appliance.catalogue.sql.rows import album_values, rebuilt_image_values
from appliance.catalogue.sqlite.connections import open_writer
from appliance.catalogue.sqlite.copying import put_in_place, remove_unfinished
from appliance.catalogue.sqlite.faults import translate_error
from appliance.domain.model import Album, Image
from appliance.shared import files

T = TypeVar("T")
BATCH = 5000


async def rebuild(
    images: AsyncIterator[Image],
    albums: AsyncIterator[Album],
    to: Path,
    progress: Callable[[int], None],
) -> tuple[int, Path | None]:
    """Write all rows to a new file and put it at `to`. Returns the number of images, and where the old file is now.

    The old file is kept next to the new one, and is untouched if anything fails. `progress` gets the number of images
    so far. Images count as prewarmed: rendering a whole collection again would keep the workers busy for months, so
    renditions that the cache lacks are made on demand. A slug that comes twice is added once. Raises DiskFull,
    CatalogueUnavailable.
    """
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        count = await _write_all(images, albums, unfinished, progress)
        return count, await asyncio.to_thread(_replace, unfinished, to)
    except sqlite3.Error as error:
        raise translate_error(error) from error
    finally:
        remove_unfinished(unfinished)


async def _write_all(
    images: AsyncIterator[Image], albums: AsyncIterator[Album], unfinished: Path, progress: Callable[[int], None]
) -> int:
    connection = await asyncio.to_thread(_create, unfinished)
    count = 0
    try:
        async for batch in _batches(images):
            await asyncio.to_thread(mark_if_closed, connection, *batch)
            count += await asyncio.to_thread(_write, connection, sql.ADD_IMAGE, map(rebuilt_image_values, batch))
            progress(count)
        async for some in _batches(albums):
            await asyncio.to_thread(mark_if_closed, connection, *some)
            await asyncio.to_thread(_write, connection, sql.ADD_ALBUM, map(_album_values, some))
    finally:
        await asyncio.to_thread(connection.close)
    return count


def _create(unfinished: Path) -> sqlite3.Connection:
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.unlink(missing_ok=True)
    connection = open_writer(unfinished)
    connection.execute("PRAGMA journal_mode = DELETE")
    # Nothing depends on this file before it is whole, synced and renamed.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


async def _batches(rows: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    batch: list[T] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _album_values(album: Album) -> Mapping[str, Any]:
    return album_values(album, sidecar_due=False)


def _write(connection: sqlite3.Connection, statement: str, rows: Iterable[Mapping[str, Any]]) -> int:
    before = connection.total_changes
    connection.execute("BEGIN")
    connection.executemany(statement, rows)
    connection.execute("COMMIT")
    return connection.total_changes - before


def _replace(finished: Path, to: Path) -> Path | None:
    """The old file gets a second name first. Its log moves away too: it would be read as the new file's."""
    kept = to.with_name(f"{to.name}.before-rebuild-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    log, kept_log = _log_of(to), _log_of(kept)
    kept.unlink(missing_ok=True)
    kept_log.unlink(missing_ok=True)
    is_replaced = to.exists()
    if is_replaced:
        kept.hardlink_to(to)
    if log.exists():
        log.replace(kept_log)
    to.with_name(f"{to.name}-shm").unlink(missing_ok=True)
    files.sync(to.parent)
    put_in_place(finished, to)
    return kept if is_replaced else None


def _log_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")
