"""The limits of the filesystem below a folder, asked of the kernel, because no table has all of them."""

import os
import tempfile
from pathlib import Path

MAX_FILE_BYTES = 2**63 - 1  # the kernel's own limit


def largest_file_bytes(folder: Path) -> int:
    """The size in bytes of the largest file that the folder, or the nearest existing one above it, can hold.

    Found by seeking, which fails beyond the limit and writes nothing: 16 TiB on ext4, 8 EiB on XFS.
    """
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return _last_seekable(file.fileno())
    except OSError:  # a folder that can't be written to is another check's affair
        return MAX_FILE_BYTES


def _last_seekable(descriptor: int) -> int:
    low, high = 0, MAX_FILE_BYTES
    while low < high:
        middle = low + (high - low + 1) // 2
        try:
            os.lseek(descriptor, middle, os.SEEK_SET)
        except OSError:
            high = middle - 1
        else:
            low = middle
    return low
