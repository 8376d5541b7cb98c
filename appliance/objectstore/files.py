"""Files that are durable before they appear, whole or not at all; and a walk over a tree of them in key order."""

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from appliance.shared.files import sync, writing
from appliance.shared.threads import Stop

COPY_BYTES = 1024 * 1024
NO_LINKS_HERE = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES}

Fill = Callable[[Path, Stop], None]
"""Makes a durable file at a path where there is none."""


@contextmanager
def appearing(target: Path, unfinished: Path) -> Iterator[Path]:
    """A temporary path in `unfinished`, on the same filesystem; the file made there is renamed to `target` at the end.

    After an error nothing is left behind.
    """
    temporary = unfinished / f".{secrets.token_hex(8)}.part"
    try:
        yield temporary
        _rename(temporary, target)
    finally:
        # Also after success: renaming onto another link to the same file does nothing at all (rename(2)).
        temporary.unlink(missing_ok=True)
    sync_folder(target.parent)


def _rename(temporary: Path, target: Path) -> None:
    while True:
        try:
            make_folder(target.parent)
            temporary.replace(target)
        except FileNotFoundError:
            if not temporary.exists():
                raise
            continue  # a delete removed the emptied folder in between
        return


def write(data: bytes, to: Path, stop: Stop) -> None:
    """Write the bytes to a new, durable file."""
    stop.check()
    with writing(to, exclusive=True) as file:
        file.write(data)


def link_or_copy(source: Path, to: Path, stop: Stop) -> None:
    """Make `to` a durable hard link to `source`, or a copy where the filesystem has no links."""
    try:
        os.link(source, to)
    except OSError as error:
        if error.errno not in NO_LINKS_HERE:
            raise
        copy(source, to, stop)
    else:
        sync(to)


def copy(source: Path, to: Path, stop: Stop) -> None:
    """Make a durable copy in bounded memory."""
    with source.open("rb", buffering=0) as original, writing(to, exclusive=True) as file:
        while chunk := original.read(COPY_BYTES):
            stop.check()
            file.write(chunk)


def require_range(source: Path, start: int, length: int) -> None:
    """Raises OSError unless the file can be read and has these bytes."""
    with source.open("rb") as file:
        missing = start + length - file.seek(0, os.SEEK_END)
    if missing > 0:
        raise OSError(f"the file ended {missing} bytes too soon")


def copy_range(source: Path, start: int, length: int, to: Path, stop: Stop) -> None:
    """Make a durable copy of a part of a file, in bounded memory."""
    with source.open("rb", buffering=0) as original, writing(to, exclusive=True) as file:
        original.seek(start)
        while length and (chunk := original.read(min(length, COPY_BYTES))):
            stop.check()
            file.write(chunk)
            length -= len(chunk)
    if length:
        raise OSError(f"the file ended {length} bytes too soon")


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable. A folder that was removed meanwhile has none."""
    with suppress(FileNotFoundError):
        sync(path)


def make_folder(path: Path) -> None:
    """Create a durable folder and those above it; an existing one is fine."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def remove(path: Path, root: Path) -> None:
    """Remove a file for good, and the folders below `root` that it leaves empty; an absent one is fine."""
    with suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
    folder = path.parent
    while folder != root:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:  # it is not empty
            break
        folder = folder.parent
    sync_folder(folder)


def walk(root: Path, prefix: str, after: str, above: str = "") -> Iterator[tuple[str, Path]]:
    """Files below `root` as (key, path), in key order: `prefix` and `after` as `ObjectStore.list` has them.

    Memory holds the names of one folder per level: a year has half a million shards, which is some 30 MB.
    """
    for name in _sorted_names(root):
        key = above + name
        if not name.endswith("/"):
            if key.startswith(prefix) and key > after:
                yield key, root / name
        elif _can_hold(key, prefix, after):
            yield from walk(root / name, prefix, after, key)


def _can_hold(folder: str, prefix: str, after: str) -> bool:
    """Whether a folder (with its slash) may hold keys of this listing."""
    in_prefix = folder.startswith(prefix) or prefix.startswith(folder)
    return in_prefix and (folder > after or after.startswith(folder))


def _sorted_names(folder: Path) -> list[str]:
    """Names with a slash after folders, since that is how keys sort: `a-b` comes before `a/b`."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name + "/" if entry.is_dir() else entry.name for entry in entries)
    except FileNotFoundError:  # removed while we walk
        return []


def words(error: OSError) -> str:
    """The error in words for a person."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk or its quota is full ({error.filename or 'while writing'})"
    return f"{error.strerror or error} ({error.filename})" if error.filename else str(error.strerror or error)
