"""What somebody who can write to a place, or a clock that was wrong, puts there beside our backups."""

import os
import shutil
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from appliance.backups.manifest import MANIFEST, BackupPart, Manifest, backup_name, is_backup_name, read_manifest
from appliance.backups.places import FolderPlace, Place
from appliance.backups.rclone_place import RemotePlace
from appliance.backups.retention import prune
from appliance.backups.signing import Trust, sign
from appliance.backups.spool_archive import digests
from appliance.backups.store_place import StorePlace
from appliance.backups.trust import MAX_OPENED, find_newest_trusted
from appliance.domain.errors import CommandFailed
from appliance.objectstore import DirectoryStore
from tests.support.backups import backed_up, backups_in, on_a_new_machine, second_place, signing_key

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PART = BackupPart("catalogue.sqlite", 1, "00")


def forge(folder: Path, *backups: str, manifest: bytes | None = None) -> None:
    for backup in backups:
        (folder / backup).mkdir(parents=True)
        written = Manifest(backup, "1", 1, 0, 0, (PART,)).to_json() if manifest is None else manifest
        (folder / backup / MANIFEST).write_bytes(written)


def weeks_from(first: datetime, count: int) -> list[str]:
    return [backup_name((first + timedelta(weeks=week)).timestamp()) for week in range(count)]


def soon(hours: float = 1) -> str:
    """A name that is newer than any backup of ours, and not yet from the future."""
    return backup_name((datetime.now(UTC) + timedelta(hours=hours)).timestamp())


# --- names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["99999999T000000Z", "20260230T000000Z", "20260101T000060Z", "20251231T235959Z", "٢٠٢٦٠١٠١T000000Z"]
)
def test_only_a_moment_since_2026_in_ascii_names_a_backup(text: str) -> None:
    assert is_backup_name("20260101T000000Z")
    assert not is_backup_name(text)


async def test_what_has_no_backup_s_name_is_left_alone_and_ends_nothing(tmp_path: Path) -> None:
    served, backup = await backed_up(tmp_path)
    odd = backup.with_name("99999999T000000Z")
    forge(odd.parent, odd.name, manifest=b"{}")
    backup.with_name("20260101T000000Z").write_text("a file of that name")
    done = served.command("backup")
    assert done.returncode == 0, done.stderr
    assert odd.is_dir()
    assert served.command("verify").returncode == 0


# --- tidying ------------------------------------------------------------------------------------------------------


async def test_forged_and_future_backups_displace_none_of_ours(tmp_path: Path) -> None:
    """Sixty weeks from 2030 on had our own tidying delete every backup, the one just made as well."""
    signing_key(tmp_path / "key")
    served, backup = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "key"))
    earlier = backup.rename(backup.with_name(soon(-30)))
    manifest = (earlier / MANIFEST).read_text().replace(backup.name, earlier.name)
    (earlier / MANIFEST).write_text(manifest)
    (earlier / "manifest.json.sig").unlink()
    await sign(earlier / MANIFEST, tmp_path / "key")
    future = weeks_from(datetime(2030, 1, 7, tzinfo=UTC), 60)
    lately = [backup_name((datetime.now(UTC) - timedelta(hours=hours)).timestamp()) for hours in range(31, 70)]
    forge(backup.parent, *future, manifest=b"{}")
    forge(backup.parent, *lately)
    done = served.command("backup")
    assert done.returncode == 0, done.stderr
    names = backups_in(backup.parent)
    assert {earlier.name, done.stdout.split()[1].rstrip(":")} <= set(names)
    assert len(names) == 60 + 39 + 2
    assert f"the folder {backup.parent}: ignored: " in done.stdout
    assert "and 94 others. They aren't signed by a trusted key" in done.stdout
    assert done.stdout.count("ignored") == 1


async def test_without_signers_a_manifest_counts_when_it_names_itself(tmp_path: Path) -> None:
    ours = weeks_from(datetime(2026, 1, 5, tzinfo=UTC), 6)
    forge(tmp_path / "place", *ours)
    forge(tmp_path / "place", "20260501T000000Z", manifest=b"{}")
    forge(tmp_path / "place", "20260502T000000Z", manifest=(tmp_path / "place" / ours[0] / MANIFEST).read_bytes())
    forge(tmp_path / "place", "20260503T000000Z", manifest=b"[" * 900_000)
    place = FolderPlace(tmp_path / "place")
    tidied = await prune(place, daily=1, weekly=3, folder=tmp_path, trust=Trust(), now=NOW)
    assert tidied.removed == ours[:3]
    assert tidied.ignored == ["20260501T000000Z", "20260502T000000Z", "20260503T000000Z"]


async def test_a_clock_that_was_wrong_displaces_nothing(tmp_path: Path) -> None:
    forge(tmp_path / "place", "20260531T030000Z", "20260601T030000Z", "20310101T000000Z")
    place = FolderPlace(tmp_path / "place")
    tidied = await prune(place, daily=1, weekly=0, folder=tmp_path, trust=Trust(), now=NOW)
    assert (tidied.removed, tidied.ignored) == (["20260531T030000Z"], ["20310101T000000Z"])


async def test_hundreds_of_forged_backups_are_not_all_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forged = [backup_name((NOW - timedelta(minutes=minute)).timestamp()) for minute in range(300)]
    forge(tmp_path / "place", *forged, manifest=b"{}")
    fetched = []

    class Counted(FolderPlace):
        async def fetch(self, backup: str, file: str, to: Path, *, max_bytes: int) -> None:
            fetched.append(backup)
            await super().fetch(backup, file, to, max_bytes=max_bytes)

    place = Counted(tmp_path / "place")
    tidied = await prune(place, daily=14, weekly=8, folder=tmp_path, trust=Trust(), now=NOW)
    assert (tidied.removed, len(tidied.ignored), len(fetched)) == ([], 300, MAX_OPENED + 22)
    fetched.clear()
    with pytest.raises(CommandFailed, match=f"None of the newest {MAX_OPENED} backups .* And 95 more"):
        await find_newest_trusted([place], tmp_path, Trust(), NOW)
    assert len(fetched) == MAX_OPENED


# --- restoring and verifying --------------------------------------------------------------------------------------


async def test_restore_passes_over_what_is_not_believed_and_takes_ours(tmp_path: Path) -> None:
    signing_key(tmp_path / "key")
    served, backup = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "key"))
    unsigned = backup.with_name(soon())
    shutil.copytree(backup, unsigned, ignore=shutil.ignore_patterns("*.sig"))
    forge(backup.parent, "20990101T000000Z")
    restored = on_a_new_machine(served, tmp_path / "new").command("restore", "--backup-alone")
    assert restored.returncode == 0, restored.stderr
    assert f"Restoring {backup.name} from" in restored.stdout
    assert "skipped: The backup 20990101T000000Z" in restored.stderr
    assert f"skipped: The backup {unsigned.name}" in restored.stderr
    assert f"--unprotected --backup {unsigned.name}" in restored.stderr
    verified = served.command("verify")
    assert verified.returncode == 1
    assert f"{backup.name} is intact and matches the live data" in verified.stdout
    assert f"Skipped: The backup {unsigned.name}" in verified.stdout
    assert "Skipped: The backup 20990101T000000Z" in verified.stdout


async def test_unprotected_takes_only_what_is_named(tmp_path: Path) -> None:
    served, backup = await backed_up(tmp_path)
    signers = signing_key(tmp_path / "key")
    fresh = on_a_new_machine(served, tmp_path / "new", APPLIANCE_BACKUP_SIGNERS=signers)
    for more in ((), ("--from", str(backup.parent))):
        refused = fresh.command("restore", "--backup-alone", "--unprotected", *more)
        assert refused.returncode == 1
        assert "--unprotected --backup NAME, or --unprotected --from PATH" in refused.stderr
    for number, more in enumerate((("--backup", backup.name), ("--from", str(backup)))):
        fresh = on_a_new_machine(served, tmp_path / f"new{number}", APPLIANCE_BACKUP_SIGNERS=signers)
        restored = fresh.command("restore", "--backup-alone", "--unprotected", *more)
        assert restored.returncode == 0, restored.stderr


async def test_ours_in_another_place_is_found_behind_a_changed_copy(tmp_path: Path) -> None:
    for name in ("one", "other"):
        forge(tmp_path / name, "20260601T030000Z")
    (tmp_path / "one/20260601T030000Z" / MANIFEST).write_bytes(b"{}")
    places = FolderPlace(tmp_path / "one"), FolderPlace(tmp_path / "other")
    newest = await find_newest_trusted(places, tmp_path, Trust(), NOW)
    assert (newest.place, newest.backup, len(newest.skipped)) == (places[1], "20260601T030000Z", 1)


# --- sizes --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["folder", "store", "rclone"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    if request.param == "folder":
        (tmp_path / "folder").mkdir()
        yield FolderPlace(tmp_path / "folder")
    elif request.param == "store":
        store = DirectoryStore(tmp_path / "store")
        await store.start()
        yield StorePlace(store)
        await store.close()
    else:
        settings = second_place(tmp_path / "second")
        yield RemotePlace(settings["APPLIANCE_BACKUP_REMOTE"], Path(settings["APPLIANCE_BACKUP_RCLONE_CONFIG"]))


async def test_no_place_gives_more_bytes_than_were_asked_for(place: Place, tmp_path: Path) -> None:
    size, backup = 3_000_000, "20260101T000000Z"
    (tmp_path / MANIFEST).write_bytes(os.urandom(size))
    await place.put(backup, tmp_path / MANIFEST)
    await place.fetch(backup, MANIFEST, tmp_path / "fetched", max_bytes=size)
    assert (tmp_path / "fetched").read_bytes() == (tmp_path / MANIFEST).read_bytes()
    with pytest.raises(CommandFailed, match="is larger than 2,999,999 bytes and was not fetched"):
        await place.fetch(backup, MANIFEST, tmp_path / "more", max_bytes=size - 1)
    assert not (tmp_path / "more").exists()


async def test_a_pipe_in_a_folder_is_no_file_and_never_waited_for(tmp_path: Path) -> None:
    (tmp_path / "20260101T000000Z").mkdir()
    os.mkfifo(tmp_path / "20260101T000000Z" / MANIFEST)
    with pytest.raises(CommandFailed, match="can't be read"):
        await FolderPlace(tmp_path).fetch("20260101T000000Z", MANIFEST, tmp_path / "fetched", max_bytes=9)


async def test_a_part_that_grew_behind_its_manifest_is_not_fetched(tmp_path: Path) -> None:
    served, backup = await backed_up(tmp_path)
    with (backup / "catalogue.sqlite").open("ab") as file:
        file.truncate(1 << 34)
    done = served.command("verify")
    assert done.returncode == 1
    assert f"catalogue.sqlite of {backup.name} in the folder {backup.parent} is larger than" in done.stdout


def test_a_manifest_that_nests_without_end_is_none(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_bytes(b"[" * 500_000)
    with pytest.raises(CommandFailed, match="is not a backup manifest"):
        read_manifest(tmp_path / MANIFEST)


# --- the spool ----------------------------------------------------------------------------------------------------


def test_a_link_in_the_spool_is_named_as_nothing_of_ours(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "spool.tar", "w") as tar:
        link = tarfile.TarInfo("landed/" + "0" * 17)
        link.type, link.linkname = tarfile.LNKTYPE, "nowhere"
        tar.addfile(link)
    with pytest.raises(CommandFailed, match="which doesn't belong in a backup"):
        digests(tmp_path / "spool.tar")
