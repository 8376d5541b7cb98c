"""The lock on the data directory: one process owns it, and a second one learns which."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.config.model import Config
from appliance.domain.errors import DataDirectoryLocked, UnfitInstallation

NAME = "lock"


@contextmanager
def owned_data_dir(config: Config) -> Iterator[None]:
    """Create the data directory where it is missing (for this user alone) and own it until the block ends.

    The kernel drops the lock with its process, so a crash leaves nothing to clean up. Raises DataDirectoryLocked while
    another process owns it and UnfitInstallation when the directory can't be used.
    """
    with owned_folder(config.data_dir):
        yield


@contextmanager
def owned_folder(folder: Path) -> Iterator[None]:
    """The same for the data directory in this folder."""
    descriptor = _opened(folder)
    try:
        _lock(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> int:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_root(folder)
        return os.open(folder / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as fault:
        raise UnfitInstallation(
            f"The data directory {folder} can't be used: {fault.strerror}. "
            "Give this user a directory that it may write to, with data_dir or APPLIANCE_DATA_DIR."
        ) from fault


def refuse_root(config: Config) -> None:
    """Raises UnfitInstallation for root in another user's directory: the server couldn't open root's files."""
    _refuse_root(config.data_dir)


def _refuse_root(folder: Path) -> None:
    owner = folder.stat().st_uid
    if os.geteuid() == 0 and owner != 0:
        raise UnfitInstallation(f"The data directory {folder} belongs to user {owner}. Run this as that user.")


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise DataDirectoryLocked(
            f"The data directory {folder} is in use by process {owner}. "
            "Stop that process first, or choose another data_dir."
        ) from None
