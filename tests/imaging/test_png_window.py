"""A PNG whose data says that a decoder may forget what it still needs is shown whole, as browsers do."""

import random
import struct
import zlib

import pytest
from PIL import Image

from appliance.domain.renditions import Format
from appliance.workers import Workers
from tests.support.images import pictures
from tests.support.images.png_writer import chunk, png_of
from tests.support.workers import inspected, rendered, target

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIZE = 100, 200


def png_of_window(bits: int, chunk_bytes: int = 100_000) -> tuple[bytes, Image.Image]:
    """Rows that repeat after 12 KB, in data that says that 2 to the power of `bits` bytes are to be remembered."""
    pixels = [random.Random(row % 40).randbytes(3 * SIZE[0]) for row in range(SIZE[1])]
    data = zlib.compress(b"".join(b"\0" + row for row in pixels), 9)
    head = (bits - 8) << 12 | 8 << 8
    data = (head + -head % 31).to_bytes(2, "big") + data[2:]
    pieces = (chunk(b"IDAT", data[at : at + chunk_bytes]) for at in range(0, len(data), chunk_bytes))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 0))
    return png_of(header, *pieces), Image.frombytes("RGB", SIZE, b"".join(pixels))


@pytest.mark.parametrize(("bits", "chunk_bytes"), [(8, 100_000), (8, 500), (13, 100_000), (15, 100_000)])
async def test_it_is_shown_whole(workers: Workers, bits: int, chunk_bytes: int) -> None:
    source, drawn = png_of_window(bits, chunk_bytes)
    assert not (await inspected(workers, source)).incomplete
    (made,) = await rendered(workers, source, target("small", Format.PNG))
    assert pictures.opened(made.data).tobytes() == drawn.tobytes()


async def test_one_that_is_cut_short_shows_what_is_there(workers: Workers) -> None:
    source, drawn = png_of_window(8)
    source = source[: len(source) * 3 // 4]
    assert (await inspected(workers, source)).incomplete
    (made,) = await rendered(workers, source, target("small", Format.PNG))
    upper = (0, 0, 100, 25)
    assert pictures.opened(made.data).crop(upper).tobytes() == drawn.crop(upper).tobytes()
