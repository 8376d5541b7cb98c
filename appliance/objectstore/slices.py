"""A part of a file as a request body: read from disk while it is sent, never whole in memory."""

import hashlib
import os

from appliance.shared.threads import Stop
from appliance.shared.throttle import Throttle

HASH_BYTES = 1024 * 1024


class FileSlice:
    """`length` bytes of an open file from `start` on, as the file-like body that urllib3 sends and can send again.

    With a `throttle`, reading pauses while small objects are on their way.
    """

    def __init__(self, descriptor: int, start: int, length: int, stop: Stop, throttle: Throttle | None = None) -> None:
        self._throttle = throttle
        self._descriptor = descriptor
        self._start = start
        self._at = 0
        self._stop = stop
        self.length = length

    def read(self, size: int = -1) -> bytes:
        self._stop.check()
        if self._throttle is not None:
            self._throttle.wait()
        left = self.length - self._at
        chunk = os.pread(self._descriptor, left if size < 0 else min(size, left), self._start + self._at)
        self._at += len(chunk)
        return chunk

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int) -> int:
        self._at = offset
        return offset

    def md5(self) -> bytes:
        """The MD5 of the slice, with which the store refuses bytes that were damaged in transit.

        Raises OSError when the file ends before the slice does.
        """
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := self.read(HASH_BYTES):
            digest.update(chunk)
        if self._at != self.length:
            raise OSError(f"the file ended {self.length - self._at} bytes too soon")
        self.seek(0)
        return digest.digest()


def md5_of(data: bytes) -> bytes:
    """The MD5 of bytes in memory."""
    return hashlib.md5(data, usedforsecurity=False).digest()
