"""A catalogue's file, looked at or replaced without a server: this host's own, or a copy of one."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from appliance.catalogue.sql.stored import StoredRows
from appliance.catalogue.sqlite import copying, integrity_check, sampling
from appliance.catalogue.sqlite.connections import open_reader, require_sqlite
from appliance.catalogue.sqlite.faults import translate_error
from appliance.catalogue.sqlite.merge import CatalogueMerge
from appliance.catalogue.sqlite.rebuild import rebuild
from appliance.domain.errors import CommandFailed
from appliance.domain.model import Album, Image

P = ParamSpec("P")
T = TypeVar("T")


class CatalogueFile(StoredRows):
    """One file. Its questions only read, so a server may have it open; each raises CatalogueUnavailable (also where
    there is no file), CatalogueDamaged. What writes it needs it for itself.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        """Where it is, for people."""
        return str(self._path)

    @staticmethod
    def require_engine() -> str:
        """The database and its version. Raises UnfitInstallation if it is too old."""
        return f"SQLite {require_sqlite()}"

    @property
    def path(self) -> Path:
        return self._path

    @property
    def exists(self) -> bool:
        return self._path.exists()

    @property
    def size_bytes(self) -> int:
        return self._path.stat().st_size

    @property
    def modified_s(self) -> float:
        """When it was written last, in unix seconds."""
        return self._path.stat().st_mtime

    def require_present(self) -> None:
        """Raises CommandFailed if there is no such file."""
        if not self.exists:
            raise CommandFailed(f"There is no catalogue at {self}. Is data_dir correct?")

    def require_absent(self) -> None:
        """Raises CommandFailed if there is such a file already."""
        if self.exists:
            raise CommandFailed(
                f"{self} already exists, so nothing was changed. Move it away first, with the -wal and -shm files next "
                "to it, if you really want to replace it with a backup."
            )

    # --- reading --------------------------------------------------------------------------------------------------

    async def find_problems(self) -> list[str]:
        """A sentence for each problem of the file or its rows. Reads the whole file."""
        return await self._ask(integrity_check.problems)

    async def sample(self, max_images: int) -> list[Image]:
        """Images from anywhere in the file; all of them if there are no more than `max_images`."""
        return await self._ask(sampling.sample, max_images)

    async def copy_to(self, path: Path) -> "CatalogueFile":
        """Write a checked copy, which appears whole or not at all; an older file at `path` is replaced.

        Raises DiskFull.
        """
        await self._ask(copying.copy, path)
        return CatalogueFile(path)

    # --- writing --------------------------------------------------------------------------------------------------

    async def move_to(self, target: "CatalogueFile") -> None:
        """Put this file, which nobody has open, in the target's place. On return it is there durably."""
        await asyncio.to_thread(copying.put_in_place, self._path, target._path)

    async def rebuild(
        self, images: AsyncIterator[Image], albums: AsyncIterator[Album], progress: Callable[[int], None]
    ) -> tuple[int, "CatalogueFile | None"]:
        """Write a new file from these rows. Returns the number of images, and the file that was replaced.

        See `appliance.catalogue.sqlite.rebuild`. Raises DiskFull, with the old file untouched.
        """
        count, replaced = await rebuild(images, albums, self._path, progress)
        return count, CatalogueFile(replaced) if replaced else None

    def merge(self) -> CatalogueMerge:
        """Opens the file for bringing it up to what the object store knows."""
        return CatalogueMerge(self._path)

    async def _ask(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a query, which may take long, on a connection of its own; cancelling interrupts it."""
        opened: list[sqlite3.Connection] = []

        def work() -> T:
            try:
                with closing(open_reader(self._path)) as connection:
                    opened.append(connection)
                    return query(connection, *args, **kwargs)
            except sqlite3.Error as error:
                raise translate_error(error) from error

        try:
            return await asyncio.to_thread(work)
        except asyncio.CancelledError:
            for connection in opened:
                with contextlib.suppress(sqlite3.ProgrammingError):  # it was closed in this moment
                    connection.interrupt()
            raise
