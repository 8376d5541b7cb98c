"""A finished rendition, and its form in a file: the checksum comes first, so that damage is detected."""

import hashlib
from dataclasses import dataclass
from typing import Self

MAGIC = b"REN1"
CHECKSUM_BYTES = 12
HEADER_BYTES = len(MAGIC) + CHECKSUM_BYTES


@dataclass(frozen=True, slots=True)
class Rendition:
    """The bytes of one rendition and their checksum, which is the ETag too."""

    data: bytes
    checksum: str

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(data, hashlib.blake2b(data, digest_size=CHECKSUM_BYTES).hexdigest())

    @property
    def header(self) -> bytes:
        """What stands before the data in a file."""
        return MAGIC + bytes.fromhex(self.checksum)


def unpacked(raw: bytes) -> Rendition | None:
    """The rendition that a file's bytes hold; None when they are not what was written."""
    found = Rendition.of(raw[HEADER_BYTES:])
    return found if raw[:HEADER_BYTES] == found.header else None
