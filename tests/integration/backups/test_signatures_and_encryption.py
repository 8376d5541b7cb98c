"""What restore and verify believe: signed manifests, encrypted parts; and who can read backups."""

import asyncio
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from appliance.backups.manifest import MANIFEST, backup_name, created_at, describe_part, read_manifest
from appliance.backups.spool_archive import unpack
from appliance.catalogue.opening import CatalogueFile
from appliance.catalogue.sqlite.catalogue import SqliteCatalogue
from appliance.domain.errors import CommandFailed
from tests.support.backups import age_key, backed_up, on_a_new_machine, signing_key
from tests.support.server_process import ServerProcess


def rewrite(backup: Path, **changed: object) -> None:
    """The manifest with other values, and the parts as they are now."""
    manifest = json.loads((backup / MANIFEST).read_text()) | changed
    manifest["parts"] = [vars_of(backup / part["name"]) for part in manifest["parts"]]
    (backup / MANIFEST).write_text(json.dumps(manifest))


def vars_of(path: Path) -> dict[str, object]:
    part = describe_part(path)
    return {"name": part.name, "bytes": part.bytes, "sha256": part.sha256}


# --- signatures ---------------------------------------------------------------------------------------------------


async def test_a_signed_backup_is_verified_and_restored(tmp_path: Path) -> None:
    public = signing_key(tmp_path / "key")
    served, _ = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "key"))
    verified = served.command("verify")
    assert verified.returncode == 0, verified.stdout
    fresh = on_a_new_machine(served, tmp_path / "new", APPLIANCE_BACKUP_SIGNERS=public)
    restored = fresh.command("restore", "--backup-alone")
    assert restored.returncode == 0, restored.stderr


async def test_a_manifest_that_was_changed_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path / "key")
    served, backup = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "key"))
    rewrite(backup, images=7)
    refused = on_a_new_machine(served, tmp_path / "new").command("restore", "--backup-alone")
    assert refused.returncode == 1
    assert "is not signed by a key in backup.signers, or was changed afterwards" in refused.stderr
    assert not (tmp_path / "new/catalogue.sqlite").exists()


async def test_another_key_s_signature_is_refused(tmp_path: Path) -> None:
    signing_key(tmp_path / "strange")
    served, _ = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "strange"))
    ours = signing_key(tmp_path / "key")
    verified = on_a_new_machine(served, tmp_path / "data", APPLIANCE_BACKUP_SIGNERS=ours).command("verify")
    assert verified.returncode == 1
    assert "is not signed by a key in backup.signers" in verified.stdout


async def test_a_backup_without_a_signature_is_refused_unless_somebody_answers_for_it(tmp_path: Path) -> None:
    served, backup = await backed_up(tmp_path)
    public = signing_key(tmp_path / "key")
    fresh = on_a_new_machine(served, tmp_path / "new", APPLIANCE_BACKUP_SIGNERS=public)
    refused = fresh.command("restore", "--backup-alone")
    assert refused.returncode == 1
    assert "has no signature" in refused.stderr
    restored = fresh.command("restore", "--backup-alone", "--unprotected", "--backup", backup.name)
    assert restored.returncode == 0, restored.stderr


async def test_an_old_signed_manifest_does_not_pass_for_a_newer_backup(tmp_path: Path) -> None:
    signing_key(tmp_path / "key")
    served, backup = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "key"))
    newer = backup_name(created_at(backup.name).timestamp() + 60)
    shutil.copytree(backup, backup.with_name(newer))
    done = on_a_new_machine(served, tmp_path / "new").command("restore", "--backup-alone")
    assert f"The manifest of {newer} belongs to {backup.name}" in done.stderr
    assert f"Restoring {backup.name} from" in done.stdout


async def test_a_signature_for_anything_else_is_none(tmp_path: Path) -> None:
    signing_key(tmp_path / "key")
    served, backup = await backed_up(tmp_path, APPLIANCE_BACKUP_SIGNING_KEY=str(tmp_path / "key"))
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", "file", "-f", str(tmp_path / "key"), str(backup / MANIFEST)]
    (backup / "manifest.json.sig").unlink()
    await asyncio.to_thread(subprocess.run, sign, check=True, capture_output=True)
    refused = on_a_new_machine(served, tmp_path / "new").command("restore", "--backup-alone")
    assert refused.returncode == 1
    assert "is not signed" in refused.stderr


def test_signers_that_are_no_public_keys_are_refused_at_start(tmp_path: Path) -> None:
    served = ServerProcess(tmp_path / "data", APPLIANCE_BACKUP_SIGNERS="-----BEGIN OPENSSH PRIVATE KEY-----")
    done = served.command("backup")
    assert done.returncode == 1
    assert "backup.signers" in done.stderr


# --- encryption ---------------------------------------------------------------------------------------------------


async def test_with_recipients_a_plain_backup_is_refused(tmp_path: Path) -> None:
    served, _ = await backed_up(tmp_path)
    recipient = age_key(tmp_path / "age").recipient
    fresh = on_a_new_machine(served, tmp_path / "new", APPLIANCE_BACKUP_AGE_RECIPIENTS=recipient)
    refused = fresh.command("restore", "--backup-alone")
    assert refused.returncode == 1
    assert "is not encrypted, but backup.age_recipients requires it" in refused.stderr
    verified = on_a_new_machine(served, tmp_path / "data", APPLIANCE_BACKUP_AGE_RECIPIENTS=recipient).command("verify")
    assert verified.returncode == 1
    assert "is not encrypted" in verified.stdout


@pytest.mark.parametrize("protection", ["recipients", "signers"])
async def test_with_protection_a_plain_catalogue_is_refused_unless_somebody_answers_for_it(
    tmp_path: Path, protection: str
) -> None:
    served, backup = await backed_up(tmp_path)
    if protection == "recipients":
        settings = {"APPLIANCE_BACKUP_AGE_RECIPIENTS": age_key(tmp_path / "age").recipient}
    else:
        settings = {"APPLIANCE_BACKUP_SIGNERS": signing_key(tmp_path / "key")}
    fresh = on_a_new_machine(served, tmp_path / "new", **settings)
    plain = ("restore", "--backup-alone", "--from", str(backup / "catalogue.sqlite"))
    refused = fresh.command(*plain)
    assert refused.returncode == 1
    assert "is a plain copy of a catalogue" in refused.stderr
    restored = fresh.command(*plain, "--unprotected")
    assert restored.returncode == 0, restored.stderr


# --- files of strangers -------------------------------------------------------------------------------------------


async def test_a_catalogue_with_a_trigger_is_not_restored(tmp_path: Path) -> None:
    served, backup = await backed_up(tmp_path)
    with sqlite3.connect(backup / "catalogue.sqlite") as connection:
        connection.execute("CREATE TRIGGER evil AFTER INSERT ON images BEGIN DELETE FROM albums; END")
    connection.close()
    rewrite(backup)
    assert "trigger 'evil'" in (await CatalogueFile(backup / "catalogue.sqlite").find_problems())[0]
    refused = on_a_new_machine(served, tmp_path / "new").command("restore", "--backup-alone")
    assert refused.returncode == 1
    assert "trigger 'evil'" in refused.stderr


@pytest.mark.parametrize(
    "changed", [{"images": "7"}, {"images": -1}, {"backup": 7}, {"albums": True}, {"release": None}]
)
def test_a_manifest_of_other_types_is_none(tmp_path: Path, changed: dict[str, object]) -> None:
    part = {"name": "catalogue.sqlite", "bytes": 1, "sha256": "00"}
    manifest = {"backup": "20260101T000000Z", "release": "1", "images": 1, "tombstones": 0, "albums": 0}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest | {"parts": [part]} | changed))
    with pytest.raises(CommandFailed, match="is not a backup manifest"):
        read_manifest(tmp_path / MANIFEST)


def test_a_part_is_named_once(tmp_path: Path) -> None:
    part = {"name": "catalogue.sqlite", "bytes": 1, "sha256": "00"}
    manifest = {"backup": "20260101T000000Z", "release": "1", "images": 1, "tombstones": 0, "albums": 0}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest | {"parts": [part, part]}))
    with pytest.raises(CommandFailed, match="that this release supports"):
        read_manifest(tmp_path / MANIFEST)


def test_a_spool_that_would_grow_when_it_is_unpacked_is_refused(tmp_path: Path) -> None:
    """A sparse member of some bytes may stand for terabytes of holes."""
    packed, slug = tmp_path / "spool.tar", "0" * 17
    with tarfile.open(packed, "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo(f"landed/{slug}")
        headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.size": str(1 << 40)}
        member.pax_headers = headers | {"GNU.sparse.map": "0,0", "GNU.sparse.name": f"landed/{slug}"}
        tar.addfile(member)
    with pytest.raises(CommandFailed, match="which doesn't belong in a backup"):
        unpack(packed, tmp_path / "spool")


# --- who can read them --------------------------------------------------------------------------------------------


async def test_the_catalogue_is_its_owner_s_alone_whatever_its_folder_was(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    tmp_path.chmod(0o777)
    before = os.umask(0)
    try:
        catalogue = SqliteCatalogue(path)
        await catalogue.start()
        assert {file.name: mode_of(file) for file in tmp_path.glob("catalogue.sqlite*")} == {
            "catalogue.sqlite": 0o600,
            "catalogue.sqlite-wal": 0o600,
            "catalogue.sqlite-shm": 0o600,
        }
        await catalogue.stop()
        path.chmod(0o666)
        async with SqliteCatalogue(path):
            pass
        assert mode_of(path) == 0o600
    finally:
        os.umask(before)


async def test_backups_and_what_is_restored_from_them_are_their_owner_s_alone(tmp_path: Path) -> None:
    served, backup = await backed_up(tmp_path)
    assert {path.name: mode_of(path) for path in backup.iterdir()} == {
        "catalogue.sqlite": 0o600,
        MANIFEST: 0o600,
        "spool.tar": 0o600,
    }
    loose = tmp_path / "loose.sqlite"
    shutil.copy(backup / "catalogue.sqlite", loose)
    loose.chmod(0o644)
    fresh = on_a_new_machine(served, tmp_path / "new")
    restored = fresh.command("restore", "--backup-alone", "--from", str(loose))
    assert restored.returncode == 0, restored.stderr
    assert mode_of(tmp_path / "new/catalogue.sqlite") == 0o600


async def test_a_copy_of_the_catalogue_is_its_owner_s_alone(tmp_path: Path) -> None:
    served, _ = await backed_up(tmp_path)
    copied = served.command("catalogue", "backup", str(tmp_path / "copy.sqlite"))
    assert copied.returncode == 0, copied.stderr
    assert mode_of(tmp_path / "copy.sqlite") == 0o600


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
