"""A fresh catalogue from images and albums that were read out of the object store. No server may run meanwhile."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from appliance.catalogue import statements as sql
from appliance.catalogue.backup import put_in_place
from appliance.catalogue.connections import open_writer
from appliance.catalogue.faults import named
from appliance.catalogue.rows import Held, album_values, held_values
from appliance.domain.model import Album, Image
from appliance.shared import files

T = TypeVar("T")
BATCH = 5000


async def rebuild(
    images: AsyncIterator[Image],
    to: Path,
    progress: Callable[[int], None],
    albums: AsyncIterator[Album] | None = None,
) -> int:
    """Write all to a new file and put it at `to`; the number of images. `progress` hears the number so far.

    The file that was there is kept beside it as `<name>.replaced`, and is untouched if anything fails. Images count as
    prewarmed: to make every size of a whole collection again would keep the workers busy for months, so what the caches
    lack is made when it is asked for. A slug that comes twice is taken once. Raises DiskFull, CatalogueUnavailable.
    """
    unfinished = to.with_name(f"{to.name}.unfinished")
    try:
        return await _rebuild(images, albums or _none(), unfinished, to, progress)
    except sqlite3.Error as error:
        raise named(error) from error
    finally:
        for suffix in ("", "-wal", "-shm", "-journal"):
            unfinished.with_name(unfinished.name + suffix).unlink(missing_ok=True)


async def _rebuild(
    images: AsyncIterator[Image],
    albums: AsyncIterator[Album],
    unfinished: Path,
    to: Path,
    progress: Callable[[int], None],
) -> int:
    connection = await asyncio.to_thread(_open_fresh, unfinished)
    count = 0
    try:
        async for batch in _batches(images):
            count += await asyncio.to_thread(_write, connection, sql.ADD_IF_ABSENT, map(_image_values, batch))
            progress(count)
        async for some in _batches(albums):
            await asyncio.to_thread(_write, connection, sql.ADD_ALBUM_IF_ABSENT, map(_album_values, some))
    finally:
        await asyncio.to_thread(connection.close)
    await asyncio.to_thread(_replace, unfinished, to)
    return count


def _open_fresh(unfinished: Path) -> sqlite3.Connection:
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    unfinished.unlink(missing_ok=True)
    connection = open_writer(unfinished)
    connection.execute("PRAGMA journal_mode = DELETE")
    # Nothing depends on this file before it is whole, synced and renamed.
    connection.execute("PRAGMA synchronous = OFF")
    return connection


async def _none() -> AsyncIterator[Album]:
    return
    yield


async def _batches(rows: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    batch: list[T] = []
    async for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    yield batch


def _image_values(image: Image) -> Mapping[str, Any]:
    return held_values(Held(image, prewarmed=True, sidecar_due=False, erasing=False))


def _album_values(album: Album) -> Mapping[str, Any]:
    return album_values(album, sidecar_due=False)


def _write(connection: sqlite3.Connection, statement: str, rows: Iterable[Mapping[str, Any]]) -> int:
    before = connection.total_changes
    connection.execute("BEGIN")
    connection.executemany(statement, rows)
    connection.execute("COMMIT")
    return connection.total_changes - before


def _replace(finished: Path, to: Path) -> None:
    """A log left by the old file would be taken for the new one's, so it moves away before the new file comes."""
    kept = to.with_name(f"{to.name}.replaced")
    log, kept_log = to.with_name(f"{to.name}-wal"), to.with_name(f"{kept.name}-wal")
    kept.unlink(missing_ok=True)
    kept_log.unlink(missing_ok=True)
    if to.exists():
        kept.hardlink_to(to)
    if log.exists():
        log.replace(kept_log)
    to.with_name(f"{to.name}-shm").unlink(missing_ok=True)
    files.sync(to.parent)
    put_in_place(finished, to)
