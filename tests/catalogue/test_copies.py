import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from appliance.catalogue import Catalogue, backup_file, open_catalogue, rebuild
from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Image, Location
from tests.support.rows import image, slug


async def _each(images: Iterable[Image]) -> AsyncIterator[Image]:
    for one in images:
        yield one


async def test_a_backup_made_while_rows_are_written_is_whole_and_has_all_from_before(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    await asyncio.gather(*(catalogue.add(image(number)) for number in range(3000)))
    backing_up = asyncio.create_task(catalogue.backup(tmp_path / "backup.db"))
    number = 3000
    while not backing_up.done() or number < 3100:
        await catalogue.add(image(number))
        number += 1
    await backing_up
    async with Catalogue(tmp_path / "backup.db") as copy:
        assert await copy.check() == []
        slugs = [one.slug for one in await copy.page(limit=number)]
    assert len(slugs) >= 3000
    assert slugs == [slug(n) for n in range(len(slugs))]  # a moment in time: no gaps
    assert len(await catalogue.page(limit=number)) == number


async def test_a_backup_replaces_the_older_one_and_leaves_nothing_else(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    async with Catalogue(path) as catalogue:
        await catalogue.backup(folder / "backup.db")
        await catalogue.add(image())
        await backup_file(path, folder / "backup.db")
    assert [file.name for file in folder.iterdir()] == ["backup.db"]
    async with Catalogue(folder / "backup.db") as copy:
        assert await copy.get(slug(0)) == image()


async def test_a_backup_into_a_folder_that_is_absent_is_an_error_with_a_name(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    with pytest.raises(CatalogueUnavailable):
        await catalogue.backup(tmp_path / "absent" / "backup.db")


async def test_a_rebuilt_catalogue_has_every_image_once(path: Path) -> None:
    images = [image(number, location=Location.STORE, title=f"t{number}") for number in range(7001)]
    heard: list[int] = []
    assert await rebuild(_each([*images, images[3]]), path, heard.append) == 7001
    assert heard == [5000, 7001]
    async with Catalogue(path) as catalogue:
        assert await catalogue.page(limit=8000) == images
        assert await catalogue.unwarmed() == []
        assert await catalogue.check() == []


async def test_rebuilding_over_a_catalogue_with_a_log_keeps_the_old_one_beside(path: Path) -> None:
    old = await open_catalogue(path)
    await old.add(image(1))
    log = path.with_name(path.name + "-wal")
    crashed = (path.read_bytes(), log.read_bytes())
    await old.stop()
    path.write_bytes(crashed[0])
    log.write_bytes(crashed[1])
    await rebuild(_each([image(2, location=Location.STORE)]), path, lambda _: None)
    async with Catalogue(path) as catalogue:
        assert [one.slug for one in await catalogue.page()] == [slug(2)]
    async with Catalogue(path.with_name(path.name + ".replaced")) as kept:
        assert [one.slug for one in await kept.page()] == [slug(1)]


async def test_a_rebuild_that_fails_leaves_the_old_catalogue(path: Path) -> None:
    async with Catalogue(path) as catalogue:
        await catalogue.add(image(1))

    async def failing() -> AsyncIterator[Image]:
        yield image(2)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await rebuild(failing(), path, lambda _: None)
    async with Catalogue(path) as catalogue:
        assert [one.slug for one in await catalogue.page()] == [slug(1)]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
