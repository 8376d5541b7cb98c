"""A finished rendition, and its form in a file: the checksum comes first, so that damage is detected."""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

MAGIC, GAIN_MAP_MAGIC = b"REN1", b"RENG"
CHECKSUM_BYTES = 12
HEADER_BYTES = len(MAGIC) + CHECKSUM_BYTES


@dataclass(frozen=True, slots=True)
class Rendition:
    """The bytes of one rendition and their checksum, which is the ETag too. `has_gain_map` is as in RenderedFile."""

    data: bytes
    checksum: str
    has_gain_map: bool = False

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(data, hashlib.blake2b(data, digest_size=CHECKSUM_BYTES).hexdigest())

    @property
    def header(self) -> bytes:
        """What stands before the data in a file."""
        return (GAIN_MAP_MAGIC if self.has_gain_map else MAGIC) + bytes.fromhex(self.checksum)


def unpacked(raw: bytes) -> Rendition | None:
    """The rendition that a file's bytes hold; None when they are not what was written."""
    has_gain_map = raw.startswith(GAIN_MAP_MAGIC)
    found = replace(Rendition.of(raw[HEADER_BYTES:]), has_gain_map=has_gain_map)
    return found if raw[:HEADER_BYTES] == found.header else None
