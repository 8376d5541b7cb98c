"""Everything that can be recovered without the catalogue: from the store, and from what waits in the spool."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from appliance.domain.access_records import AccessRecord
from appliance.domain.errors import ApplianceError, ObjectMissing
from appliance.domain.model import Album, Image, Location, Tombstone
from appliance.domain.slugs import EPOCH_S, is_slug, object_key, shard
from appliance.imaging.sniffing import HEAD_BYTES, sniff
from appliance.lifecycle.record_reader import RecordReader
from appliance.objectstore import ObjectInfo, ObjectStore
from appliance.objectstore.access_records import RECORDS
from appliance.shared import files
from appliance.spool import kept_metadata

ORIGINALS = "originals/"
CONCURRENT_REQUESTS = 32  # requests to the store
KEYS_PER_QUERY = 5000
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class StoreScope:
    """Which part of the store to look at: all of it by default. All times are unix seconds.

    Originals whose slugs were minted since `uploaded_since_s`, and those of `slugs`; records that were written since
    `written_since_s`, of slugs minted since `minted_since_s`.
    """

    uploaded_since_s: float = 0.0
    slugs: tuple[str, ...] = ()
    written_since_s: float = 0.0
    minted_since_s: float = 0.0


WHOLE = StoreScope()

FindKnown = Callable[[Sequence[str]], Awaitable[set[str]]]
"""Returns those of the slugs that need not be looked at."""


async def know_nothing(_slugs: Sequence[str]) -> set[str]:
    return set()


class Recovery:
    """One walk over spool and store, or a part of it. `unreadable` has a line for each record without a meaning.

    `in_bin` has the tombstones of images that can still be restored, once `tombstones` was walked.
    """

    def __init__(self, store: ObjectStore, spool_dir: Path, sidecars_dir: Path, scope: StoreScope = WHOLE) -> None:
        self._store = store
        self._scope = scope
        self._landed_dir = spool_dir / "landed"
        self._orphans_dir = spool_dir / "orphans"
        self._sidecars_dir = sidecars_dir
        self._records = RecordReader(store, sidecars_dir)
        self._adopted: list[str] = []
        self.in_bin: list[Tombstone] = []

    @property
    def unreadable(self) -> list[str]:
        return self._records.unreadable

    @property
    def lost_locks(self) -> set[str]:
        return self._records.lost_locks

    async def count(self) -> int:
        """About how many images there are, by their names alone."""
        count = len(self._waiting())
        async for _ in self._store.list(ORIGINALS):
            count += 1
        return count

    async def images(self, known: FindKnown = know_nothing) -> AsyncIterator[Image]:
        """Every image once, those of the store first and in the order of their slugs. Raises StoreUnavailable."""
        waiting = self._waiting()
        for slug in await known(list(waiting)):
            del waiting[slug]
        async for image in _side_by_side(self._keys(known), self._look_up):
            waiting.pop(image.slug, None)
            yield image
        for slug, path in sorted(waiting.items()):
            if (unshipped := await self._unshipped(slug, path)) is not None:
                if path.parent == self._orphans_dir:
                    self._adopted.append(slug)
                yield unshipped

    def adopt(self) -> None:
        """Have files that were set aside for want of a row wait for the store again. Call it once rows are written."""
        for slug in self._adopted:
            (self._orphans_dir / slug).rename(self._landed_dir / slug)
        if self._adopted:
            files.sync(self._landed_dir)

    # --- records --------------------------------------------------------------------------------------------------

    async def tombstones(self) -> AsyncIterator[Tombstone]:
        """Every image erased within the last year; those in the bin go to `in_bin`. Raises StoreUnavailable."""
        async for tombstone in _side_by_side(self._recent("tombstones/"), self._records.tombstone):
            if tombstone.restorable_until_s is not None:
                self.in_bin.append(tombstone)
            else:
                yield tombstone

    async def changes(self) -> AsyncIterator[Image]:
        """Images as their sidecars describe them, those on this disk too. Raises StoreUnavailable."""
        async for described in _side_by_side(self._recent("meta/"), self._sidecars):
            for image in described:
                yield image
        for path in sorted(self._sidecars_dir.glob("*.json")):
            if is_slug(path.stem):
                for image in await self._records.local_sidecar(path.stem):
                    yield image

    async def _sidecars(self, key: str) -> Sequence[Image]:
        slug = key.rpartition("/")[2].removesuffix(".json")
        return await self._records.sidecars(slug) if is_slug(slug) else ()

    async def _recent(self, prefix: str) -> AsyncIterator[str]:
        async for entry in self._store.list(prefix, _key_before(prefix, self._scope.minted_since_s)):
            if entry.modified_s >= self._scope.written_since_s:
                yield entry.key

    async def albums(self) -> AsyncIterator[Album]:
        """Every album that has a record in the store. Raises StoreUnavailable."""
        keys = (
            entry.key async for entry in self._store.list("albums/") if entry.modified_s >= self._scope.written_since_s
        )
        async for album in _side_by_side(keys, self._records.album):
            yield album

    async def access_records(self) -> AsyncIterator[AccessRecord]:
        """What the store knows of access keys and the like. Raises StoreUnavailable."""
        keys = (entry.key async for entry in self._store.list(RECORDS))  # all: no revocation may be missed
        async for record in _side_by_side(keys, self._records.access_record):
            yield record

    # --- images in the store --------------------------------------------------------------------------------------

    async def _keys(self, known: FindKnown) -> AsyncIterator[str]:
        batch = [object_key(slug) for slug in sorted(self._scope.slugs)]
        async for entry in self._store.list(ORIGINALS, _key_before(ORIGINALS, self._scope.uploaded_since_s)):
            batch.append(entry.key)
            if len(batch) >= KEYS_PER_QUERY:
                for key in await _unknown(batch, known):
                    yield key
                batch = []
        for key in await _unknown(batch, known):
            yield key

    async def _look_up(self, key: str) -> Image | None:
        slug = key.rpartition("/")[2]
        if not is_slug(slug) or key != object_key(slug):
            self.unreadable.append(f"{key} is not the key of an image")
            return None
        with contextlib.suppress(ObjectMissing):  # deleted since it was listed
            return await self._records.image(slug, await self._store.stat(key))
        return None

    # --- images in the spool --------------------------------------------------------------------------------------

    def _waiting(self) -> dict[str, Path]:
        """The spool's files that may be nowhere else, by their slugs."""
        folders = [folder for folder in (self._orphans_dir, self._landed_dir) if folder.is_dir()]
        return {path.name: path for folder in folders for path in folder.iterdir() if is_slug(path.name)}

    async def _unshipped(self, slug: str, path: Path) -> Image | None:
        metadata = await asyncio.to_thread(kept_metadata, path)
        if metadata is None:
            self.unreadable.append(f"{path} has no metadata")
            return None
        try:
            size, media_type = await asyncio.to_thread(_size_and_type, path)
        except (ApplianceError, OSError) as error:
            self.unreadable.append(f"{path} can't be read: {error}")
            return None
        image = await self._records.image(slug, ObjectInfo(object_key(slug), size, 0.0, media_type, metadata))
        return replace(image, location=Location.SPOOL) if image else None


async def _side_by_side(
    keys: AsyncIterator[str], look_up: Callable[[str], Coroutine[Any, Any, Found | None]]
) -> AsyncIterator[Found]:
    """What is found for each key, in their order. Keeps `CONCURRENT_REQUESTS` look-ups running."""
    running: deque[asyncio.Task[Found | None]] = deque()
    try:
        async for key in keys:
            running.append(asyncio.create_task(look_up(key)))
            if len(running) >= CONCURRENT_REQUESTS and (found := await running.popleft()) is not None:
                yield found
        while running:
            if (found := await running.popleft()) is not None:
                yield found
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _key_before(prefix: str, minted_s: float) -> str:
    """A key that sorts before those of slugs minted from then on."""
    return f"{prefix}{shard(minted_s)}" if minted_s > EPOCH_S else ""


async def _unknown(keys: list[str], known: FindKnown) -> list[str]:
    found = await known([key.rpartition("/")[2] for key in keys])
    return [key for key in keys if key.rpartition("/")[2] not in found]


def _size_and_type(path: Path) -> tuple[int, str]:
    """A landed file's size in bytes, and its media type, which its metadata does not tell."""
    with path.open("rb") as file:
        return path.stat().st_size, sniff(file.read(HEAD_BYTES)).media_type
