"""Reads everything that can be recovered without the catalogue: from the store, and from the spool."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.domain.errors import ApplianceError, ObjectMissing
from appliance.domain.model import Album, Image, Location, Tombstone
from appliance.domain.slugs import EPOCH_S, album_key, is_slug, object_key, shard, sidecar_key, tombstone_key
from appliance.imaging.sniffing import HEAD_BYTES, sniff
from appliance.lifecycle.sidecars import kept_path
from appliance.objectstore import ObjectEntry, ObjectInfo, ObjectStore
from appliance.objectstore.records import UnreadableRecord, album_from, image_from, tombstone_from
from appliance.shared import files
from appliance.spool import landed_metadata

ORIGINALS = "originals/"
CONCURRENT_REQUESTS = 32
MAX_SIDECAR_BYTES = 1 << 20
KEYS_PER_QUERY = 5000


@dataclass(frozen=True, slots=True)
class StoreScope:
    """Which part of the store to look at; by default all of it. Times are unix seconds.

    Originals whose slugs were minted since `uploaded_since_s`, and those of `slugs`; sidecars and tombstones that
    were written since `written_since_s` for slugs minted since `minted_since_s`.
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
    """One walk over the spool and the store, or a part of it.

    `unreadable` gets a sentence for each object that describes no image.
    """

    def __init__(self, store: ObjectStore, spool_dir: Path, sidecars_dir: Path, scope: StoreScope = WHOLE) -> None:
        self._store = store
        self._scope = scope
        self._landed_dir = spool_dir / "landed"
        self._orphans_dir = spool_dir / "orphans"
        self._sidecars_dir = sidecars_dir
        self.unreadable: list[str] = []
        self._adopted: list[str] = []

    async def count(self) -> int:
        """The approximate number of images, by names alone."""
        count = len(self._waiting())
        async for _ in self._store.list(ORIGINALS):
            count += 1
        return count

    async def images(self, known: FindKnown = know_nothing) -> AsyncIterator[Image]:
        """Every image once, those in the store first, in the order of their slugs. Raises StoreUnavailable."""
        waiting = self._waiting()
        for slug in await known(list(waiting)):
            del waiting[slug]
        async for image in self._stored(known):
            waiting.pop(image.slug, None)
            yield image
        for slug, path in sorted(waiting.items()):
            if (unshipped := await self._unshipped(slug, path)) is not None:
                if path.parent == self._orphans_dir:
                    self._adopted.append(slug)
                yield unshipped

    async def tombstones(self) -> AsyncIterator[Tombstone]:
        """Every image that was deleted within the last year. Raises StoreUnavailable."""
        async for entry in self._written("tombstones/"):
            with contextlib.suppress(ObjectMissing):
                try:
                    tombstone = tombstone_from(entry.key, await self._whole(entry.key))
                except UnreadableRecord as error:
                    self.unreadable.append(str(error))
                    continue
                if entry.key == tombstone_key(tombstone.slug):
                    yield tombstone

    async def changes(self) -> AsyncIterator[Image]:
        """Images as sidecars describe them, including those still on this disk. Raises StoreUnavailable."""
        async for entry in self._written("meta/"):
            slug = entry.key.rpartition("/")[2].removesuffix(".json")
            if is_slug(slug):
                for image in self._read_each(slug, await self._sidecars(slug)):
                    yield image
        for path in sorted(self._sidecars_dir.glob("*.json")):
            if is_slug(path.stem):
                for image in self._read_each(path.stem, [await asyncio.to_thread(path.read_bytes)]):
                    yield image

    async def _written(self, prefix: str) -> AsyncIterator[ObjectEntry]:
        async for entry in self._store.list(prefix, _from(prefix, self._scope.minted_since_s)):
            if entry.modified_s >= self._scope.written_since_s:
                yield entry

    def _read_each(self, slug: str, sidecars: list[bytes]) -> list[Image]:
        info = ObjectInfo(object_key(slug), 0, 0.0, "")
        return [image for sidecar in sidecars if (image := self._read_one(slug, info, sidecar))]

    async def albums(self) -> AsyncIterator[Album]:
        """Every album that the store has. Raises StoreUnavailable."""
        async for entry in self._store.list("albums/"):
            if entry.modified_s < self._scope.written_since_s:
                continue
            with contextlib.suppress(ObjectMissing):  # deleted since it was listed
                try:
                    album = album_from(entry.key, await self._whole(entry.key))
                except UnreadableRecord as error:
                    self.unreadable.append(str(error))
                    continue
                if entry.key == album_key(album.slug):
                    yield album
                else:
                    self.unreadable.append(f"{entry.key} describes a different album, {album.slug}")

    async def _whole(self, key: str) -> bytes:
        async with await self._store.open(key, 0, MAX_SIDECAR_BYTES) as reader:
            return b"".join([chunk async for chunk in reader])

    def adopt(self) -> None:
        """Let originals that were set aside for lack of a row wait for shipping again. Call it when rows are there."""
        for slug in self._adopted:
            (self._orphans_dir / slug).rename(self._landed_dir / slug)
        if self._adopted:
            files.sync(self._landed_dir)

    async def _keys(self, known: FindKnown) -> AsyncIterator[str]:
        batch = [object_key(slug) for slug in sorted(self._scope.slugs)]
        async for entry in self._store.list(ORIGINALS, _from(ORIGINALS, self._scope.uploaded_since_s)):
            batch.append(entry.key)
            if len(batch) >= KEYS_PER_QUERY:
                for key in await _left(batch, known):
                    yield key
                batch = []
        for key in await _left(batch, known):
            yield key

    async def _stored(self, known: FindKnown) -> AsyncIterator[Image]:
        """Keeps `CONCURRENT_REQUESTS` look-ups running, and returns them in order."""
        running: deque[asyncio.Task[Image | None]] = deque()
        try:
            async for key in self._keys(known):
                running.append(asyncio.create_task(self._look_up(key)))
                if len(running) >= CONCURRENT_REQUESTS and (image := await running.popleft()):
                    yield image
            while running:
                if image := await running.popleft():
                    yield image
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _look_up(self, key: str) -> Image | None:
        slug = key.rpartition("/")[2]
        if not is_slug(slug) or key != object_key(slug):
            self.unreadable.append(f"{key} is not the key of an image")
            return None
        with contextlib.suppress(ObjectMissing):  # deleted since it was listed
            return self._read(slug, await self._store.stat(key), await self._sidecars(slug))
        return None

    async def _sidecars(self, slug: str) -> list[bytes]:
        """The store's sidecar, and the one that is still on this disk; either may be missing."""
        found: list[bytes] = []
        with contextlib.suppress(ObjectMissing):
            found.append(await self._whole(sidecar_key(slug)))
        with contextlib.suppress(FileNotFoundError):
            found.append(await asyncio.to_thread(kept_path(self._sidecars_dir, slug).read_bytes))
        return found

    def _read(self, slug: str, info: ObjectInfo, sidecars: list[bytes]) -> Image | None:
        """The image by its newest sidecar or, without a readable one, by the object's metadata."""
        described = [image for sidecar in sidecars if (image := self._read_one(slug, info, sidecar))]
        return max(described, key=lambda image: image.version) if described else self._read_one(slug, info, None)

    def _read_one(self, slug: str, info: ObjectInfo, sidecar: bytes | None) -> Image | None:
        try:
            image = image_from(info, sidecar)
        except UnreadableRecord as error:
            self.unreadable.append(str(error))
            return None
        if image.slug == slug:
            return image
        self.unreadable.append(f"{info.key} describes a different image, {image.slug}")
        return None

    def _waiting(self) -> dict[str, Path]:
        """Files in the spool that may be nowhere else, by their slugs."""
        folders = [folder for folder in (self._orphans_dir, self._landed_dir) if folder.is_dir()]
        return {path.name: path for folder in folders for path in folder.iterdir() if is_slug(path.name)}

    async def _unshipped(self, slug: str, path: Path) -> Image | None:
        metadata = await asyncio.to_thread(landed_metadata, path)
        if metadata is None:
            self.unreadable.append(f"{path} has no metadata")
            return None
        try:
            size, media_type = await asyncio.to_thread(_size_and_type, path)
        except (ApplianceError, OSError) as error:
            self.unreadable.append(f"{path} can't be read: {error}")
            return None
        info = ObjectInfo(object_key(slug), size, 0.0, media_type, metadata)
        image = self._read(slug, info, await self._sidecars(slug))
        return replace(image, location=Location.SPOOL) if image else None


def _from(prefix: str, minted_s: float) -> str:
    """The start of a listing of slugs minted since then."""
    return f"{prefix}{shard(minted_s)}" if minted_s > EPOCH_S else ""


async def _left(keys: list[str], known: FindKnown) -> list[str]:
    found = await known([key.rpartition("/")[2] for key in keys])
    return [key for key in keys if key.rpartition("/")[2] not in found]


def _size_and_type(path: Path) -> tuple[int, str]:
    """A landed file's size in bytes, and its media type, which its metadata does not have."""
    with path.open("rb") as file:
        return path.stat().st_size, sniff(file.read(HEAD_BYTES)).media_type
