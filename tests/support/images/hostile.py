"""Files that lie, end early, or are two things at once."""

import io
import struct
import zipfile
import zlib

from tests.support.images import pictures
from tests.support.images.png_writer import chunk, png_of

HUGE = 60_000


def png_claiming(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A PNG of a few bytes that says it is `width` x `height` RGB."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return png_of(header, chunk(b"IDAT", zlib.compress(pixels)))


def png_bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A whole PNG of 900 million black pixels in less than a megabyte."""
    packer = zlib.compressobj(9)
    line = bytes(1 + (width + 7) // 8)
    body = b"".join(packer.compress(line) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return png_of(header, chunk(b"IDAT", body))


def jpeg_claiming(width: int, height: int) -> bytes:
    """A real JPEG whose frame header was given another size."""
    data = bytearray(pictures.small_photo())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def gif_claiming(width: int, height: int) -> bytes:
    """A real GIF whose screen and first frame were given another size."""
    data = bytearray(pictures.saved(pictures.quarters(40, 30), "gif"))
    data[6:10] = struct.pack("<HH", width, height)
    frame = data.index(b"\x2c", 10)
    data[frame + 5 : frame + 9] = struct.pack("<HH", width, height)
    return bytes(data)


def webp_claiming(width: int, height: int) -> bytes:
    """A real animated WebP whose canvas was given another size (24 bits each)."""
    data = bytearray(pictures.animated("webp", 2))
    assert data[12:16] == b"VP8X"
    data[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(data)


def tiff_claiming(width: int, height: int) -> bytes:
    """A real TIFF whose directory was given another size."""
    data = pictures.tiff()
    for tag, old, new in ((256, 640, width), (257, 480, height)):
        for kind, size in ((3, "H"), (4, "I")):
            entry = struct.pack("<HHI", tag, kind, 1) + struct.pack(f"<{size}", old)
            data = data.replace(entry, struct.pack("<HHI", tag, 4, 1) + struct.pack("<I", new)[: len(entry) - 8])
    return data


def gif_and_html() -> bytes:
    """A GIF that goes on as a web page with a script."""
    return pictures.saved(pictures.quarters(40, 30), "gif") + b"<html><script>alert(1)</script></html>"


def jpeg_and_zip() -> bytes:
    """A JPEG that is a zip archive as well."""
    return pictures.small_photo() + archive()


def archive() -> bytes:
    """A zip archive with a picture in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("photo.jpg", pictures.small_photo())
    return buffer.getvalue()


def truncated(data: bytes, parts: int = 12) -> list[bytes]:
    """The file cut at many places: densely at its beginning, where its headers are."""
    early = [1, 3, 8, 12, 20, 33, 60, 120, 300, 700]
    late = [len(data) * part // parts for part in range(1, parts)] + [len(data) - 1]
    return [data[:length] for length in sorted({*early, *late}) if length < len(data)]
