"""Backup, verification, restore and rebuild of a real server, whose catalogue is in a file or in a database."""

from pathlib import Path

import aiohttp
import pytest

from appliance.domain.model import Image
from tests.support.catalogue_file import rows_of
from tests.support.catalogue_kinds import CatalogueKind
from tests.support.images import pictures
from tests.support.images_api import fill, post
from tests.support.server_process import ServerProcess, serving
from tests.support.uploaders import shows_a_rendition


@pytest.fixture(params=[pytest.param("a file", marks=pytest.mark.long), "a database"])
def kind(request: pytest.FixtureRequest) -> CatalogueKind:
    return CatalogueKind(request.getfixturevalue("postgres") if request.param == "a database" else None)


async def living_rows(served: ServerProcess) -> dict[str, Image]:
    """The rows of a server that is stopped, without those that have ended."""
    return {slug: image for slug, image in (await rows_of(served)).items() if image.ended is None}


def titled(rows: dict[str, Image]) -> str:
    """The slug of an image that has sizes, as not all have."""
    return next(slug for slug, image in rows.items() if image.filename == "titled.jpg")


async def test_a_backup_and_the_store_bring_everything_back(kind: CatalogueKind, tmp_path: Path) -> None:
    settings = {"APPLIANCE_UPLOADS_MAX_PIXELS": "5000000", **kind.settings()}
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        await fill(session, served)
        made = served.command("backup")
        assert made.returncode == 0, made.stderr
        verified = served.command("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert "is intact and matches the live data" in verified.stdout
        await fill(session, served)
        assert "Everything is in the store." in served.command("drain").stdout
        await served.stop()
        before = await living_rows(served)
        kind.lose(served)
        refused = served.command("serve")
        assert refused.returncode == 1
        assert "has originals, but " in refused.stderr
        done = served.command("restore")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "passed its check. Start the server." in done.stdout
        await served.start()
        assert await shows_a_rendition(session, served.url, titled(before))
        assert await served.stop() == 0
        assert await living_rows(served) == before
        assert served.command("catalogue", "check").returncode == 0


async def test_a_rebuild_brings_every_row_back(kind: CatalogueKind, tmp_path: Path) -> None:
    settings = {"APPLIANCE_UPLOADS_MAX_PIXELS": "5000000", **kind.settings()}
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        await fill(session, served)
        assert "Everything is in the store." in served.command("drain").stdout
        await served.stop()
        before = await living_rows(served)
        kind.lose(served)
        done = served.command("catalogue", "rebuild")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The catalogue now has " in done.stdout
        await served.start()
        assert await shows_a_rendition(session, served.url, titled(before))
        assert await served.stop() == 0
        assert await living_rows(served) == before


async def test_a_row_that_differs_from_the_newest_backup_is_found(kind: CatalogueKind, tmp_path: Path) -> None:
    async with serving(tmp_path / "data", **kind.settings()) as served, aiohttp.ClientSession() as session:
        one = await post(session, served, pictures.photo(seed=1), "one.jpg")
        two = await post(session, served, pictures.photo(seed=2), "two.jpg")
        assert "Everything is in the store." in served.command("drain").stdout
        assert served.command("backup").returncode == 0
        await served.stop()
        kind.change(served, f"UPDATE images SET filename = 'another.jpg' WHERE slug = '{one['slug']}'")
        kind.change(served, f"DELETE FROM images WHERE slug = '{two['slug']}'")
        found = served.command("verify")
        assert found.returncode == 1
        assert f"Image {one['slug']} differs between the backup and the live catalogue." in found.stdout
        assert f"Image {two['slug']} is in the backup, but not in the live catalogue." in found.stdout
