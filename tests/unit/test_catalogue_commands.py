"""`appliance catalogue` and `appliance expire`, on a real data directory without a server."""

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.catalogue.opening import FILE_NAME, open_catalogue
from appliance.catalogue.sql.marks import add_mark, moved_to
from appliance.catalogue.sqlite.connections import open_writer
from appliance.cli import main
from appliance.config.model import Config
from appliance.domain.flat_image import unflatten
from appliance.domain.model import Ending, Image, Location, Tombstone
from appliance.domain.passphrases import UNREADABLE_LOCK
from appliance.domain.slugs import mint, object_key, sidecar_key
from appliance.domain.tokens import hash_secret
from appliance.objectstore import open_store
from appliance.objectstore.records import metadata_of, sidecar_of, tombstone_record
from appliance.server.data_dir_lock import owned_data_dir
from appliance.spool import ATTRIBUTE

PNG_HEAD = b"\x89PNG\r\n\x1a\n" + b"rest of the picture"

ENDLESS = b'{"slug": "a", "ended": "deleted", "ended_s": 1e999, "version": 1e999}'
ANOTHER_ONES = tombstone_record(Tombstone(slug="1yNqEvM1Xh6dnaz5k", ended=Ending.DELETED, ended_s=1))


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("APPLIANCE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("APPLIANCE_CONFIG", "")
    return Config(data_dir=tmp_path / "data")


def image(**changes: object) -> Image:
    now_s = int(time.time())
    values: dict[str, object] = {
        "slug": mint(now_s),
        "filename": "Ünïcode 猫.png",
        "media_type": "image/png",
        "bytes": len(PNG_HEAD),
        "sha256": hash_secret("picture"),
        "width": 30,
        "height": 20,
        "created_s": now_s,
        "expires_s": now_s + 86_400,
        "token_hash": hash_secret("token"),
        "location": Location.STORE,
    }
    return unflatten(values | changes)


async def _store(config: Config, images: Iterable[Image]) -> None:
    store = open_store(config.store, config.data_dir)
    picture = config.data_dir / "picture"
    picture.write_bytes(PNG_HEAD)
    await store.start()
    for each in images:
        await store.put(object_key(each.slug), picture, media_type=each.media_type, metadata=metadata_of(each))
        if each.title is not None:
            await store.put_bytes(sidecar_key(each.slug), sidecar_of(each), media_type="application/json")
    await store.close()


def stored(config: Config, *images: Image) -> None:
    config.data_dir.mkdir(exist_ok=True)
    asyncio.run(_store(config, images))


def landed(config: Config, waiting: Image) -> None:
    path = config.spool_dir / "landed" / waiting.slug
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PNG_HEAD)
    os.setxattr(path, ATTRIBUTE, json.dumps(metadata_of(waiting)).encode())


async def _with_rows(config: Config, images: Iterable[Image]) -> list[Image]:
    async with open_catalogue(config) as catalogue:
        for each in images:
            await catalogue.images.add(each)
        return await catalogue.images.page()


def rows(config: Config, *added: Image) -> list[Image]:
    """The catalogue's rows, in the order of their slugs, after `added` were."""
    config.data_dir.mkdir(exist_ok=True)
    return asyncio.run(_with_rows(config, added))


def in_order(*images: Image) -> list[Image]:
    return sorted(images, key=lambda each: each.slug)


def test_rebuild_brings_back_every_row_as_it_was(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    plain, titled = image(), image(title="A title", alt="Words", version=3)
    waiting = image(location=Location.SPOOL)
    before = rows(config, plain, titled, waiting)
    stored(config, plain, titled)
    landed(config, waiting)
    (config.data_dir / FILE_NAME).unlink()
    assert main(["catalogue", "rebuild"]) == 0
    assert capsys.readouterr().out == "The catalogue now has 3 images.\n"
    assert rows(config) == before == in_order(plain, titled, waiting)


def test_an_image_both_in_store_and_spool_comes_back_once_and_from_the_store(config: Config) -> None:
    shipped = image()
    stored(config, shipped)
    landed(config, shipped)
    assert main(["catalogue", "rebuild"]) == 0
    assert rows(config) == [shipped]


def test_rebuild_keeps_the_old_catalogue_beside_the_new_one(config: Config) -> None:
    old, kept = image(), image()
    rows(config, old)
    stored(config, kept)
    assert main(["catalogue", "rebuild"]) == 0
    (before,) = config.data_dir.glob("catalogue.sqlite.before-rebuild-*Z")
    with sqlite3.connect(before) as connection:
        assert connection.execute("SELECT slug FROM images").fetchall() == [(old.slug,)]
    connection.close()
    assert rows(config) == [kept]


def test_rebuild_replaces_a_catalogue_that_was_moved_to_a_database_that_is_lost(config: Config) -> None:
    kept = image()
    rows(config, image())
    with closing(open_writer(config.data_dir / FILE_NAME)) as connection:
        add_mark(connection, moved_to("the database that is lost"))
    stored(config, kept)
    assert main(["catalogue", "rebuild"]) == 0
    assert rows(config) == [kept]


def test_what_describes_no_image_is_left_out_and_told(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = image(), image(sha256="")
    stored(config, good, bad)
    stranger = config.spool_dir / "landed" / mint(time.time())
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(PNG_HEAD)
    assert main(["catalogue", "rebuild"]) == 1
    told = capsys.readouterr().err
    assert object_key(bad.slug) in told
    assert stranger.name in told
    assert rows(config) == [good]


def test_a_broken_sidecar_gives_way_to_what_the_original_tells_behind_a_lock(config: Config) -> None:
    plain = image()
    stored(config, plain)

    async def break_sidecar() -> None:
        store = open_store(config.store, config.data_dir)
        await store.put_bytes(sidecar_key(plain.slug), b"{", media_type="application/json")
        await store.close()

    asyncio.run(break_sidecar())
    assert main(["catalogue", "rebuild"]) == 1
    assert rows(config) == [replace(plain, lock=UNREADABLE_LOCK)]


@pytest.mark.parametrize("content", [b"[" * 100_000, b"[]", b"\xff", b"", ENDLESS, ANOTHER_ONES])
@pytest.mark.parametrize("prefix", ["meta", "albums", "tombstones", "records/key"])
def test_what_others_put_under_our_prefixes_is_told_and_breaks_nothing(
    config: Config, capsys: pytest.CaptureFixture[str], prefix: str, content: bytes
) -> None:
    plain = image()
    stored(config, plain)
    key = sidecar_key(plain.slug) if prefix == "meta" else f"{prefix}/{mint(time.time())}.json"

    async def put() -> None:
        store = open_store(config.store, config.data_dir)
        await store.put_bytes(key, content, media_type="application/json")
        await store.close()

    asyncio.run(put())
    assert main(["catalogue", "rebuild"]) == 1
    assert [row.slug for row in rows(config)] == [plain.slug]
    assert "left out" in capsys.readouterr().err


def test_an_empty_store_never_empties_the_catalogue(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows(config, image())
    assert main(["catalogue", "rebuild"]) == 1
    assert "Is it the right one?" in capsys.readouterr().err
    assert rows(config) == before


@pytest.mark.parametrize("command", [["catalogue", "rebuild"], ["expire"]], ids=" ".join)
def test_what_writes_is_refused_while_another_owns_the_data_directory(
    command: list[str], config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with owned_data_dir(config):
        assert main(command) == 1
    assert f"in use by process {os.getpid()}" in capsys.readouterr().err


def test_check_says_that_a_whole_catalogue_is_whole_and_a_damaged_one_is_not(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    rows(config, *(image() for _ in range(50)))
    assert main(["catalogue", "check"]) == 0
    assert capsys.readouterr().out.endswith(" is intact.\n")
    with (config.data_dir / FILE_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    assert main(["catalogue", "check"]) == 1
    captured = capsys.readouterr()
    assert "damaged" in captured.out + captured.err


def test_backup_writes_a_whole_copy_and_never_over_a_file(
    config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows(config, image(), image())
    copy = tmp_path / "copy"
    copy.mkdir()
    assert main(["catalogue", "backup", str(copy / "catalogue.sqlite")]) == 0
    assert rows(Config(data_dir=copy)) == before
    assert main(["catalogue", "backup", str(copy / "catalogue.sqlite")]) == 1
    assert "already exists" in capsys.readouterr().err
    assert main(["catalogue", "backup", str(tmp_path / "absent" / "copy.sqlite")]) == 1
    assert "There is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["check"], ["backup", "copy.sqlite"]], ids=lambda words: words[0])
def test_without_a_catalogue_the_path_is_named(
    command: list[str], config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["catalogue", *command]) == 1
    assert str(config.data_dir / FILE_NAME) in capsys.readouterr().err


def test_expire_ends_what_is_due_and_nothing_else(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    now_s = int(time.time())
    due, alive = image(expires_s=now_s - 5), image()
    rows(config, due, alive)
    assert main(["expire"]) == 0
    assert capsys.readouterr().out == "1 image has expired.\n"
    assert {each.slug: each.ended is not None for each in rows(config)} == {due.slug: True, alive.slug: False}


def test_expire_stops_when_the_clock_looks_wrong_until_a_person_says_it_is_right(
    config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago_s = int(time.time()) - 400 * 86_400
    rows(config, image(created_s=long_ago_s, expires_s=long_ago_s + 86_400))
    assert main(["expire"]) == 1
    assert "--clock-is-right" in capsys.readouterr().err
    assert main(["expire", "--clock-is-right"]) == 0
    assert capsys.readouterr().out == "1 image has expired.\n"
