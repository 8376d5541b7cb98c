"""An open file as readers of structures take it: any part of it, by offset."""

import os

_LARGEST_OFFSET = 2**63 - 1


class FileBytes:
    """Reads an open file without moving its offset."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.length = os.fstat(fd).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes; fewer at the file's end, none outside of it."""
        return os.pread(self._fd, length, offset) if 0 <= offset <= _LARGEST_OFFSET else b""
