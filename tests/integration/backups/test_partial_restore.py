"""A restore asks the store for what the rows can't know, and leaves the years before alone."""

import os
import sqlite3
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.catalogue.opening import CatalogueFile
from appliance.commands.merge import MergeResult, merge
from appliance.domain.model import Album, Ending, Image, Location, Tombstone
from appliance.domain.renditions import Facts
from appliance.domain.slugs import mint, object_key, shard, sidecar_key, tombstone_key
from appliance.objectstore import DirectoryStore, ObjectEntry
from appliance.objectstore.records import metadata_of, sidecar_of, tombstone_record

NOW_S = 1_830_000_000
DAY_S = 86_400


def image(days_ago: float) -> Image:
    created_s = int(NOW_S - days_ago * DAY_S)
    return Image(
        slug=mint(created_s),
        filename="a.jpg",
        facts=Facts("image/jpeg", 4, 3),
        bytes=4,
        sha256="0" * 64,
        created_s=created_s,
        expires_s=created_s + 400 * DAY_S,
        token_hash="1" * 64,
        location=Location.STORE,
    )


class Asked(DirectoryStore):
    """A store that remembers what was listed and opened."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.listed: list[str] = []
        self.seen: list[str] = []

    async def list(self, prefix: str, after: str = "") -> AsyncIterator[ObjectEntry]:
        async for entry in super().list(prefix, after):
            self.listed.append(entry.key)
            yield entry


async def no_albums() -> AsyncIterator[Album]:
    return
    yield


class World:
    """A backup's catalogue, made three days ago, and the store of today."""

    def __init__(self, folder: Path) -> None:
        self.catalogue = folder / "catalogue.sqlite"
        self.spool = folder / "spool"
        self.store = Asked(folder / "store")
        self._root = folder / "store"
        self._picture = folder / "picture"
        self._picture.write_bytes(b"jpeg")

    async def fill(self, rows: Iterable[Image]) -> None:
        await self.store.start()

        async def all_of_them() -> AsyncIterator[Image]:
            for one in rows:
                await self.put(one)
                yield one

        await CatalogueFile(self.catalogue).rebuild(all_of_them(), no_albums(), lambda _count: None)

    async def put(self, one: Image) -> None:
        key = object_key(one.slug)
        await self.store.put(key, self._picture, media_type=one.media_type, metadata=metadata_of(one))

    async def tell(self, key: str, data: bytes, days_ago: float) -> None:
        await self.store.put_bytes(key, data, media_type="application/json")
        when = NOW_S - days_ago * DAY_S
        for path in self._root.rglob(f"{key.rpartition('/')[2]}*"):
            os.utime(path, (when, when))

    async def merged(self, *, whole: bool = False) -> MergeResult:
        return await merge(self.store, CatalogueFile(self.catalogue), NOW_S - 3 * DAY_S, self.spool, whole=whole)

    def slugs(self) -> set[str]:
        with sqlite3.connect(self.catalogue) as rows:
            return {slug for (slug,) in rows.execute("SELECT slug FROM images")}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.store.close()


async def test_originals_of_before_the_backup_are_not_listed_and_those_of_later_are_found(world: World) -> None:
    old, newest, later = image(300), image(3), image(1)
    await world.fill([old, newest])
    await world.put(later)
    merged = await world.merged()
    assert merged.uploaded == 1
    assert world.slugs() == {old.slug, newest.slug, later.slug}
    assert object_key(old.slug) not in world.store.listed


async def test_an_upload_that_was_coming_in_for_weeks_is_found(world: World) -> None:
    newest, slow = image(3), image(30)
    await world.fill([newest])
    await world.put(slow)
    with sqlite3.connect(world.catalogue) as rows:
        rows.execute(
            "INSERT INTO uploads (id_hash, kind, slug, filename, metadata, concat, created_s, expires_s, state) "
            "VALUES (x'00', 'whole', ?, 'a.jpg', '', '', 1, 2, 'receiving')",
            (slow.slug,),
        )
    assert (await world.merged()).uploaded == 1
    assert world.slugs() == {newest.slug, slow.slug}


async def test_what_no_row_tells_of_comes_back_when_the_whole_store_is_asked_for(world: World) -> None:
    newest, forgotten = image(3), image(200)
    await world.fill([newest])
    await world.put(forgotten)
    assert (await world.merged()).uploaded == 0
    assert (await world.merged(whole=True)).uploaded == 1
    assert world.slugs() == {newest.slug, forgotten.slug}


async def test_a_catalogue_without_images_asks_for_the_whole_store(world: World) -> None:
    await world.fill([])
    await world.put(image(200))
    assert (await world.merged()).uploaded == 1


async def test_deletions_and_changes_of_later_count_however_old_the_image_is(world: World) -> None:
    deleted, changed, newest, long_gone = image(300), image(299), image(3), image(390)
    await world.fill([deleted, changed, newest])
    for one, days_ago in ((deleted, 1.0), (long_gone, 25.0)):
        stone = tombstone_record(Tombstone(one.slug, Ending.DELETED, int(NOW_S - days_ago * DAY_S)))
        await world.tell(tombstone_key(one.slug), stone, days_ago)
    after = replace(changed, title="After", version=changed.version + 1)
    await world.tell(sidecar_key(changed.slug), sidecar_of(after), 1)
    merged = await world.merged()
    assert (merged.deleted, merged.changed) == (1, 1)
    assert world.slugs() == {changed.slug, newest.slug}
    assert tombstone_key(long_gone.slug) not in world.store.listed
    assert min(key.split("/")[1] for key in world.store.listed) >= shard(deleted.created_s)
