"""Small files of very many parts: each is cheap to send, and was dear to read the header of."""

import struct

from PIL import Image

from tests.support.images.pictures import saved

_TAGS = ((256, 3, 1, 16), (257, 3, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8))
_MORE_TAGS = ((277, 3, 1, 1), (278, 3, 1, 8), (279, 4, 1, 128))


def tiff(directories: int, unknown_tags: int = 0) -> bytes:
    """Grey pages of 16 x 8 pixels, which share their pixels, each with so many tags that nobody knows."""
    pixels = bytes(128)
    file = bytearray(b"II*\0" + struct.pack("<I", 8 + len(pixels)) + pixels)
    tags = sorted((*_TAGS, *_MORE_TAGS, *((40_000 + at, 3, 1, 1) for at in range(unknown_tags))))
    body = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    for left in reversed(range(directories)):
        file += body + struct.pack("<I", len(file) + len(body) + 4 if left else 0)
    return bytes(file)


def webp(frames: int) -> bytes:
    """An animation of 8 x 8 pixels."""
    still = saved(Image.new("RGB", (8, 8), (1, 2, 3)), "webp", lossless=True)[12:]
    size = bytes((7, 0, 0, 7, 0, 0))
    frame = _chunk(b"ANMF", bytes(6) + size + b"\x01\0\0\0" + still)
    body = _chunk(b"VP8X", b"\x02\0\0\0" + size) + _chunk(b"ANIM", bytes(6)) + frame * frames
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def avif(items: int) -> bytes:
    """A picture with so many more items, each of which refers to it."""
    file = saved(Image.new("RGB", (16, 16), (1, 2, 3)), "avif")
    at = file.index(b"meta") - 4
    end = at + int.from_bytes(file[at : at + 4], "big")
    first = at + 12
    listed = file.index(b"iinf", first) - 4
    behind = listed + int.from_bytes(file[listed : listed + 4], "big")
    count = int.from_bytes(file[listed + 12 : listed + 14], "big")
    more = b"".join(_box(b"infe", b"\x03\0\0\0" + struct.pack(">IH", 100 + n, 0) + b"av01\0") for n in range(items))
    refers = b"".join(_box(b"thmb", struct.pack(">IHI", 100 + n, 1, 1)) for n in range(items))
    names = _box(b"iinf", b"\x01\0\0\0" + struct.pack(">I", count + items) + file[listed + 14 : behind] + more)
    inside = file[first:listed] + names + file[behind:end] + _box(b"iref", b"\x01\0\0\0" + refers)
    return file[:at] + _box(b"meta", file[at + 8 : first] + inside) + file[end:]


def avif_of_tracks(tracks: int) -> bytes:
    """A picture with a film of very many empty tracks behind it."""
    return saved(Image.new("RGB", (16, 16), (1, 2, 3)), "avif") + _box(b"moov", _box(b"trak", b"") * tracks)


def png(chunks: int) -> bytes:
    """A picture with so many texts before its pixels."""
    file = saved(Image.new("RGB", (16, 8), (1, 2, 3)), "png")
    text = b"\0\0\0\x03tEXtk\0v" + bytes.fromhex("cb04f390")
    return file[:33] + text * chunks + file[33:]


def gif(frames: int) -> bytes:
    """An animation of 16 x 8 pixels, of which each frame changes one."""
    head = b"GIF89a" + struct.pack("<HHBBB", 16, 8, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    return head + (b"\x2c" + bytes(4) + b"\1\0\1\0\0" + b"\x02\x02\x44\x01\0") * frames + b";"


def _box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data
