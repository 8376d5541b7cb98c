"""Files of any size, made as they are sent."""

import hashlib
import struct
from collections.abc import AsyncIterator

MB = 1_000_000
BLOCK = bytes(1 << 20)
WIDTH, TIFF_HEAD_BYTES = 20_000, 212


class LargeFile:
    """A black TIFF of so many bytes, made as they are sent: cleaning leaves its pixels, which are not compressed."""

    def __init__(self, size: int) -> None:
        self.size = size
        rows, gap = divmod(size - TIFF_HEAD_BYTES, WIDTH)
        entries = (
            (256, 4, WIDTH), (257, 4, rows), (258, 3, 8), (259, 3, 1), (262, 3, 1),
            (273, 16, TIFF_HEAD_BYTES + gap), (277, 3, 1), (278, 4, rows), (279, 16, rows * WIDTH),
        )  # fmt: skip
        head = b"II" + struct.pack("<HHHQQ", 43, 8, 0, 16, len(entries))
        self._head = (
            head + b"".join(struct.pack("<HHQQ", tag, kind, 1, value) for tag, kind, value in entries) + bytes(8)
        )
        assert len(self._head) == TIFF_HEAD_BYTES

    async def blocks(self) -> AsyncIterator[bytes]:
        yield self._head
        left = self.size - len(self._head)
        while left:
            yield BLOCK[: min(left, len(BLOCK))]
            left -= min(left, len(BLOCK))

    async def sha256(self) -> str:
        digest = hashlib.sha256()
        async for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()

    async def form(self, boundary: str) -> AsyncIterator[bytes]:
        """As the field of a form, between its boundaries."""
        head = 'Content-Disposition: form-data; name="file"; filename="large.jpg"\r\nContent-Type: image/jpeg'
        yield f"--{boundary}\r\n{head}\r\n\r\n".encode()
        async for block in self.blocks():
            yield block
        yield f"\r\n--{boundary}--\r\n".encode()
