import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TypeVar

import pytest

from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.catalogue.sqlite.file import CatalogueFile
from appliance.domain.errors import CatalogueUnavailable
from appliance.domain.model import Image, Location, PrivateData
from tests.support.rows import changed, image, slug

T = TypeVar("T")


async def _each(rows: Iterable[T]) -> AsyncIterator[T]:
    for one in rows:
        yield one


async def test_a_backup_made_while_rows_are_written_is_whole_and_has_all_from_before(
    catalogue: SqliteCatalogue, path: Path, tmp_path: Path
) -> None:
    await asyncio.gather(*(catalogue.images.add(image(number)) for number in range(3000)))
    backing_up = asyncio.create_task(CatalogueFile(path).copy_to(tmp_path / "backup.db"))
    number = 3000
    while not backing_up.done() or number < 3100:
        await catalogue.images.add(image(number))
        number += 1
    await backing_up
    async with SqliteCatalogue(tmp_path / "backup.db") as copy:
        assert await CatalogueFile(tmp_path / "backup.db").find_problems() == []
        slugs = [one.slug for one in await copy.images.page(limit=number)]
    assert len(slugs) >= 3000
    assert slugs == [slug(n) for n in range(len(slugs))]  # a moment in time: no gaps
    assert len(await catalogue.images.page(limit=number)) == number


async def test_a_backup_replaces_the_older_one_and_leaves_nothing_else(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    async with SqliteCatalogue(path) as catalogue:
        await CatalogueFile(path).copy_to(folder / "backup.db")
        await catalogue.images.add(image())
        await CatalogueFile(path).copy_to(folder / "backup.db")
    assert [file.name for file in folder.iterdir()] == ["backup.db"]
    async with SqliteCatalogue(folder / "backup.db") as copy:
        assert await copy.images.get(slug(0)) == image()


@pytest.mark.usefixtures("catalogue")
async def test_a_backup_into_a_folder_that_is_absent_is_an_error_with_a_name(
    file: CatalogueFile, tmp_path: Path
) -> None:
    with pytest.raises(CatalogueUnavailable):
        await file.copy_to(tmp_path / "absent" / "backup.db")


async def test_a_restored_row_takes_the_bytes_of_an_original_that_was_replaced_since(path: Path) -> None:
    before = image(location=Location.STORE)
    replaced = changed(before, version=2, bytes=5, sha256="ab" * 32, width=7, private_data=PrivateData.REMOVED)
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(before)
    async with CatalogueFile(path).merge() as merging:
        assert await merging.update_images([replaced]) == 1
    async with SqliteCatalogue(path) as catalogue:
        assert await catalogue.images.get(slug(0)) == replaced


async def test_a_rebuilt_catalogue_has_every_image_once(path: Path) -> None:
    images = [image(number, location=Location.STORE, title=f"t{number}") for number in range(7001)]
    heard: list[int] = []
    assert await CatalogueFile(path).rebuild(_each([*images, images[3]]), _each([]), heard.append) == (7001, None)
    assert heard == [5000, 7001]
    async with SqliteCatalogue(path) as catalogue:
        assert await catalogue.images.page(limit=8000) == images
        assert await catalogue.images.unwarmed() == []
        assert await CatalogueFile(path).find_problems() == []


async def test_rebuilding_over_a_catalogue_with_a_log_keeps_the_old_one_beside(path: Path) -> None:
    old = SqliteCatalogue(path)
    await old.start()
    await old.images.add(image(1))
    log = path.with_name(path.name + "-wal")
    crashed = (path.read_bytes(), log.read_bytes())
    await old.stop()
    path.write_bytes(crashed[0])
    log.write_bytes(crashed[1])
    fresh = _each([image(2, location=Location.STORE)])
    count, replaced = await CatalogueFile(path).rebuild(fresh, _each([]), lambda _: None)
    async with SqliteCatalogue(path) as catalogue:
        assert [one.slug for one in await catalogue.images.page()] == [slug(2)]
    assert count == 1
    assert replaced is not None
    async with SqliteCatalogue(Path(str(replaced))) as kept:
        assert [one.slug for one in await kept.images.page()] == [slug(1)]


async def test_a_rebuild_that_fails_leaves_the_old_catalogue(path: Path) -> None:
    async with SqliteCatalogue(path) as catalogue:
        await catalogue.images.add(image(1))

    async def failing() -> AsyncIterator[Image]:
        yield image(2)
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await CatalogueFile(path).rebuild(failing(), _each([]), lambda _: None)
    async with SqliteCatalogue(path) as catalogue:
        assert [one.slug for one in await catalogue.images.page()] == [slug(1)]
    assert [file.name for file in path.parent.iterdir()] == [path.name]
