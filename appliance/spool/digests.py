"""Digests of files that arrive in pieces: the SHA-256 of the whole, and the checksums that clients send with one."""

import hashlib
import os
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

READ_BYTES = 1 << 20
SAVED_BYTES = 256 << 20  # between saved states, so that a late change doesn't cost reading it all again


class Hasher(Protocol):
    """A hash object of `hashlib`, as far as it is used here."""

    def update(self, block: bytes | bytearray | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc32:
    """CRC-32 as a hasher; the digest is its 4 bytes, the most significant first."""

    def __init__(self) -> None:
        self._value = 0

    def update(self, block: bytes | bytearray | memoryview, /) -> None:
        self._value = zlib.crc32(block, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


def _sha1() -> Hasher:
    return hashlib.sha1(usedforsecurity=False)


def _md5() -> Hasher:
    return hashlib.md5(usedforsecurity=False)


ALGORITHMS: dict[str, Callable[[], Hasher]] = {
    "sha1": _sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
    "md5": _md5,
    "crc32": Crc32,
}


@dataclass(frozen=True, slots=True)
class Checksum:
    """The checksum that a client sent with a request. `algorithm` is a key of `ALGORITHMS`."""

    algorithm: str
    digest: bytes

    def hasher(self) -> Hasher:
        return ALGORITHMS[self.algorithm]()


class Digest:
    """The SHA-256 of a growing file: fed with what is written, and caught up by reading what it was not fed.

    Its state can't be kept across processes, so after a restart it reads the file again while more arrives.
    Used from several threads.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._saved = [(0, self._hash.copy())]
        self._lock = threading.Lock()
        self.bytes = 0

    def feed(self, block: bytes | bytearray, at: int) -> None:
        """Hash `block`, which was written at byte `at`, if everything before it is hashed."""
        with self._lock:
            if at == self.bytes:
                self._take(block)

    def restart(self) -> None:
        """Start over, because hashed bytes were lost; `catch_up` reads the file again."""
        self.rewind(0)

    def catch_up(self, path: Path, until: Callable[[], int]) -> None:
        """Read and hash up to byte `until()`, which may grow meanwhile, or to the file's end."""
        with path.open("rb", buffering=0) as file:
            while self._step(file.fileno(), until()):
                pass

    def _step(self, descriptor: int, until: int) -> bool:
        with self._lock:
            wanted = min(READ_BYTES, until - self.bytes)
            block = os.pread(descriptor, wanted, self.bytes) if wanted > 0 else b""
            self._take(block)
        return bool(block)

    def _take(self, block: bytes | bytearray) -> None:
        self._hash.update(block)
        self.bytes += len(block)
        if self.bytes >= self._saved[-1][0] + SAVED_BYTES:
            self._saved.append((self.bytes, self._hash.copy()))

    def rewind(self, before: int) -> None:
        """Forget the bytes from `before` on, which are about to change; `catch_up` reads them again."""
        with self._lock:
            if self.bytes <= before:
                return
            while self._saved[-1][0] > before:
                self._saved.pop()
            self.bytes, state = self._saved[-1]
            self._hash = state.copy()

    def sha256(self) -> str:
        """In hex, of the first `bytes` bytes."""
        return self._hash.hexdigest()
