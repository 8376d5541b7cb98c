"""Files in the spool's folders: what the disk knows about each, and the metadata that is kept with it."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

ATTRIBUTE = "user.appliance"  # the object's metadata, kept with the file so that a lost catalogue can be rebuilt


def keep_metadata(descriptor: int, metadata: Mapping[str, str]) -> None:
    """Keep the metadata with the open file. Raises OSError where the filesystem can't."""
    os.setxattr(descriptor, ATTRIBUTE, json.dumps(dict(metadata)).encode())


def kept_metadata(file: Path | int) -> dict[str, str] | None:
    """What `keep_metadata` kept with a file, or with one that is open; None where there is nothing."""
    try:
        found = json.loads(os.getxattr(file, ATTRIBUTE))
    except (OSError, ValueError):
        return None
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else None


def landed_sha256(path: Path) -> str | None:
    """What the metadata says, else what its bytes say, in hex; None where there is no file."""
    try:
        with path.open("rb") as file:
            said = (kept_metadata(path) or {}).get("sha256")
            return said or hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def drop_old(folder: Path, older_than_s: float, spared: frozenset[str] = frozenset()) -> int:
    """Remove the files that nothing has changed for so long. Returns how many."""
    newest, dropped = time.time() - older_than_s, 0
    for path, stat in files_in(folder):
        if stat.st_ctime < newest and path.name not in spared:
            path.unlink(missing_ok=True)
            dropped += 1
    return dropped


def freed_bytes(copy: os.stat_result) -> int:
    """How many bytes the disk gets back when this copy is removed."""
    return copy.st_size if copy.st_nlink == 1 else 0


def files_in(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """Each file of the folder with its status."""
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                found.append((Path(entry.path), entry.stat()))
    return found
