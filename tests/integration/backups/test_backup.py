"""`appliance backup`: what is in it, where it goes, what a crash leaves, and what stays."""

import errno
import json
import os
import shutil
import tarfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import BinaryIO

import aiohttp
import pytest

from appliance.backups.creation import deliver_backup, prepare_backup
from appliance.backups.manifest import MANIFEST, BackupPart, Manifest, backup_name
from appliance.backups.places import FolderPlace, Place, list_complete
from appliance.backups.rclone_place import RemotePlace
from appliance.backups.retention import backups_to_keep, prune
from appliance.backups.signing import Trust
from appliance.backups.store_place import StorePlace
from appliance.commands.backup_context import working_folder
from appliance.domain.errors import ApplianceError, CommandFailed
from appliance.objectstore import DirectoryStore
from tests.support.backups import age_key, backups_in, second_place
from tests.support.host import Host, small_config
from tests.support.images import pictures
from tests.support.programs import require
from tests.support.server_process import ServerProcess, on_minio, serving
from tests.support.servers import minio_server
from tests.support.uploaders import upload


async def test_it_goes_to_the_store_a_folder_and_a_second_place_while_the_server_runs(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(folder)} | second_place(tmp_path / "second")
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        for seed in range(3):
            await upload(session, served.url, pictures.photo(seed=seed))
        done = served.command("backup")
        assert done.returncode == 0, done.stderr
        assert ": 3 images, 0 albums, 0 originals that aren't in the store yet;" in done.stdout
        places = (folder, tmp_path / "second/bucket/appliance", served.data_dir / "store/objects/backups")
        [name] = backups_in(folder)
        for place in places:
            assert backups_in(place) == [name]
            assert backups_in(place / name) == ["catalogue.sqlite", MANIFEST, "spool.tar"]
        manifest = json.loads((folder / name / MANIFEST).read_text())
        assert manifest["images"] == 3
        assert backups_in(served.data_dir / "backups") == ["backup.lock", "state.json"]


async def test_the_walk_for_orphans_neither_counts_nor_deletes_backups(host: Host, jpeg: bytes) -> None:
    await host.upload(jpeg)
    place = StorePlace(host.appliance.store)
    await _brought(host, place)
    before = host.files("store/objects/backups")
    assert await host.appliance.sweeps.orphans() == 0
    assert host.files("store/objects/backups") == before
    assert len(before) == 3


async def test_what_the_store_does_not_have_goes_with_it_with_its_metadata(tmp_path: Path) -> None:
    minio = minio_server(tmp_path / "minio")
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = on_minio(minio, APPLIANCE_BACKUP_DIRECTORY=str(folder), APPLIANCE_BACKUP_IN_STORE="false")
    with minio:
        async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
            await upload(session, served.url, pictures.photo(seed=1))
            minio.stop()
            _, waiting = await upload(session, served.url, pictures.photo(seed=2))
            done = served.command("backup")
            assert done.returncode == 0, done.stderr
            assert "2 images, 0 albums, 1 originals that aren't in the store yet" in done.stdout
            served.kill()
    [name] = backups_in(folder)
    with tarfile.open(folder / name / "spool.tar") as tar:
        [member] = [info for info in tar if info.name.startswith("landed/")]
        assert member.name == f"landed/{waiting['slug']}"
        assert waiting["slug"] in member.pax_headers["SCHILY.xattr.user.appliance"]


async def test_with_a_recipient_nothing_but_the_manifest_can_be_read(tmp_path: Path) -> None:
    key = age_key(tmp_path / "key")
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(folder), "APPLIANCE_BACKUP_AGE_RECIPIENTS": key.recipient}
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        _, image = await upload(session, served.url, pictures.photo(seed=1))
        done = served.command("backup")
        assert done.returncode == 0, done.stderr
        assert ", encrypted, " in done.stdout
    [name] = backups_in(folder)
    assert backups_in(folder / name) == ["catalogue.sqlite.age", MANIFEST, "spool.tar.age"]
    for path in (folder / name).iterdir():
        assert image["slug"].encode() not in path.read_bytes()


async def _brought(host: Host, place: Place) -> str:
    folder = host.appliance.config.backups_dir / f"{host.clock():.0f}"
    folder.mkdir(parents=True)
    made = await prepare_backup(host.appliance.config, folder, (), host.clock)
    await deliver_backup(made, place)
    return made.manifest.backup


class _Broken:
    """A place whose connection breaks at the so-manyth file."""

    name = "a place that breaks"

    def __init__(self, place: Place, at: int) -> None:
        self._place = place
        self._left = at

    async def put(self, backup: str, path: Path) -> None:
        if not self._left:
            raise CommandFailed("It broke.")
        self._left -= 1
        await self._place.put(backup, path)

    async def remove(self, backup: str) -> None:
        raise CommandFailed("It is still broken.")


@pytest.mark.parametrize("files", [0, 1, 2])
async def test_a_backup_that_breaks_off_looks_whole_nowhere(host: Host, tmp_path: Path, files: int) -> None:
    place = FolderPlace(tmp_path)
    with pytest.raises(CommandFailed):
        await _brought(host, _Broken(place, files))  # type: ignore[arg-type]
    assert await list_complete(place) == []
    host.clock.forward(60)
    name = await _brought(host, place)
    assert await list_complete(place) == [name]
    later = datetime.fromtimestamp(host.clock(), UTC) + timedelta(days=2)
    tidied = await prune(place, daily=5, weekly=0, folder=tmp_path, trust=Trust(), now=later)
    assert len(tidied.removed) == bool(files)
    assert await list_complete(place) == [name]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith("Z")] == [name]


@pytest.fixture(params=["folder", "store", "rclone"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return FolderPlace(tmp_path)
    if request.param == "store":
        store = DirectoryStore(tmp_path / "store")
        await store.start()
        request.addfinalizer(lambda: None)
        return StorePlace(store)
    settings = second_place(tmp_path / "second")
    return RemotePlace(settings["APPLIANCE_BACKUP_REMOTE"], Path(settings["APPLIANCE_BACKUP_RCLONE_CONFIG"]))


async def test_every_place_keeps_lists_gives_and_removes(place: Place, tmp_path: Path) -> None:
    assert await place.files() == {}
    part, manifest = tmp_path / "catalogue.sqlite", tmp_path / MANIFEST
    part.write_bytes(b"rows" * 1000)
    manifest.write_bytes(b"{}")
    first, second = "20260101T000000Z", "20260102T000000Z"
    for backup in (first, second):
        await place.put(backup, part)
    assert await list_complete(place) == []
    await place.put(first, manifest)
    assert await list_complete(place) == [first]
    assert await place.files() == {first: {part.name, MANIFEST}, second: {part.name}}
    await place.fetch(first, part.name, tmp_path / "fetched", max_bytes=4000)
    assert (tmp_path / "fetched").read_bytes() == part.read_bytes()
    await place.remove(first)
    assert await place.files() == {second: {part.name}}
    with pytest.raises(ApplianceError):
        await place.fetch(first, part.name, tmp_path / "again", max_bytes=4000)
    close = getattr(getattr(place, "_store", None), "close", None)
    if close is not None:
        await close()


def test_the_newest_of_each_day_and_week_stays() -> None:
    began = datetime(2026, 3, 1, 3, tzinfo=UTC)
    every_six_hours = [backup_name((began + timedelta(hours=6 * step)).timestamp()) for step in range(4 * 60)]
    stay = sorted(backups_to_keep(every_six_hours, daily=3, weekly=4))
    assert stay == [
        "20260412T210000Z",  # of its week the newest, a Sunday
        "20260419T210000Z",
        "20260426T210000Z",
        "20260427T210000Z",
        "20260428T210000Z",
        "20260429T210000Z",
    ]
    assert backups_to_keep(every_six_hours[-1:], daily=1, weekly=0) == set(every_six_hours[-1:])


async def test_what_the_coming_backup_replaces_goes_before_it_is_there(place: Place, tmp_path: Path) -> None:
    backups = ["20260101T000000Z", "20260102T000000Z", "20260103T000000Z"]
    (tmp_path / "catalogue.sqlite").write_bytes(b"rows")
    for backup in backups:
        (tmp_path / "made" / backup).mkdir(parents=True)
        (tmp_path / "made" / backup / MANIFEST).write_bytes(manifest_of(backup))
        await place.put(backup, tmp_path / "made" / backup / MANIFEST)
    await place.put("20260101T120000Z", tmp_path / "catalogue.sqlite")
    coming = partial(prune, place, weekly=0, folder=tmp_path / "made", trust=Trust(), coming="20260104T000000Z")
    now = datetime(2026, 1, 4, tzinfo=UTC)
    assert (await coming(daily=2, now=now)).removed == [backups[0], "20260101T120000Z", backups[1]]
    assert (await coming(daily=1, now=now)).removed == []  # the newest whole one stays
    assert await list_complete(place) == backups[2:]


def manifest_of(backup: str) -> bytes:
    return Manifest(backup, "1", 0, 0, 0, (BackupPart("catalogue.sqlite", 4, "00"),)).to_json()


def test_a_full_folder_recovers_by_itself(tmp_path: Path) -> None:
    """Old ones go though nothing can be brought yet; the fault says how much is missing; nothing half is left."""
    served, folder = _with_catalogue(tmp_path), tmp_path / "backups"
    old = ["20260101T000000Z", "20260102T000000Z", "20260103T000000Z"]
    for name in old:
        (folder / name).mkdir(parents=True)
        (folder / name / MANIFEST).write_bytes(manifest_of(name))
    (folder / "20260104T000000Z").mkdir()
    (folder / "20260104T000000Z/catalogue.sqlite.unfinished").write_bytes(b"half")
    served.environment |= {"APPLIANCE_BACKUP_DIRECTORY": str(folder), "APPLIANCE_BACKUP_KEEP_DAILY": "2"}
    served.environment |= {"APPLIANCE_BACKUP_KEEP_WEEKLY": "0", "APPLIANCE_UPLOADS_RESERVE_BYTES": str(10**15)}
    assert "A backup temporarily needs" in served.command("backup").stderr  # its disk is full
    assert backups_in(folder) == old[2:]
    del served.environment["APPLIANCE_UPLOADS_RESERVE_BYTES"]
    assert served.command("backup").returncode == 0
    assert len(backups_in(folder)) == 2


async def test_a_folder_without_room_is_said_before_anything_is_written(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.statvfs(tmp_path)
    full = os.statvfs_result((*real[:4], 0, *real[5:]))
    make_room = os.statvfs
    monkeypatch.setattr(os, "statvfs", lambda path: full if path == tmp_path / "backups" else make_room(path))
    (tmp_path / "backups").mkdir()
    with pytest.raises(
        CommandFailed, match=r"bytes, but only 0 are free \([0-9,]+ missing\)\. Free space on the disk of"
    ):
        await _brought(host, FolderPlace(tmp_path / "backups"))
    assert backups_in(tmp_path / "backups") == []


async def test_a_disk_that_fills_while_it_is_written_keeps_nothing_half(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, place = shutil.copyfileobj, tmp_path / "backups"

    def full(source: BinaryIO, file: BinaryIO, length: int = 0) -> None:
        if not Path(str(file.name)).is_relative_to(place):
            copy(source, file, length)
            return
        file.write(b"a part of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfileobj", full)
        with pytest.raises(CommandFailed, match="can't be written to: No space left on device"):
            await _brought(host, FolderPlace(tmp_path / "backups"))
    assert backups_in(tmp_path / "backups") == []


def test_a_place_that_fails_keeps_no_other_from_its_backup(tmp_path: Path) -> None:
    served = _with_catalogue(tmp_path)
    served.environment |= {"APPLIANCE_BACKUP_DIRECTORY": str(tmp_path / "not-mounted")}
    done = served.command("backup")
    assert done.returncode == 1
    assert f"the folder {tmp_path}/not-mounted: The folder" in done.stderr
    assert "Saved to the store" in done.stdout


def test_root_leaves_nothing_in_the_servers_directory(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        require("root", "only root can give a directory away")
    served = _with_catalogue(tmp_path)
    os.chown(served.data_dir, 12345, 12345)
    done = served.command("backup")
    assert done.returncode == 1
    assert "belongs to user 12345. Run this as that user" in done.stderr
    assert not (served.data_dir / "backups").exists()


def test_two_backups_at_once_are_one_too_many(tmp_path: Path) -> None:
    served = _with_catalogue(tmp_path)
    config = small_config(served.data_dir)
    with working_folder(config, "backup"):
        done = served.command("backup")
    assert done.returncode == 1
    assert "Another `appliance backup` is running on" in done.stderr


def test_without_a_catalogue_or_a_place_it_says_what_is_missing(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    served.data_dir.mkdir()
    assert "There is no catalogue at" in served.command("backup").stderr
    served = _with_catalogue(tmp_path / "other")
    served.environment |= {"APPLIANCE_BACKUP_IN_STORE": "false"}
    assert "No place for backups is configured" in served.command("backup").stderr


def test_a_recipient_that_is_a_secret_key_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    served = _with_catalogue(tmp_path)
    served.environment |= {"APPLIANCE_BACKUP_AGE_RECIPIENTS": "AGE-SECRET-KEY-1XYZ"}
    done = served.command("backup")
    assert "backup.age_recipients" in done.stderr
    assert not (served.data_dir / "store/objects/backups").exists()


def _with_catalogue(folder: Path) -> ServerProcess:
    served = ServerProcess(folder / "data")
    served.data_dir.mkdir(parents=True)
    assert served.command("expire").returncode == 0
    (served.data_dir / "store/unfinished").mkdir(parents=True)
    return served
