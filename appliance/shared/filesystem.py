"""What the filesystem below a folder takes: asked of the kernel, for no table tells it of all of them."""

import os
import tempfile
from pathlib import Path

MOST_BYTES = 2**63 - 1  # the kernel's own limit


def largest_file_bytes(folder: Path) -> int:
    """The most bytes that a file in the folder (or in the nearest above it that exists) can have.

    Found by seeking, which fails beyond the limit and writes nothing: 16 TiB on ext4, 8 EiB on XFS.
    """
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return _last_seekable(file.fileno())
    except OSError:  # a folder that can't be written to has more to worry about
        return MOST_BYTES


def _last_seekable(descriptor: int) -> int:
    least, most = 0, MOST_BYTES
    while least < most:
        middle = least + (most - least + 1) // 2
        try:
            os.lseek(descriptor, middle, os.SEEK_SET)
        except OSError:
            most = middle - 1
        else:
            least = middle
    return least
