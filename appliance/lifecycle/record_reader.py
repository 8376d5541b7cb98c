"""Reading what the store and this disk know about images, albums and access, without the catalogue.

Outside its row an image is described by the newest of its sidecars: the store's, or the one that waits on this disk. An
image without a sidecar is described by its object's metadata, which always says what the object's bytes are.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from appliance.domain.access_records import AccessRecord
from appliance.domain.errors import ObjectMissing
from appliance.domain.model import Album, Image, Tombstone
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.domain.slugs import album_key, object_key, sidecar_key, tombstone_key
from appliance.lifecycle.sidecars import sidecar_path
from appliance.objectstore import ObjectInfo, ObjectStore
from appliance.objectstore.access_records import record_from, unreadable_record
from appliance.objectstore.records import UnreadableRecord, album_from, as_stored, image_from, tombstone_from

MAX_RECORD_BYTES = 1 << 20


class RecordReader:
    """Reads one record at a time. `unreadable` grows with a line for each that describes nothing of ours.

    `lost_locks` grows with the slugs of images and albums whose record can't be read: they may be locked.

    Every method may raise StoreUnavailable. A record that was deleted meanwhile is None, and no line.
    """

    def __init__(self, store: ObjectStore, sidecars_dir: Path) -> None:
        self._store = store
        self._sidecars_dir = sidecars_dir
        self.unreadable: list[str] = []
        self.lost_locks: set[str] = set()

    async def image(self, slug: str, info: ObjectInfo) -> Image | None:
        """The image whose original `info` describes; where no sidecar can be read, as its metadata says.

        It is locked where one of them can't be read, which may have had a lock.
        """
        if described := await self.sidecars(slug):
            image = self._as_stored(max(described, key=lambda image: image.version), info)
        else:
            image = self._parse_image(slug, info, None)
        return replace(image, lock=UNREADABLE_LOCK) if image is not None and slug in self.lost_locks else image

    def _as_stored(self, image: Image, info: ObjectInfo) -> Image | None:
        try:
            return as_stored(image, info)
        except UnreadableRecord as error:
            self.unreadable.append(str(error))
            return None

    async def sidecars(self, slug: str) -> Sequence[Image]:
        """The image as each of its sidecars describes it: the store's, and the one on this disk."""
        found: list[bytes] = []
        with suppress(ObjectMissing):
            found.append(await self._read(sidecar_key(slug)))
        with suppress(FileNotFoundError):
            found.append(await self._read_local(slug))
        return self._parse_sidecars(slug, found)

    async def local_sidecar(self, slug: str) -> Sequence[Image]:
        """The image as the sidecar on this disk describes it, if there is one."""
        try:
            return self._parse_sidecars(slug, [await self._read_local(slug)])
        except FileNotFoundError:
            return []

    async def album(self, key: str) -> Album | None:
        """The album whose record is at `key`."""
        try:
            album = album_from(key, await self._read(key))
            if key != album_key(album.slug):
                raise UnreadableRecord(f"{key} describes a different album, {album.slug}")
        except ObjectMissing:
            return None
        except UnreadableRecord as error:
            self.unreadable.append(str(error))
            self.lost_locks.add(key.rpartition("/")[2].removesuffix(".json"))
            return None
        return album

    async def tombstone(self, key: str) -> Tombstone | None:
        """The tombstone at `key`."""
        try:
            tombstone = tombstone_from(key, await self._read(key))
            if key != tombstone_key(tombstone.slug):
                raise UnreadableRecord(f"{key} describes a different image, {tombstone.slug}")
        except ObjectMissing:
            return None
        except UnreadableRecord as error:
            self.unreadable.append(str(error))
            return None
        return tombstone

    async def access_record(self, key: str) -> AccessRecord | None:
        """The access record at `key`. A ban or lock that can't be read stays in force, without an end."""
        try:
            return record_from(key, await self._read(key))
        except ObjectMissing:
            return None
        except UnreadableRecord as error:
            left = unreadable_record(key)
            self.unreadable.append(str(error) if left is None else f"{error}; it stays in force")
            return left

    async def _read(self, key: str) -> bytes:
        async with await self._store.open(key, 0, MAX_RECORD_BYTES) as reader:
            return b"".join([chunk async for chunk in reader])

    async def _read_local(self, slug: str) -> bytes:
        return await asyncio.to_thread(sidecar_path(self._sidecars_dir, slug).read_bytes)

    def _parse_sidecars(self, slug: str, sidecars: Sequence[bytes]) -> Sequence[Image]:
        info = ObjectInfo(object_key(slug), 0, 0.0, "")
        return [image for sidecar in sidecars if (image := self._parse_image(slug, info, sidecar))]

    def _parse_image(self, slug: str, info: ObjectInfo, sidecar: bytes | None) -> Image | None:
        try:
            image = image_from(info, sidecar)
            if image.slug != slug:
                raise UnreadableRecord(f"{info.key} describes a different image, {image.slug}")
        except UnreadableRecord as error:
            if sidecar is not None:
                self.lost_locks.add(slug)
            self.unreadable.append(str(error) if sidecar is None else f"{error}; the image is locked")
            return None
        return image
