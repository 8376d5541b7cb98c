"""`appliance restore`: on a new machine, with what the store has learned since, and nothing that was deleted."""

import asyncio
import json
import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from appliance.backups.manifest import MANIFEST, backup_name
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.commands.restore import restore
from appliance.commands.restore_options import RestoreOptions
from appliance.domain.errors import CommandFailed
from appliance.domain.model import Ending, Image, Tombstone
from tests.support.backups import age_key, backups_in, on_a_new_machine, second_place, without
from tests.support.catalogue_file import rows_of
from tests.support.host import small_config
from tests.support.images import pictures
from tests.support.images_api import change, fill, post
from tests.support.server_process import ServerProcess, on_minio, serving
from tests.support.servers import minio_server
from tests.support.uploaders import Promise, broken_promises
from tests.support.waiting import until


def promise(image: Any) -> Promise:
    return Promise(image["slug"], image["sha256"], image["delete_token"])


async def status_of(session: aiohttp.ClientSession, served: ServerProcess, slug: str) -> int:
    async with session.get(f"{served.url}/i/{slug}/original") as reply:
        return reply.status


async def test_everything_comes_back_on_a_new_machine_and_nothing_that_was_deleted(tmp_path: Path) -> None:
    """Uploads, changes and deletions go on after the backup; a deleted one was unshipped when it was made."""
    minio = minio_server(tmp_path / "minio")
    key = age_key(tmp_path / "key")
    settings = on_minio(minio, APPLIANCE_BACKUP_AGE_RECIPIENTS=key.recipient, **second_place(tmp_path / "second"))
    with minio:
        async with (
            serving(tmp_path / "data", **settings) as served,
            aiohttp.ClientSession() as session,
        ):
            kept = await post(session, served, pictures.photo(seed=40), "kept.jpg", title="Before")
            deleted = await post(session, served, pictures.photo(seed=41), "deleted.jpg")
            short = await post(session, served, pictures.photo(seed=42), "short.jpg", expires_in="1d")
            minio.stop()
            unshipped = await post(session, served, pictures.photo(seed=43), "unshipped.jpg")
            doomed = await post(session, served, pictures.photo(seed=44), "doomed.jpg")
            made = served.command("backup")
            assert made.returncode == 1, made.stdout  # the store is away, the second place has it
            assert "originals that aren't in the store yet" in made.stdout

            minio.start()
            await until(lambda: _all_shipped(served), "all is shipped")
            later = await post(session, served, pictures.photo(seed=45), "later.jpg", title="Later")
            await change(session, served, kept, title="After")
            await change(session, served, short, expires_in="600d")
            await change(session, served, deleted)
            await change(session, served, doomed)
            album = await _album(session, served, kept, later)
            await until(lambda: _originals(minio.folder) == 4, "both are erased")
            assert "Everything is in the store." in served.command("drain").stdout
            before = await _after_stop(served)

            fresh = on_a_new_machine(served, tmp_path / "new")
            refused = fresh.command("restore")
            assert refused.returncode == 1
            assert "Name the file with your age key" in refused.stderr
            assert not (fresh.data_dir / "catalogue.sqlite").exists()
            done = fresh.command("restore", "--identity", str(key.identity))
            assert done.returncode == 0, done.stdout + done.stderr
            assert "Added from the store since the backup: 1 uploads, 2 changes, 2 deletions, 1 albums" in done.stdout
            assert "has 4 images and passed its check. Start the server." in done.stdout
            assert fresh.command("catalogue", "check").returncode == 0

            await fresh.start()
            try:
                for image in (kept, short, unshipped, later):
                    assert await broken_promises(session, fresh.url, [promise(image)]) == []
                for gone in (deleted, doomed):
                    assert await status_of(session, fresh, gone["slug"]) == 410
                async with session.get(f"{fresh.url}/a/{album['slug']}") as reply:
                    assert reply.status == 200
                await change(session, fresh, later, title="The token still works")
                assert "Everything is in the store." in fresh.command("drain").stdout
                after = await _after_stop(fresh)
            finally:
                fresh.abandon()
    for rows in (before, after):
        del rows[later["slug"]]  # it was changed afterwards
    assert after == before


async def _album(session: aiohttp.ClientSession, served: ServerProcess, *images: Any) -> Any:
    of = {"images": [image["slug"] for image in images], "title": "Holidays"}
    async with session.post(f"{served.url}/api/v1/albums", json=of) as reply:
        return await reply.json()


async def _after_stop(served: ServerProcess) -> dict[str, Image]:
    await served.stop()
    return {slug: image for slug, image in (await rows_of(served)).items() if image.ended is None}


def _all_shipped(served: ServerProcess) -> bool:
    return not any((served.data_dir / "spool/landed").iterdir())


def _originals(minio: Path) -> int:
    return len({path.name for path in minio.glob("disk1/images/originals/*/*")})


async def test_a_rebuild_and_a_restore_come_to_the_same(tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "data", APPLIANCE_UPLOADS_MAX_PIXELS="5000000") as served,
        aiohttp.ClientSession() as session,
    ):
        await fill(session, served)
        assert served.command("backup").returncode == 0
        await fill(session, served)
        assert "Everything is in the store." in served.command("drain").stdout
        before = await _after_stop(served)
        for path in served.data_dir.glob("catalogue.sqlite*"):
            path.rename(tmp_path / path.name)
        done = served.command("restore")
        assert done.returncode == 0, done.stdout + done.stderr
        after = {slug: image for slug, image in (await rows_of(served)).items() if image.ended is None}
        assert after == before


async def test_a_data_directory_in_use_is_never_overwritten(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        await post(session, served, pictures.photo(seed=1), "a.jpg")
        assert served.command("backup").returncode == 0
        catalogue = served.data_dir / "catalogue.sqlite"
        running = served.command("restore")
        assert running.returncode == 1
        assert "is in use by process" in running.stderr
        await served.stop()
        held = catalogue.read_bytes()
        stopped = served.command("restore")
        assert stopped.returncode == 1
        assert "already exists, so nothing was changed" in stopped.stderr
        assert catalogue.read_bytes() == held


async def test_it_takes_a_folder_one_backup_and_a_bare_copy(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    async with serving(tmp_path / "data", APPLIANCE_BACKUP_DIRECTORY=str(folder)) as served:
        async with aiohttp.ClientSession() as session:
            await post(session, served, pictures.photo(seed=1), "a.jpg")
        assert served.command("backup").returncode == 0
        assert served.command("catalogue", "backup", str(tmp_path / "copy.sqlite")).returncode == 0
        await served.stop()
    [name] = backups_in(folder)
    for number, source in enumerate((folder, folder / name, tmp_path / "copy.sqlite")):
        fresh = on_a_new_machine(served, tmp_path / f"new{number}")
        shutil.copytree(served.data_dir / "store", fresh.data_dir / "store")
        done = fresh.command("restore", "--from", str(source))
        assert done.returncode == 0, done.stderr
        assert "has 1 images and passed its check" in done.stdout
    nothing = on_a_new_machine(served, tmp_path / "nothing").command("restore", "--from", str(tmp_path / "absent"))
    assert "Nothing was found at" in nothing.stderr
    wrong = on_a_new_machine(served, tmp_path / "wrong").command("restore", "--backup", "20200101T000000Z")
    assert "There is no backup 20200101T000000Z in" in wrong.stderr


async def test_the_backup_that_a_new_machine_made_of_itself_is_not_taken_for_the_lost_one(tmp_path: Path) -> None:
    """Two nights went by before anybody restored: neither its newest backup nor the one before has the rows."""
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(folder), "APPLIANCE_BACKUP_IN_STORE": "false"}
    async with serving(tmp_path / "data", **settings) as lost, aiohttp.ClientSession() as session:
        for seed in range(3):
            await post(session, lost, pictures.photo(seed=seed), f"{seed}.jpg")
        assert lost.command("backup").returncode == 0
        await lost.stop()
    full = _made_days_ago(folder, 3)
    fresh = on_a_new_machine(lost, tmp_path / "new")
    fresh.data_dir.mkdir()
    assert fresh.command("expire").returncode == 0  # which makes an empty catalogue
    shutil.copytree(lost.data_dir / "store", fresh.data_dir / "store", dirs_exist_ok=True)
    assert fresh.command("backup").returncode == 0
    _made_days_ago(folder, 1)
    assert fresh.command("backup").returncode == 0
    for path in fresh.data_dir.glob("catalogue.sqlite*"):
        path.unlink()
    refused = fresh.command("restore")
    assert refused.returncode == 1
    assert (
        f"has 0 rows, and {full} in the folder {folder} has 3: it may come from a reinstalled machine" in refused.stderr
    )
    assert f"Name the one you want: --backup {full}, or --backup {backups_in(folder)[-1]}." in refused.stderr
    assert not (fresh.data_dir / "catalogue.sqlite").exists()
    done = fresh.command("restore", "--backup", full)
    assert done.returncode == 0, done.stderr
    assert "has 3 images and passed its check" in done.stdout


def _made_days_ago(folder: Path, days: int) -> str:
    """Give the newest backup another time, and so another name."""
    path = folder / backups_in(folder)[-1]
    name = backup_name(time.time() - days * 86_400)
    told = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(told | {"backup": name}))
    path.rename(folder / name)
    return name


def test_what_this_user_cannot_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "copy.sqlite").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(CommandFailed, match=r"copy\.sqlite can't be read by the current user \([0-9]+\)"):
        restore(small_config(tmp_path / "data"), RestoreOptions(source=str(tmp_path / "copy.sqlite")))


async def test_a_damaged_backup_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(folder), "APPLIANCE_BACKUP_IN_STORE": "false"}
    async with serving(tmp_path / "data", **settings) as served, aiohttp.ClientSession() as session:
        await post(session, served, pictures.photo(seed=1), "a.jpg")
        assert served.command("backup").returncode == 0
        await served.stop()
    [name] = backups_in(folder)
    with (folder / name / "catalogue.sqlite").open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    fresh = on_a_new_machine(served, tmp_path / "new")
    done = fresh.command("restore")
    assert done.returncode == 1
    assert "catalogue.sqlite doesn't match the manifest" in done.stderr
    assert not (fresh.data_dir / "catalogue.sqlite").exists()
    assert not (fresh.data_dir / "restore").exists()


async def test_what_a_killed_restore_leaves_no_server_takes_for_its_own(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    (served.data_dir / "restore").mkdir(parents=True)
    done = served.command("serve")
    assert done.returncode == 1
    assert "is running or was interrupted" in done.stderr


async def test_an_upload_that_went_on_after_the_backup_is_the_image_that_it_became(tmp_path: Path) -> None:
    tus = {"Tus-Resumable": "1.0.0"}
    data = pictures.photo(seed=5)
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        created = await session.post(f"{served.url}/api/v1/uploads", headers=tus | {"Upload-Length": str(len(data))})
        place = created.headers["Location"]
        assert served.command("backup").returncode == 0
        append = tus | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        async with session.patch(f"{served.url}{place}", data=data, headers=append) as reply:
            assert reply.status == 204
            slug = reply.headers["Content-Location"].rpartition("/")[2]
        assert "Everything is in the store." in served.command("drain").stdout
        await served.stop()
        for path in served.data_dir.glob("catalogue.sqlite*"):
            path.rename(tmp_path / path.name)
        assert served.command("restore").returncode == 0
    with sqlite3.connect(served.data_dir / "catalogue.sqlite") as rows:
        assert rows.execute("SELECT count(*) FROM uploads").fetchone() == (0,)
        assert rows.execute("SELECT slug FROM images").fetchall() == [(slug,)]


async def test_a_key_that_was_changed_still_opens_the_backups_of_before(tmp_path: Path) -> None:
    old, new = age_key(tmp_path / "old"), age_key(tmp_path / "new-key")
    both = tmp_path / "both"
    both.write_text(new.identity.read_text() + old.identity.read_text())
    folder = tmp_path / "backups"
    folder.mkdir()
    settings = {"APPLIANCE_BACKUP_DIRECTORY": str(folder), "APPLIANCE_BACKUP_AGE_RECIPIENTS": old.recipient}
    async with serving(tmp_path / "data", **settings) as served:
        assert served.command("backup").returncode == 0
        served.environment["APPLIANCE_BACKUP_AGE_IDENTITY"] = str(both)
        assert served.command("verify").returncode == 0
        served.environment["APPLIANCE_BACKUP_AGE_RECIPIENTS"] = new.recipient
        await _a_second()
        assert served.command("backup").returncode == 0
        assert served.command("verify", "--identity", str(old.identity)).returncode == 1
        assert served.command("verify", "--identity", str(new.identity)).returncode == 0
        assert served.command("verify").returncode == 0
        del served.environment["APPLIANCE_BACKUP_AGE_IDENTITY"]
        assert served.command("verify").returncode == 1
        (tmp_path / "credentials").mkdir()
        shutil.copy(both, tmp_path / "credentials/age_identity")
        served.environment["CREDENTIALS_DIRECTORY"] = str(tmp_path / "credentials")
        assert served.command("verify").returncode == 0


async def _a_second() -> None:
    """Backups are named by the second."""
    await asyncio.sleep(1.1)


async def test_deleted_images_stay_buried_in_a_merged_catalogue(tmp_path: Path) -> None:
    """An object that came to the store after its image was erased, by a late put, is not taken for an upload."""
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        image = await post(session, served, pictures.photo(seed=1), "a.jpg")
        assert served.command("backup").returncode == 0
        stored = next((served.data_dir / "store/objects/originals").rglob(image["slug"]))
        attributes = next((served.data_dir / "store/attributes/originals").rglob(f"{image['slug']}.json"))
        held = [(path, path.read_bytes()) for path in (stored, attributes)]
        await change(session, served, image)
        await until(lambda: not stored.exists(), "it is erased")
        await until(lambda: any((served.data_dir / "store/objects/tombstones").rglob("*.json")), "it is buried")
        await served.stop()
        for path, data in held:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for path in served.data_dir.glob("catalogue.sqlite*"):
            path.rename(tmp_path / path.name)
        done = served.command("restore")
        assert "0 uploads, 0 changes, 1 deletions" in done.stdout, done.stderr
        async with SqliteCatalogue(served.data_dir / "catalogue.sqlite") as catalogue:
            row = await catalogue.images.get(image["slug"])
        assert isinstance(row, Tombstone)
        assert row.ended is Ending.DELETED


def test_without_age_an_encrypted_backup_says_what_to_install(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data")
    served.data_dir.mkdir()
    assert served.command("expire").returncode == 0
    served.environment |= {"APPLIANCE_BACKUP_AGE_RECIPIENTS": "age1" + "q" * 58, "PATH": without("age")}
    done = served.command("backup")
    assert done.returncode == 1
    assert "The program age is missing. On Debian: apt-get install age" in done.stderr
