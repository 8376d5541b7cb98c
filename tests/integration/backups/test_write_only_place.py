"""A second place for backups whose key can only write."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from minio import Minio
from minio.commonconfig import GOVERNANCE
from minio.credentials.providers import StaticProvider
from minio.error import S3Error
from minio.minioadmin import MinioAdmin
from minio.objectlockconfig import DAYS, ObjectLockConfig

from appliance.backups.manifest import MANIFEST
from tests.support.backups import backed_up, backups_in, on_a_new_machine, second_place
from tests.support.programs import rclone_program
from tests.support.servers import ACCESS_KEY, SECRET_KEY, minio_server

WRITE_ONLY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::offsite/*"]}],
}
"""The policy of docs/operations.md."""


async def test_a_key_that_can_only_write_brings_backups_that_nobody_can_change(tmp_path: Path) -> None:
    """A real store whose bucket has object lock: the key that this host has reads, lists and removes nothing there."""
    minio = minio_server(tmp_path / "minio")
    with minio:
        root = Minio(f"127.0.0.1:{minio.port}", ACCESS_KEY, SECRET_KEY, secure=False)
        keys = await asyncio.to_thread(_locked_bucket, root, minio.port)
        settings = _rclone(tmp_path, minio.port, *keys) | {"APPLIANCE_BACKUP_REMOTE_WRITE_ONLY": "true"}
        served, backup = await backed_up(tmp_path, **settings)
        brought = {entry.object_name for entry in root.list_objects("offsite", recursive=True)}
        assert brought == {f"appliance/{backup.name}/{path.name}" for path in backup.iterdir()}

        ours = Minio(f"127.0.0.1:{minio.port}", *keys, secure=False)
        manifest = f"appliance/{backup.name}/{MANIFEST}"
        for ask in (
            lambda: ours.get_object("offsite", manifest),
            lambda: list(ours.list_objects("offsite")),
            lambda: ours.remove_object("offsite", manifest),
        ):
            with pytest.raises(S3Error, match="AccessDenied"):
                ask()
        [version] = [entry.version_id for entry in root.list_objects("offsite", prefix=manifest, include_version=True)]
        with pytest.raises(S3Error, match="WORM"):
            root.remove_object("offsite", manifest, version_id=version)

        fresh = on_a_new_machine(served, tmp_path / "new", **_rclone(tmp_path, minio.port, ACCESS_KEY, SECRET_KEY))
        restored = fresh.command("restore", "--backup-alone", "--from", "second")
        assert restored.returncode == 0, restored.stderr


async def test_what_was_there_before_somebody_put_junk_over_it_is_restored_by_its_time(tmp_path: Path) -> None:
    """A key that only writes can write over everything; object lock keeps the versions of before."""
    minio = minio_server(tmp_path / "minio")
    with minio:
        root = Minio(f"127.0.0.1:{minio.port}", ACCESS_KEY, SECRET_KEY, secure=False)
        keys = await asyncio.to_thread(_locked_bucket, root, minio.port)
        settings = _rclone(tmp_path, minio.port, *keys) | {"APPLIANCE_BACKUP_REMOTE_WRITE_ONLY": "true"}
        served, backup = await backed_up(tmp_path, **settings)
        await asyncio.sleep(2)  # moments are named by the second
        before = datetime.now(UTC) - timedelta(seconds=1)
        ours = Minio(f"127.0.0.1:{minio.port}", *keys, secure=False, region="us-east-1")
        for path in backup.iterdir():
            ours.put_object("offsite", f"appliance/{backup.name}/{path.name}", BytesIO(b"junk"), 4)
        shutil.rmtree(backup)

        reads = _rclone(tmp_path, minio.port, ACCESS_KEY, SECRET_KEY)
        restore = ("restore", "--backup-alone", "--from", "second")
        refused = on_a_new_machine(served, tmp_path / "junk", **reads).command(*restore)
        assert refused.returncode == 1
        assert "is not a backup manifest" in refused.stderr
        config = Path(reads["APPLIANCE_BACKUP_RCLONE_CONFIG"])
        config.write_text(f"{config.read_text()}\nversion_at = {before:%Y-%m-%dT%H:%M:%SZ}\n")
        restored = on_a_new_machine(served, tmp_path / "new", **reads).command(*restore)
        assert restored.returncode == 0, restored.stderr
        assert f"Restoring {backup.name} from" in restored.stdout


def _locked_bucket(root: Minio, port: int) -> tuple[str, str]:
    """Makes it, and a key that can only write to it."""
    root.make_bucket("offsite", object_lock=True)
    root.set_object_lock_config("offsite", ObjectLockConfig(GOVERNANCE, 1, DAYS))
    provider = StaticProvider(ACCESS_KEY, SECRET_KEY)
    admin = MinioAdmin(endpoint=f"127.0.0.1:{port}", credentials=provider, secure=False)
    keys = "writes-only", "a-secret-of-twenty-and-more"
    admin.user_add(*keys)
    admin.policy_add("write-only", policy=WRITE_ONLY)
    admin.policy_set("write-only", user=keys[0])
    return keys


def _rclone(folder: Path, port: int, user: str, password: str) -> dict[str, str]:
    """Settings for the bucket as the second place, by this key."""
    rclone_program()
    config = folder / f"{user}.conf"
    lines = (
        "[offsite]",
        "type = s3",
        "provider = Minio",
        f"endpoint = http://127.0.0.1:{port}",
        f"access_key_id = {user}",
        f"secret_access_key = {password}",
    )
    config.write_text("\n".join(lines))
    return {"APPLIANCE_BACKUP_REMOTE": "offsite:offsite/appliance", "APPLIANCE_BACKUP_RCLONE_CONFIG": str(config)}


async def test_nothing_is_asked_of_a_second_place_that_can_only_be_written_to(tmp_path: Path) -> None:
    settings = second_place(tmp_path / "second") | {"APPLIANCE_BACKUP_REMOTE_WRITE_ONLY": "true"}
    served, backup = await backed_up(tmp_path, **settings)
    there = tmp_path / "second/bucket/appliance" / backup.name
    assert backups_in(there) == backups_in(backup)
    shutil.rmtree(there)
    verified = served.command("verify")
    assert verified.returncode == 0, verified.stdout
    assert "its key can only write, so verify it from another machine" in verified.stdout
