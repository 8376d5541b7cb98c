"""What the backup commands share: the store, which a server may use too, the places, and a folder to work in."""

import fcntl
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from appliance.backups.keys import credential_or
from appliance.backups.places import FolderPlace, Place
from appliance.backups.rclone_place import RemotePlace
from appliance.backups.store_place import StorePlace
from appliance.config.model import Config
from appliance.domain.errors import CommandFailed
from appliance.objectstore import ObjectStore, open_store
from appliance.server.data_dir_lock import refuse_root


@asynccontextmanager
async def store_of(config: Config) -> AsyncIterator[ObjectStore]:
    """The store, while a server may run: its own journal leaves the server's transfers alone."""
    store = open_store(config.store, config.data_dir, journal=config.backups_dir / "shipping")
    try:
        yield store
    finally:
        await store.close()


def places_of(config: Config, store: ObjectStore) -> list[Place]:
    """Where backups go: the store, the folder, the second place. Raises CommandFailed if none is configured."""
    backup = config.backup
    places: list[Place] = [StorePlace(store)] if backup.in_store else []
    if backup.directory is not None:
        places.append(FolderPlace(backup.directory))
    if backup.remote is not None:
        rclone_config = credential_or(backup.rclone_config, "rclone_config")
        places.append(RemotePlace(backup.remote, rclone_config, write_only=backup.remote_write_only))
    if not places:
        raise CommandFailed(
            "No place for backups is configured. Set backup.in_store, backup.directory or backup.remote."
        )
    return places


@contextmanager
def working_folder(config: Config, name: str) -> Iterator[Path]:
    """An empty folder for this command alone, removed at the end.

    Raises CommandFailed while the same command runs elsewhere, UnfitInstallation for root in another user's directory.
    """
    refuse_root(config)
    config.backups_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = config.backups_dir / name
    lock = os.open(config.backups_dir / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(f"Another `appliance {name}` is running on {config.data_dir}.") from None
        shutil.rmtree(folder, ignore_errors=True)  # left by a crash
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
