"""Durable files: bytes written here, and the names that files get here, survive a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def sync(path: Path) -> None:
    """Make a file's bytes durable, or the names in a folder."""
    with reading(path) as descriptor:
        os.fsync(descriptor)


@contextmanager
def reading(path: Path) -> Iterator[int]:
    """The descriptor of a file that is open for reading, at a fraction of the cost of a file object."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def writing(path: Path, *, exclusive: bool = False, mode: int = 0o666) -> Iterator[BinaryIO]:
    """A file open for writing. Its bytes are durable once the block ends without an error; its name isn't yet.

    `exclusive` raises FileExistsError where there is such a file; otherwise its bytes are replaced.
    """
    with open(path, "xb" if exclusive else "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def rename(finished: Path, to: Path) -> None:
    """Give a durable file its final name, which is durable on return. A file that has the name is replaced."""
    finished.rename(to)
    sync(to.parent)


def write_whole(path: Path, data: bytes, *, unfinished: Path) -> None:
    """Write a durable file that appears whole or not at all; `unfinished` is its name before that."""
    with writing(unfinished) as file:
        file.write(data)
    rename(unfinished, path)
