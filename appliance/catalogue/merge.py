"""Bringing a restored catalogue up to what the object store knows, before a server owns it. It loses no row."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from appliance.catalogue import statements as sql
from appliance.catalogue.connections import open_writer
from appliance.catalogue.faults import named
from appliance.catalogue.rows import Held, album_values, held_values
from appliance.domain.model import Album, Image, Tombstone

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Span:
    """From the first image's slug to the last one's, None without any; and the slugs of uploads that were coming in."""

    oldest: str | None
    newest: str | None
    receiving: tuple[str, ...]


class Merging:
    """One file, and the only connection to it. Its methods raise DiskFull, CatalogueUnavailable, CatalogueDamaged.

    What each adds or changes is committed when it returns; all of it may be done again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __aenter__(self) -> Self:
        self._connection = await asyncio.to_thread(_opened, self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._connection.close)

    async def known(self, slugs: Sequence[str]) -> set[str]:
        """Which of these have a row or a tombstone."""
        return await self._run(_slugs_of, sql.KNOWN, slugs)

    async def span(self) -> Span:
        """Which slugs there are."""
        return await self._run(_span)

    async def add(self, images: Iterable[Image]) -> int:
        """Add those that have neither row nor tombstone; how many. They count as prewarmed (see `rebuild`)."""
        return await self._run(_add, tuple(images))

    async def update(self, images: Iterable[Image]) -> int:
        """Bring rows up to these, where these are newer; how many. Where the original is stays as the row has it."""
        return await self._run(_update, tuple(images))

    async def bury(self, tombstones: Iterable[Tombstone]) -> int:
        """What was deleted has no row any more, but a tombstone; how many rows went."""
        return await self._run(_bury, tuple(tombstones))

    async def keep_albums(self, albums: Iterable[Album]) -> int:
        """Add albums, or bring their rows up to these where these are newer; how many."""
        return await self._run(_keep_albums, tuple(albums))

    async def settle_uploads(self) -> int:
        """Forget uploads that go on in the copy, but have become images since; how many."""
        return await self._run(_settle_uploads)

    async def _run(
        self, change: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        def work() -> T:
            try:
                return change(self._connection, *args, **kwargs)
            except sqlite3.Error as error:
                raise named(error) from error

        return await asyncio.to_thread(work)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        connection = open_writer(path)
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise named(error) from error
    return connection


def _slugs_of(connection: sqlite3.Connection, statement: str, slugs: Sequence[str]) -> set[str]:
    return {slug for (slug,) in connection.execute(statement, {"slugs": json.dumps(slugs)}).fetchall()}


def _span(connection: sqlite3.Connection) -> Span:
    oldest, newest = (connection.execute(statement).fetchone() for statement in (sql.OLDEST, sql.LAST))
    receiving = tuple(slug for (slug,) in connection.execute(sql.RECEIVING).fetchall())
    return Span(oldest and oldest[0], newest and newest[0], receiving)


def _add(connection: sqlite3.Connection, images: Sequence[Image]) -> int:
    buried = _slugs_of(connection, sql.BURIED, [image.slug for image in images])
    rows = [
        Held(image, prewarmed=True, sidecar_due=False, erasing=False) for image in images if image.slug not in buried
    ]
    return _changed(connection, sql.ADD_IF_ABSENT, map(held_values, rows))


def _update(connection: sqlite3.Connection, images: Sequence[Image]) -> int:
    rows = [held_values(Held(image, prewarmed=True, sidecar_due=False, erasing=False)) for image in images]
    return _changed(connection, sql.CHANGE_IF_OLDER, rows)


def _bury(connection: sqlite3.Connection, tombstones: Sequence[Tombstone]) -> int:
    values = [{"slug": one.slug, "ended": one.ended.value, "ended_s": one.ended_s} for one in tombstones]
    gone = _changed(connection, sql.REMOVE_IMAGE, values)
    _changed(connection, sql.ADD_TOMBSTONE, values)
    return gone


def _keep_albums(connection: sqlite3.Connection, albums: Sequence[Album]) -> int:
    values = [album_values(album, sidecar_due=False) for album in albums]
    return _changed(connection, sql.ADD_ALBUM_IF_ABSENT, values) + _changed(
        connection, sql.CHANGE_ALBUM_IF_OLDER, values
    )


def _settle_uploads(connection: sqlite3.Connection) -> int:
    return connection.execute(sql.SETTLE_UPLOADS).rowcount


def _changed(connection: sqlite3.Connection, statement: str, rows: Iterable[object]) -> int:
    before = connection.total_changes
    connection.execute("BEGIN")
    try:
        connection.executemany(statement, rows)  # type: ignore[arg-type]
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return connection.total_changes - before
