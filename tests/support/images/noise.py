"""Pictures of noise with an exact number of bytes, which cleaning leaves as they are: each of them is needed."""

import random
import struct
import zlib

from tests.support.images.png_writer import chunk, png_of

WIDTH = 1000
LEAST_BYTES = 1_300
BLOCK_BYTES = 65_535  # deflate's largest stored block
SPLIT_BYTES, CHUNK_BYTES = 5, 12  # what one block or one IDAT chunk more takes
LEAST_LEFT = (SPLIT_BYTES - 1) * (CHUNK_BYTES - 1)  # every number from here on is some blocks and some chunks


def padded(size: int, seed: int) -> bytes:
    """A grey PNG that nobody else has, of so many bytes; `LEAST_BYTES` at least."""
    rows = (size - 200) * BLOCK_BYTES // ((BLOCK_BYTES + SPLIT_BYTES) * (WIDTH + 1))
    while (left := size - len(_png(rows, seed, 0, 0))) < LEAST_LEFT:
        rows -= 1
    splits = next(count for count in range(CHUNK_BYTES) if (left - SPLIT_BYTES * count) % CHUNK_BYTES == 0)
    return _png(rows, seed, splits, (left - SPLIT_BYTES * splits) // CHUNK_BYTES)


def _png(rows: int, seed: int, splits: int, chunks: int) -> bytes:
    noise = random.Random(seed).randbytes(rows * WIDTH)
    pixels = b"".join(b"\0" + noise[at : at + WIDTH] for at in range(0, len(noise), WIDTH))
    data = b"\x78\x01" + _stored(pixels, splits) + struct.pack(">I", zlib.adler32(pixels))
    idat = [data[at : at + 1] for at in range(chunks)] + [data[chunks:]]
    head = struct.pack(">IIBBBBB", WIDTH, rows, 8, 0, 0, 0, 0)
    return png_of(chunk(b"IHDR", head), *(chunk(b"IDAT", part) for part in idat))


def _stored(pixels: bytes, splits: int) -> bytes:
    """Blocks as they are; the first `splits` of them have one byte each."""
    blocks = [pixels[at : at + 1] for at in range(splits)]
    blocks += [pixels[at : at + BLOCK_BYTES] for at in range(splits, len(pixels), BLOCK_BYTES)]
    heads = [bytes((block is blocks[-1],)) + struct.pack("<HH", len(block), len(block) ^ 0xFFFF) for block in blocks]
    return b"".join(part for pair in zip(heads, blocks, strict=True) for part in pair)
