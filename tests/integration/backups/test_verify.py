"""`appliance verify`: a check that can fail, each way once; and what the server's metrics say of it."""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.backups.manifest import MANIFEST, backup_name, describe_part
from appliance.backups.opening import OpenedBackup, open_backup
from appliance.backups.places import FolderPlace, Place
from appliance.commands import verify
from tests.support.backups import backups_in
from tests.support.host import Host, small_config
from tests.support.images import pictures
from tests.support.images_api import change, post
from tests.support.server_process import ServerProcess, serving
from tests.support.waiting import until


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped host with some images, and one whole backup in a folder."""
    folder = tmp_path_factory.mktemp("original")
    asyncio.run(_filled(folder))
    return folder


async def _filled(folder: Path) -> None:
    (folder / "backups").mkdir()
    async with serving(folder / "data", **_settings(folder)) as served, aiohttp.ClientSession() as session:
        for seed in range(4):
            await post(session, served, pictures.photo(seed=seed), f"{seed}.jpg")
        assert served.command("backup").returncode == 0
        gone = await post(session, served, pictures.photo(seed=9), "gone.jpg")
        await change(session, served, gone)
        await served.stop()


def _settings(folder: Path) -> dict[str, str]:
    return {"APPLIANCE_BACKUP_DIRECTORY": str(folder / "backups"), "APPLIANCE_BACKUP_IN_STORE": "false"}


@pytest.fixture
def backed(original: Path, tmp_path: Path) -> ServerProcess:
    """The same once more, to be spoilt."""
    for name in ("data", "backups"):
        shutil.copytree(original / name, tmp_path / name)
    return ServerProcess(tmp_path / "data", **_settings(tmp_path))


def backup_of(served: ServerProcess) -> Path:
    folder = served.data_dir.with_name("backups")
    [name] = backups_in(folder)
    return folder / name


def original_of(served: ServerProcess) -> Path:
    """The stored original of an image in the backup; beside it lies one that came and went later."""
    with sqlite3.connect(backup_of(served) / "catalogue.sqlite") as rows:
        [slug] = rows.execute("SELECT slug FROM images LIMIT 1").fetchone()
    rows.close()
    [path] = (served.data_dir / "store/objects/originals").rglob(slug)
    return path


def spoil(served: ServerProcess, *statements: str, manifest: dict[str, int] | None = None) -> None:
    """Change the backup's catalogue, with a manifest that fits it."""
    path = backup_of(served) / "catalogue.sqlite"
    with sqlite3.connect(path) as rows:
        for statement in statements:
            rows.execute(statement)
    rows.close()
    told = json.loads((backup_of(served) / MANIFEST).read_text())
    part = describe_part(path)
    for one in told["parts"]:
        if one["name"] == part.name:
            one |= {"bytes": part.bytes, "sha256": part.sha256}
    (backup_of(served) / MANIFEST).write_text(json.dumps(told | (manifest or {})))


async def test_a_backup_that_is_as_it_should_be_verifies(backed: ServerProcess) -> None:
    done = backed.command("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is intact and matches the live data: 4 of 4 rows, their objects, 0 originals in the spool" in (done.stdout)
    assert json.loads((backed.data_dir / "backups/state.json").read_text())["verified"] is True
    assert backups_in(backed.data_dir / "backups") == ["backup.lock", "state.json", "verify.lock"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM images WHERE rowid = 2", "It has 3 images, but its manifest says 4."),
        ("UPDATE images SET sha256 = x'00'", "differs between the backup and the live catalogue"),
        ("UPDATE images SET token_hash = x'00'", "differs between the backup and the live catalogue"),
        ("UPDATE images SET version = 9", "differs between the backup and the live catalogue"),
        ("UPDATE images SET ended = 'deleted'", "has only some of the marks of an ended image"),
        ("PRAGMA application_id = 1", "The file is not a catalogue of this appliance."),
    ],
)
async def test_a_backup_whose_rows_differ_fails(backed: ServerProcess, statement: str, words: str) -> None:
    spoil(backed, statement)
    done = backed.command("verify")
    assert done.returncode == 1
    assert words in done.stdout
    assert json.loads((backed.data_dir / "backups/state.json").read_text())["verified"] is False


async def test_a_backup_from_before_an_original_was_replaced_verifies(backed: ServerProcess) -> None:
    with sqlite3.connect(backed.data_dir / "catalogue.sqlite") as rows:
        rows.execute("UPDATE images SET sha256 = zeroblob(32), version = version + 1")
    rows.close()
    done = backed.command("verify")
    assert done.returncode == 0, done.stdout + done.stderr


async def test_a_row_that_never_was_fails(backed: ServerProcess) -> None:
    spoil(backed, "UPDATE images SET slug = '0000AAAAAAAAAAAAA' WHERE rowid = 1")
    assert "is in the backup, but not in the live catalogue" in backed.command("verify").stdout


async def test_an_original_that_the_store_lost_fails(backed: ServerProcess) -> None:
    original = original_of(backed)
    original.unlink()
    done = backed.command("verify")
    assert done.returncode == 1
    assert f"The store has no original of {original.name}." in done.stdout


async def test_an_original_of_another_size_fails(backed: ServerProcess) -> None:
    original = original_of(backed)
    original.unlink()
    original.write_bytes(b"x")
    assert f"The store's original of {original.name} has 1 bytes, not" in backed.command("verify").stdout


async def test_one_flipped_bit_fails(backed: ServerProcess) -> None:
    with (backup_of(backed) / "catalogue.sqlite").open("r+b") as file:
        file.seek(-10, os.SEEK_END)
        [byte] = file.read(1)
        file.seek(-10, os.SEEK_END)
        file.write(bytes([byte ^ 1]))
    done = backed.command("verify")
    assert done.returncode == 1
    assert "doesn't match the manifest" in done.stdout


async def test_a_missing_part_fails(backed: ServerProcess) -> None:
    (backup_of(backed) / "spool.tar").unlink()
    assert backed.command("verify").returncode == 1


async def test_no_backup_at_all_fails(backed: ServerProcess) -> None:
    shutil.rmtree(backup_of(backed))
    done = backed.command("verify")
    assert done.returncode == 1
    assert "There is no complete backup in" in done.stdout


async def test_a_backup_of_long_ago_fails(backed: ServerProcess) -> None:
    path = backup_of(backed)
    old = backup_name(time.time() - 3 * 86_400)
    told = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(told | {"backup": old}))
    path.rename(path.with_name(old))
    done = backed.command("verify")
    assert done.returncode == 1
    assert "is 3.0 days old. Is the timer running?" in done.stdout


def test_a_disk_without_room_for_it_is_said_before_it_is_fetched(backed: ServerProcess) -> None:
    backed.environment["APPLIANCE_UPLOADS_RESERVE_BYTES"] = str(10**15)
    done = backed.command("verify")
    assert done.returncode == 1
    assert re.search(
        r"temporarily needs [0-9,]+ bytes, but only 0 are free \([0-9,]+ missing\)\. Free some space", done.stdout
    )


def test_the_backup_of_one_place_is_gone_before_that_of_the_next_is_opened(
    backed: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, seen = small_config(backed.data_dir), []

    async def opened(place: Place, backup: str, folder: Path, *others: Any, **named: Any) -> OpenedBackup:
        seen.append(backups_in(config.backups_dir / "verify") + backups_in(folder))
        return await open_backup(place, backup, folder, *others, **named)

    place = FolderPlace(backup_of(backed).parent)
    monkeypatch.setattr(verify, "places_of", lambda config, store: [place, place])
    monkeypatch.setattr(verify, "open_backup", opened)
    assert verify.verify(config, identity=None) == 0
    assert seen == [["opened", MANIFEST], ["opened", MANIFEST]]


async def test_metrics_say_when_the_last_backup_was_and_whether_it_verified(host: Host) -> None:
    assert host.counted("backup_timestamp_seconds") == host.counted("backup_up") == 0
    host.appliance.config.backups_dir.mkdir()
    (host.appliance.config.backups_dir / "state.json").write_text(
        '{"backup_s": 17, "verified_s": 18, "verified": true}'
    )
    assert host.counted("backup_timestamp_seconds") == 17
    assert host.counted("backup_verified_timestamp_seconds") == 18
    assert host.counted("backup_up") == 1
    (host.appliance.config.backups_dir / "state.json").write_text("torn")
    assert host.counted("backup_up") == 0


async def test_it_works_beside_a_running_server(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        await post(session, served, pictures.photo(seed=1), "a.jpg")
        await until(lambda: served.command("backup").returncode == 0, "a backup is made")
        done = served.command("verify")
        assert done.returncode == 0, done.stdout
