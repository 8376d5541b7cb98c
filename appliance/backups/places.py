"""Where backups are kept: one contract for the object store, a folder, and anything that rclone reaches."""

import asyncio
import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path
from typing import Protocol

from appliance.backups.manifest import MANIFEST, is_backup_name
from appliance.domain.errors import CommandFailed
from appliance.shared.files import rename, sync, writing

_BLOCK_BYTES = 1 << 20


class Place(Protocol):
    """Keeps files under a backup's name. Every method may raise CommandFailed and StoreUnavailable, with the reason."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def write_only(self) -> bool:
        """Whether its key may only write: the place itself refuses `files`, `fetch` and `remove`."""

    async def files(self) -> dict[str, set[str]]:
        """The names of each backup's files. A backup without a manifest is not complete."""

    async def put(self, backup: str, path: Path) -> None:
        """Copy one file here. On return it is here completely."""

    async def fetch(self, backup: str, file: str, to: Path, *, max_bytes: int) -> None:
        """Copy one file to `to`. If it has more than `max_bytes`, raises CommandFailed and leaves nothing there."""

    async def remove(self, backup: str) -> None:
        """Remove a backup, its manifest first, so that it never looks complete without being so."""


def too_large(place: str, backup: str, file: str, max_bytes: int) -> CommandFailed:
    """What `fetch` raises for a file of more than that many bytes."""
    return CommandFailed(f"{file} of {backup} in {place} is larger than {max_bytes:,} bytes and was not fetched.")


async def list_complete(place: Place) -> list[str]:
    """The names of the complete backups, oldest first."""
    return sorted(backup for backup, files in (await place.files()).items() if MANIFEST in files)


class FolderPlace:
    """A folder, preferably on another disk."""

    write_only = False

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def name(self) -> str:
        return f"the folder {self._root}"

    async def files(self) -> dict[str, set[str]]:
        return await asyncio.to_thread(self._files)

    def _files(self) -> dict[str, set[str]]:
        try:
            folders = [path for path in self._root.iterdir() if is_backup_name(path.name) and path.is_dir()]
            return {folder.name: {path.name for path in folder.iterdir()} for folder in folders}
        except FileNotFoundError:
            return {}
        except OSError as fault:
            raise CommandFailed(f"{self._root} can't be read: {fault.strerror}.") from fault

    async def put(self, backup: str, path: Path) -> None:
        await asyncio.to_thread(self._put, backup, path)

    def _put(self, backup: str, path: Path) -> None:
        folder = self._root / backup
        unfinished = folder / f"{path.name}.unfinished"
        try:
            self._require_room(path)
            folder.mkdir(mode=0o700, exist_ok=True)
            with path.open("rb") as source, writing(unfinished, mode=0o600) as file:
                shutil.copyfileobj(source, file, 1 << 20)
            rename(unfinished, folder / path.name)
            sync(self._root)
        except FileNotFoundError as fault:
            raise CommandFailed(f"The folder {self._root} doesn't exist. Is its disk mounted?") from fault
        except OSError as fault:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise CommandFailed(f"{folder} can't be written to: {fault.strerror}.") from fault

    def _require_room(self, path: Path) -> None:
        wanted, disk = path.stat().st_size, os.statvfs(self._root)
        free = disk.f_bavail * disk.f_frsize
        if wanted > free:
            raise CommandFailed(
                f"{path.name} has {wanted:,} bytes, but only {free:,} are free ({wanted - free:,} missing). Free space "
                f"on the disk of {self._root}, or keep fewer backups (backup.keep_daily, backup.keep_weekly)."
            )

    async def fetch(self, backup: str, file: str, to: Path, *, max_bytes: int) -> None:
        try:
            copied = await asyncio.to_thread(_copy, self._root / backup / file, to, max_bytes)
        except OSError as fault:
            raise CommandFailed(f"{self._root / backup / file} can't be read: {fault.strerror}.") from fault
        if not copied:
            raise too_large(self.name, backup, file, max_bytes)

    async def remove(self, backup: str) -> None:
        await asyncio.to_thread(self._remove, backup)

    def _remove(self, backup: str) -> None:
        try:
            (self._root / backup / MANIFEST).unlink(missing_ok=True)
            shutil.rmtree(self._root / backup)
        except OSError as fault:
            raise CommandFailed(f"{self._root / backup} can't be removed: {fault.strerror}.") from fault


def _copy(path: Path, to: Path, max_bytes: int) -> bool:
    """Copy a file, and return whether it fits; of a larger one nothing is left. Never waits for a pipe."""
    with open(path, "rb", opener=_without_waiting) as source, to.open("wb") as file:
        if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        left = max_bytes
        while block := source.read(min(_BLOCK_BYTES, left + 1)):
            left -= len(block)
            if left < 0:
                to.unlink()
                return False
            file.write(block)
    return True


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
