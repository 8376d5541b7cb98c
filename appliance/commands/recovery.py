"""Every image that can be brought back without the catalogue: from the store, and from what waits in the spool."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from appliance.errors import ApplianceError, ObjectMissing
from appliance.imaging.formats import HEAD_BYTES, sniff
from appliance.lifecycle.sidecars import kept_path
from appliance.model import Image, Location
from appliance.objectstore import ObjectInfo, ObjectStore
from appliance.objectstore.records import UnreadableRecord, image_from
from appliance.slugs import is_slug, object_key, sidecar_key
from appliance.spool import landed_metadata
from appliance.spool.disk import sync_folder

AT_ONCE = 32  # requests to the store
MAX_SIDECAR_BYTES = 1 << 20


class Recovery:
    """One walk over store and spool. `unreadable` grows with what describes no image, in words for a person."""

    def __init__(self, store: ObjectStore, spool_dir: Path, sidecars_dir: Path) -> None:
        self._store = store
        self._landed_dir = spool_dir / "landed"
        self._orphans_dir = spool_dir / "orphans"
        self._sidecars_dir = sidecars_dir
        self.unreadable: list[str] = []
        self._adopted: list[str] = []

    async def count(self) -> int:
        """About how many there are, by names alone."""
        count = len(self._waiting())
        async for _ in self._store.list("originals/"):
            count += 1
        return count

    async def images(self) -> AsyncIterator[Image]:
        """Every image once, those of the store first and in the order of their slugs. Raises StoreUnavailable."""
        waiting = self._waiting()
        async for image in self._stored():
            waiting.pop(image.slug, None)
            yield image
        for slug, path in sorted(waiting.items()):
            if (unshipped := await self._unshipped(slug, path)) is not None:
                if path.parent == self._orphans_dir:
                    self._adopted.append(slug)
                yield unshipped

    def adopt(self) -> None:
        """Once the rows are written: what had been set aside for want of a row waits for the store again."""
        for slug in self._adopted:
            (self._orphans_dir / slug).rename(self._landed_dir / slug)
        if self._adopted:
            sync_folder(self._landed_dir)

    async def _stored(self) -> AsyncIterator[Image]:
        """Keeps `AT_ONCE` look-ups running, and their order."""
        running: deque[asyncio.Task[Image | None]] = deque()
        try:
            async for entry in self._store.list("originals/"):
                running.append(asyncio.create_task(self._look_up(entry.key)))
                if len(running) >= AT_ONCE and (image := await running.popleft()):
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
        """What tells more than the object: the store's sidecar, and the one that still waits to get there."""
        found: list[bytes] = []
        with contextlib.suppress(ObjectMissing):
            async with await self._store.open(sidecar_key(slug), 0, MAX_SIDECAR_BYTES) as reader:
                found.append(b"".join([chunk async for chunk in reader]))
        with contextlib.suppress(FileNotFoundError):
            found.append(await asyncio.to_thread(kept_path(self._sidecars_dir, slug).read_bytes))
        return found

    def _read(self, slug: str, info: ObjectInfo, sidecars: list[bytes]) -> Image | None:
        """The newest of what sidecars tell; without any that can be read, what the object's metadata tells."""
        told = [image for sidecar in sidecars if (image := self._read_one(slug, info, sidecar))]
        return max(told, key=lambda image: image.version) if told else self._read_one(slug, info, None)

    def _read_one(self, slug: str, info: ObjectInfo, sidecar: bytes | None) -> Image | None:
        try:
            image = image_from(info, sidecar)
        except UnreadableRecord as error:
            self.unreadable.append(str(error))
            return None
        if image.slug == slug:
            return image
        self.unreadable.append(f"{info.key} describes another image, {image.slug}")
        return None

    def _waiting(self) -> dict[str, Path]:
        """The files of the spool that may be nowhere else, by their slugs."""
        folders = [folder for folder in (self._orphans_dir, self._landed_dir) if folder.is_dir()]
        return {path.name: path for folder in folders for path in folder.iterdir() if is_slug(path.name)}

    async def _unshipped(self, slug: str, path: Path) -> Image | None:
        metadata = await asyncio.to_thread(landed_metadata, path)
        if metadata is None:
            self.unreadable.append(f"{path} has no metadata with it")
            return None
        try:
            size, media_type = await asyncio.to_thread(_size_and_type, path)
        except (ApplianceError, OSError) as error:
            self.unreadable.append(f"{path} can't be read: {error}")
            return None
        info = ObjectInfo(object_key(slug), size, 0.0, media_type, metadata)
        image = self._read(slug, info, await self._sidecars(slug))
        return replace(image, location=Location.SPOOL) if image else None


def _size_and_type(path: Path) -> tuple[int, str]:
    """A landed file's size in bytes, and its media type, which its metadata does not tell."""
    with path.open("rb") as file:
        return path.stat().st_size, sniff(file.read(HEAD_BYTES)).media_type
