"""A catalogue that was lost is made again from store and spool, and no row differs."""

import asyncio
import io
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from minio import Minio

from appliance.domain.model import Ending, Image
from tests.support.catalogue_file import rows_of
from tests.support.images import pictures
from tests.support.images_api import HARD_NAMES, change, fill, post
from tests.support.server_process import ServerProcess, on_minio, serving
from tests.support.servers import minio_server
from tests.support.uploaders import Uploaders, shows_a_rendition
from tests.support.waiting import until


def lose_catalogue(served: ServerProcess) -> None:
    for path in served.data_dir.glob("catalogue.sqlite*"):
        path.rename(served.data_dir.parent / f"lost-{path.name}")


def same_but_deleted(before: dict[str, Image], after: dict[str, Image], deleted: Any) -> None:
    """No living row differs; what its owner deleted comes back as deleted, or not at all."""
    assert after.get(deleted["slug"], before[deleted["slug"]]).ended is Ending.DELETED
    living = {slug: image for slug, image in before.items() if image.ended is None}
    assert {slug: image for slug, image in after.items() if image.ended is None} == living
    assert len(living) == len(before) - 1


async def test_a_directory_store_gives_every_row_back(tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "data", APPLIANCE_UPLOADS_MAX_PIXELS="5000000") as served,
        aiohttp.ClientSession() as session,
    ):
        deleted = await fill(session, served)
        assert await served.stop() == 0
        before = await rows_of(served)
        lose_catalogue(served)
        done = served.command("catalogue", "rebuild")
        assert done.returncode == 0, done.stderr
        assert f"{len(before)} images" in done.stdout
        same_but_deleted(before, await rows_of(served), deleted)

        await served.start()
        kept = next(slug for slug, image in before.items() if image.filename == HARD_NAMES[0])
        assert await shows_a_rendition(session, served.url, kept)
        assert await served.stop() == 0


async def test_keys_that_are_not_ours_do_not_break_a_rebuild(tmp_path: Path) -> None:
    """A console marks folders with empty objects; others may keep empty files where our records lie."""
    with minio_server(tmp_path / "minio") as minio:
        async with serving(tmp_path / "data", **on_minio(minio)) as served, aiohttp.ClientSession() as session:
            await post(session, served, pictures.photo(seed=31), "one.jpg", title="One")
            await until(lambda: _unshipped(served) == [], "all is shipped")
            assert await served.stop() == 0
            before = await rows_of(served)
            lose_catalogue(served)
            bucket = Minio(minio.endpoint, minio.access_key, minio.secret_key, secure=False)
            for key in (
                "tombstones/",
                "albums/",
                "meta/",
                "originals/",
                "originals/by hand.jpg",
                "backups/",
                "parts/a/0",
            ):
                bucket.put_object("images", key, io.BytesIO(), 0)
            done = served.command("catalogue", "rebuild")
            assert done.returncode == 0, done.stderr
            assert await rows_of(served) == before
            bucket.put_object("images", "tombstones/empty", io.BytesIO(), 0)
            named = served.command("catalogue", "rebuild")
            assert named.returncode == 1
            assert "tombstones/empty does not describe a tombstone" in named.stderr
            assert await rows_of(served) == before


async def test_a_store_that_was_away_for_a_while_gives_every_row_back(tmp_path: Path) -> None:
    """Some were shipped, some changed after that, and some never reached the store at all."""
    minio = minio_server(tmp_path / "minio")
    with minio:
        settings = on_minio(minio, APPLIANCE_UPLOADS_MAX_PIXELS="5000000")
        async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
            first = await fill(session, served)
            shipped = await post(session, served, pictures.photo(seed=30), "shipped.jpg", title="In time")
            await until(lambda: _unshipped(served) == [], "all is shipped")
            minio.stop()
            await change(session, served, shipped, title="Too late for the store")
            again = await fill(session, served)
            assert await served.stop() == 0
            before = await rows_of(served)
            lose_catalogue(served)

            refused = served.command("catalogue", "rebuild")
            assert refused.returncode == 1
            assert "store" in refused.stderr
            assert not (served.data_dir / "catalogue.sqlite").exists()

            minio.start()
            done = served.command("catalogue", "rebuild")
            assert done.returncode == 0, done.stderr
            after = await rows_of(served)
            before.pop(first["slug"], None)
            after.pop(first["slug"], None)
            same_but_deleted(before, after, again)
            assert after[shipped["slug"]].title == "Too late for the store"
            await served.start()
            await until(lambda: len(_unshipped(served)) <= 1, "the rest is shipped")
            assert await served.stop() == 0


def _unshipped(served: ServerProcess) -> list[str]:
    return os.listdir(served.data_dir / "spool/landed")


async def test_a_rebuild_is_refused_while_a_server_runs(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served:
        done = served.command("catalogue", "rebuild")
        assert done.returncode == 1
        assert f"in use by process {served.pid}" in done.stderr


async def test_a_rebuild_shows_its_progress_to_who_watches_and_keeps_the_old_catalogue(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        for seed in range(3):
            await post(session, served, pictures.photo(64, 64, seed=seed), "a.jpg")
        assert await served.stop() == 0
        before = await rows_of(served)
        shown, status = served.on_terminal("catalogue", "rebuild")
        assert status == 0, shown
        assert "100%" in shown
        assert "3/3" in shown
        assert list(served.data_dir.glob("catalogue.sqlite.before-rebuild-*"))
        assert await rows_of(served) == {slug: replace(image) for slug, image in before.items()}


# --- beside the running server ----------------------------------------------------------------------------------------


async def test_a_backup_under_load_opens_passes_its_check_and_holds_what_was_promised_before(tmp_path: Path) -> None:

    async with serving(tmp_path / "data") as served:
        uploaders = Uploaders(served.url, seed=5)
        async with uploaders.at_work():
            await until(lambda: len(uploaders.promises) > 20, "some load")
            promised = {promise.slug for promise in uploaders.promises}
            copy = tmp_path / "copy.sqlite"
            done = await asyncio.to_thread(served.command, "catalogue", "backup", str(copy))
            assert done.returncode == 0, done.stderr
            went_on = len(uploaders.promises)
            await until(lambda: len(uploaders.promises) > went_on, "uploads go on")
        assert uploaders.faults == []
        connection = sqlite3.connect(copy)
        try:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert promised <= {slug for (slug,) in connection.execute("SELECT slug FROM images")}
        finally:
            connection.close()
        assert await served.stop() == 0
        restored = ServerProcess(tmp_path / "restored")
        restored.data_dir.mkdir()
        copy.rename(restored.data_dir / "catalogue.sqlite")
        checked = restored.command("catalogue", "check")
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("running", [True, False], ids=["through the server", "alone"])
async def test_expire_ends_what_is_due(tmp_path: Path, running: bool) -> None:

    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        image = await post(session, served, pictures.photo(64, 64), "short.jpg", expires_in="1")
        await post(session, served, pictures.photo(64, 64, seed=2), "long.jpg")
        await asyncio.sleep(1.5)
        if not running:
            assert await served.stop() == 0
        done = await asyncio.to_thread(served.command, "expire")
        assert done.returncode == 0, done.stderr
        assert "1 image has expired" in done.stdout
        if running:
            async with session.get(f"{served.url}/i/{image['slug']}") as reply:
                assert reply.status == 410
            assert await served.stop() == 0
        rows = await rows_of(served)
        assert [row.filename for row in rows.values() if row.ended is Ending.EXPIRED] == ["short.jpg"]


async def test_no_command_makes_an_empty_catalogue_where_one_was_lost(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        await post(session, served, pictures.photo(64, 64), "a.jpg")
        assert await served.stop() == 0
        lose_catalogue(served)
        refused = served.command("expire")
        assert refused.returncode == 1
        assert "catalogue rebuild" in refused.stderr
        assert not (served.data_dir / "catalogue.sqlite").exists()


async def test_what_was_set_aside_for_want_of_a_row_is_rebuilt_served_and_shipped(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        image = await post(session, served, pictures.photo(64, 64), "a.jpg", title="Aside")
        await until(lambda: _unshipped(served) == [], "it is shipped")
        assert await served.stop() == 0
        slug = image["slug"]
        orphan = served.data_dir / "spool/orphans" / slug
        (served.data_dir / "spool/copies" / slug).rename(orphan)
        (stored,) = (path for path in (served.data_dir / "store/objects").rglob(slug))
        stored.unlink()
        lose_catalogue(served)
        done = served.command("catalogue", "rebuild")
        assert done.returncode == 0, done.stderr
        assert not orphan.exists()
        await served.start()
        assert await shows_a_rendition(session, served.url, slug)
        await until(stored.exists, "it is shipped again")
        assert await served.stop() == 0
