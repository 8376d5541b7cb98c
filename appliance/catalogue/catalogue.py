"""The catalogue's front: every row of the appliance, asked and changed from one event loop."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from appliance.catalogue import backup, changes, integrity_check, purges, queries
from appliance.catalogue import statements as sql
from appliance.catalogue.albums import AlbumRows
from appliance.catalogue.changes import UNCHANGED, Unchanged
from appliance.catalogue.outbox import PurgeOutbox
from appliance.catalogue.purges import PurgeRows, Waiting
from appliance.catalogue.queries import Backlog
from appliance.catalogue.readers import Readers
from appliance.catalogue.row_cache import Miss, RecentRows
from appliance.catalogue.rows import Row, packed
from appliance.catalogue.uploads import UploadRows
from appliance.catalogue.writer import Outcome, Writer
from appliance.domain.clock import Clock, system_clock
from appliance.domain.model import IdempotencyRecord, Image, Upload

T = TypeVar("T")
KNOWN_AT_ONCE = 10_000


class Catalogue:
    """Changes are durable when they return. Every method may raise DiskFull, CatalogueUnavailable, CatalogueDamaged.

    `slug` orders every walk: give the last slug of one batch as `after` to get the next; "" starts. With `purging`,
    every change of what shared caches may hold is owed to them in the same transaction.
    """

    def __init__(
        self,
        path: Path,
        *,
        readers: int = 3,
        recent_rows: int = 20_000,
        purging: bool = False,
        clock: Clock = system_clock,
    ) -> None:
        self._recent = RecentRows(recent_rows)
        self._writer = Writer(path, self._settle, PurgeOutbox(clock) if purging else None)
        self._readers = Readers(path, readers)
        self._newest_created_s: int | None = None
        self.uploads = UploadRows(self._readers, self._writer)
        self.albums = AlbumRows(self._readers, self._writer)
        self.purges = PurgeRows(self._readers, self._writer)
        self._purging = purging

    async def start(self) -> None:
        """Open or make the file, and migrate it. Raises CatalogueTooNew and the named errors of every method."""
        await self._writer.start()
        self._newest_created_s = await self._readers.run(queries.newest_created_s)

    async def stop(self) -> None:
        """All changes handed over are committed; the file is closed. Safe to call twice, and after a failed start."""
        await asyncio.to_thread(self._readers.close)
        await self._writer.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def commits(self) -> int:
        """Commits so far; under load fewer than `operations`."""
        return self._writer.commits

    @property
    def operations(self) -> int:
        return self._writer.operations

    @property
    def fault(self) -> str | None:
        """What the last commit failed of, in words; None when it succeeded."""
        return self._writer.fault

    # --- one image ------------------------------------------------------------------------------------------------

    async def add(
        self,
        image: Image,
        idempotency: IdempotencyRecord | None = None,
        *,
        sidecar_due: bool = False,
        upload: Upload | None = None,
        upload_kept_until_s: int = 0,
    ) -> None:
        """Raises Conflict (the slug is or was taken), IdempotencyKeyInUse (the key has its first answer already).

        With `upload`, its row is done in the same moment, and kept until then; Conflict when it was given up before.
        """
        await self._write(
            changes.add,
            image,
            idempotency,
            sidecar_due=sidecar_due,
            upload=upload,
            upload_kept_until_s=upload_kept_until_s,
        )
        self._newest_created_s = max(image.created_s, self._newest_created_s or 0)

    async def get(self, slug: str) -> Row | None:
        """The image, ended ones included; or the tombstone of an erased one; None if nothing is remembered."""
        row = self._recent.peek(slug)
        if not isinstance(row, Miss):
            return row
        return await self._recent.read_through(slug, self._resolve)

    async def _resolve(self, slug: str) -> Row | None:
        return await self._readers.run(queries.resolve, slug)

    def peek(self, slug: str) -> Row | Miss:
        """What `get` would answer without looking into the file, or MISS; costs no await."""
        return self._recent.peek(slug)

    async def change(
        self,
        slug: str,
        *,
        version: int,
        title: str | Unchanged | None = UNCHANGED,
        alt: str | Unchanged | None = UNCHANGED,
        expires_s: int | Unchanged = UNCHANGED,
    ) -> Image:
        """Change what is given, if `version` is still the row's. Raises Conflict, GoneImage (ended), UnknownImage."""
        return await self._write(changes.change, slug, version=version, title=title, alt=alt, expires_s=expires_s)

    async def mark_original_only(self, slug: str, reason: str) -> None:
        """No rendition can be made, for `reason`; the first stays. Ended and absent images are left alone."""
        await self._write(changes.mark_original_only, slug, reason)

    async def mark_still(self, slug: str, reason: str) -> None:
        """Its animation can't be read to its end, for `reason`; the first stays. Ended and absent ones stay."""
        await self._write(changes.mark_still, slug, reason)

    async def idempotent(self, key_hash: str) -> IdempotencyRecord | None:
        return await self._readers.run(queries.idempotent, packed(key_hash))

    # --- shipping, prewarming, sidecars ---------------------------------------------------------------------------

    async def mark_shipped(self, slug: str) -> bool:
        """The original is in the store. False if the image ended meanwhile: what was put has to be deleted again."""
        return await self._write(changes.mark_shipped, slug)

    async def unshipped(self, after: str = "", limit: int = 500) -> list[Image]:
        return await self._readers.run(queries.walk, sql.UNSHIPPED, after, limit)

    async def unwarmed(self, after: str = "", limit: int = 500) -> list[Image]:
        """Newest first, for they are looked at most: `after` means older than."""
        return await self._readers.run(queries.unwarmed, after, limit)

    async def mark_prewarmed(self, slugs: Iterable[str]) -> None:
        await self._write(changes.mark_prewarmed, tuple(slugs))

    async def sidecars_due(self, after: str = "", limit: int = 500) -> list[Image]:
        """Images in the store whose sidecar is older than their row."""
        return await self._readers.run(queries.walk, sql.SIDECARS_DUE, after, limit)

    async def mark_sidecar_written(self, slug: str, version: int) -> bool:
        """False if the row changed or ended since `version` was read: the sidecar stays due, or has to go."""
        return await self._write(changes.mark_sidecar_written, slug, version)

    # --- ending and erasing ---------------------------------------------------------------------------------------

    async def due(self, now_s: int, limit: int = 1000) -> list[str]:
        """The slugs whose expiry has come, longest overdue first."""
        return await self._readers.run(queries.due, now_s, limit)

    async def expire(self, slugs: Iterable[str], *, now_s: int, erase_after_s: int) -> list[Image]:
        """End those of at most 1000 that are due still; an extension that came meanwhile wins. The ones ended."""
        return await self._write(changes.expire, tuple(slugs), now_s, erase_after_s)

    async def end(self, slug: str, *, now_s: int, erase_after_s: int, for_good: bool = False) -> Image:
        """The owner's deletion; an expired image becomes a deleted one, a deleted one stays as it is.

        `for_good`: its erasing begins in the same moment, so `restore` is refused from here, after a deletion too.
        Raises GoneImage (erased already), UnknownImage.
        """
        return await self._write(changes.end, slug, now_s, erase_after_s, for_good=for_good)

    async def restore(self, slug: str, *, now_s: int, expires_s: int | None) -> Image:
        """Bring an ended image back; `expires_s` None keeps its expiry.

        Raises Conflict (it has not ended, or the expiry has passed), GoneImage (its erasing has begun), UnknownImage.
        """
        return await self._write(changes.restore, slug, now_s, expires_s)

    async def erasable(self, now_s: int, limit: int = 500, *, skipped: int = 0) -> list[Image]:
        """Ended images whose grace is over, those whose erasing was begun and not confirmed included.

        The order is stable; `skipped` passes over so many from the front, that could not be erased just now.
        """
        return await self._readers.run(queries.erasable, now_s, limit, skipped)

    async def begin_erase(self, slug: str, now_s: int) -> bool:
        """From here `restore` is refused. False if the image is back, gone, or ended anew: leave its bytes alone."""
        return await self._write(changes.begin_erase, slug, now_s)

    async def confirm_erased(self, slug: str) -> None:
        """The row becomes a tombstone. Raises Conflict if its erasing was not begun; an absent row is fine."""
        await self._write(changes.confirm_erased, slug)

    async def forget_tombstones(self, before_s: int, limit: int = 1000) -> int:
        return await self._write(changes.forget_tombstones, before_s, limit)

    async def forget_idempotency(self, before_s: int, limit: int = 1000) -> int:
        return await self._write(changes.forget_idempotency, before_s, limit)

    # --- the whole ------------------------------------------------------------------------------------------------

    async def page(self, after: str = "", limit: int = 1000) -> list[Image]:
        """All images, ended ones included."""
        return await self._readers.run(queries.walk, sql.PAGE, after, limit)

    async def known(self, slugs: Iterable[str]) -> set[str]:
        """Which of these have a row or a tombstone."""
        wanted = tuple(slugs)
        found: set[str] = set()
        for start in range(0, len(wanted), KNOWN_AT_ONCE):
            found |= await self._readers.run(queries.known, wanted[start : start + KNOWN_AT_ONCE])
        return found

    async def buried(self, slugs: Iterable[str]) -> set[str]:
        """Which of these, some thousands at most, were erased: they have a tombstone and no row."""
        return await self._readers.run(queries.buried, tuple(slugs))

    async def counts(self, now_s: int | None = None) -> Backlog:
        """What waits for each job; `erasable` counts every ended image unless `now_s` is given."""
        return await self._readers.run(queries.backlog, now_s)

    def newest_created_s(self) -> int | None:
        """When the newest image was made, from the newest 1000 slugs at start and all adds since."""
        return self._newest_created_s

    async def note(self, name: str) -> str | None:
        return await self._readers.run(queries.note, name)

    async def set_note(self, name: str, value: str) -> None:
        await self._write(changes.set_note, name, value)

    async def check(self) -> list[str]:
        """A line for each problem of the file or its rows; walks the whole file beside the running work."""
        return await self._readers.run_apart(integrity_check.problems)

    async def backup(self, to: Path) -> None:
        """Write a checked copy to `to`, which appears whole or not at all. Raises DiskFull, Stopping."""
        await self._readers.run_apart(backup.copy, to)

    def _settle(self, outcome: Outcome[Any]) -> None:
        self._recent.settle(outcome.rows)
        if outcome.stale and self._purging:
            self.purges.owed.set()

    async def _write(self, change: Callable[..., Outcome[T]], *args: object, **kwargs: object) -> T:
        return await self._writer.run(lambda connection: change(connection, *args, **kwargs))


async def open_catalogue(path: Path, *, readers: int = 3, recent_rows: int = 20_000) -> Catalogue:
    """A started catalogue."""
    catalogue = Catalogue(path, readers=readers, recent_rows=recent_rows)
    try:
        await catalogue.start()
    except BaseException:
        await catalogue.stop()
        raise
    return catalogue


async def check_file(path: Path) -> list[str]:
    """What `Catalogue.check` tells, of a file that another process may have open, or that does not open at all."""
    return await _apart(path, integrity_check.problems)


async def backup_file(path: Path, to: Path) -> None:
    """What `Catalogue.backup` does, of a file that another process may have open."""
    await _apart(path, backup.copy, to)


async def purges_waiting(path: Path, now_s: int) -> Waiting:
    """What `PurgeRows.waiting` tells, of a file that another process may have open."""
    return await _apart(path, purges.waiting, now_s)


async def count_file(path: Path) -> queries.Counts:
    """How many rows a file has, that nobody else need have open."""
    return await _apart(path, queries.counts)


async def sample_file(path: Path, most: int) -> list[Image]:
    """Images from anywhere in a file, no more than `most`."""
    return await _apart(path, queries.sample, most)


async def rows_of_file(path: Path, slugs: Sequence[str]) -> dict[str, Row]:
    """Those of the slugs that a file knows something of; another process may have it open."""
    return await _apart(path, queries.rows_of, slugs)


async def remembered_s(path: Path, note: str) -> int | None:
    """The unix second that a note tells, or when the newest image was made; None for a catalogue without either."""
    told = await _apart(path, queries.note, note)
    return int(told) if told is not None else await _apart(path, queries.newest_created_s)


async def _apart(path: Path, query: Callable[..., T], *args: object) -> T:
    readers = Readers(path, threads=1)
    try:
        return await readers.run_apart(query, *args)
    finally:
        readers.close()
