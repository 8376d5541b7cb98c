"""Every image that can be brought back without the catalogue: from the store, and from what waits in the spool."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from appliance.errors import ApplianceError, ObjectMissing
from appliance.imaging.formats import HEAD_BYTES, sniff
from appliance.model import Image, Location
from appliance.objectstore import ObjectInfo, ObjectStore
from appliance.objectstore.records import UnreadableRecord, image_from
from appliance.slugs import is_slug, object_key, sidecar_key
from appliance.spool import landed_metadata

AT_ONCE = 32  # requests to the store
MAX_SIDECAR_BYTES = 1 << 20


class Recovery:
    """One walk over store and spool. `unreadable` grows with what describes no image, in words for a person."""

    def __init__(self, store: ObjectStore, landed_dir: Path) -> None:
        self._store = store
        self._landed_dir = landed_dir
        self.unreadable: list[str] = []

    async def count(self) -> int:
        """About how many there are, by names alone."""
        count = sum(1 for _ in self._landed_slugs())
        async for _ in self._store.list("originals/"):
            count += 1
        return count

    async def images(self) -> AsyncIterator[Image]:
        """Every image once, those of the store first and in the order of their slugs. Raises StoreUnavailable."""
        landed = set(self._landed_slugs())
        async for image in self._stored():
            landed.discard(image.slug)
            yield image
        for slug in sorted(landed):
            if (waiting := await self._unshipped(slug)) is not None:
                yield waiting

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
            return self._read(slug, await self._store.stat(key), await self._sidecar(slug))
        return None

    async def _sidecar(self, slug: str) -> bytes | None:
        try:
            async with await self._store.open(sidecar_key(slug), 0, MAX_SIDECAR_BYTES) as reader:
                return b"".join([chunk async for chunk in reader])
        except ObjectMissing:
            return None

    def _read(self, slug: str, info: ObjectInfo, sidecar: bytes | None) -> Image | None:
        for source in (sidecar, None) if sidecar is not None else (None,):
            try:
                image = image_from(info, source)
            except UnreadableRecord as error:
                self.unreadable.append(str(error))
                continue
            if image.slug == slug:
                return image
            self.unreadable.append(f"{info.key} describes another image, {image.slug}")
        return None

    def _landed_slugs(self) -> Iterator[str]:
        if self._landed_dir.is_dir():
            yield from (path.name for path in self._landed_dir.iterdir() if is_slug(path.name))

    async def _unshipped(self, slug: str) -> Image | None:
        path = self._landed_dir / slug
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
        image = self._read(slug, info, await self._sidecar(slug))
        return replace(image, location=Location.SPOOL) if image else None


def _size_and_type(path: Path) -> tuple[int, str]:
    """A landed file's size in bytes, and its media type, which its metadata does not tell."""
    with path.open("rb") as file:
        return path.stat().st_size, sniff(file.read(HEAD_BYTES)).media_type
