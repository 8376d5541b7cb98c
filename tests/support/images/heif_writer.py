"""AVIF files put together box by box, so that anything may stand in them."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.images import pictures
from tests.support.images.private_pictures import box


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a file: its number follows from its place in the list, from 1 on. `refers` to others by number."""

    kind: bytes
    data: bytes
    properties: Sequence[bytes] = ()
    refers: tuple[bytes, *tuple[int, ...]] | None = None
    name: bytes = b""
    content: bytes = b""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Coded:
    """A picture as AV1, and the properties that decoding it needs."""

    data: bytes
    properties: list[bytes] = field(default_factory=list)


def full_box(kind: bytes, data: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags) + data)


def coded(width: int = 64, height: int = 48) -> Coded:
    """The coloured quarters, taken out of a file that Pillow wrote."""
    return coded_of(pictures.saved(pictures.quarters(width, height), "avif", quality=85))


def coded_of(file: bytes) -> Coded:
    """The one picture of a HEIC or AVIF file."""
    ipco = file.index(b"ipco") + 4
    end = ipco + struct.unpack(">I", file[ipco - 8 : ipco - 4])[0] - 8
    properties = []
    while ipco < end:
        size = struct.unpack(">I", file[ipco : ipco + 4])[0]
        properties.append(file[ipco : ipco + size])
        ipco += size
    media = file.index(b"mdat")
    return Coded(file[media + 4 : media - 4 + struct.unpack(">I", file[media - 4 : media])[0]], properties)


def auxiliary(kind: bytes) -> bytes:
    return full_box(b"auxC", kind + b"\0")


def grid(tile: Coded, columns: int, rows: int, width: int, height: int) -> bytes:
    """A HEIC put together from so many of one coded tile, as phones write large photographs."""
    header = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)
    size = full_box(b"ispe", struct.pack(">II", width, height))
    tiles = [Item(b"hvc1", tile.data, tile.properties, hidden=True)] * (columns * rows)
    return heic([Item(b"grid", header, [size], refers=(b"dimg", *range(2, len(tiles) + 2))), *tiles])


def heic(items: Sequence[Item]) -> bytes:
    """The same as `avif` with the brands of HEIC."""
    return avif(items).replace(b"avif\0\0\0\0avif", b"heic\0\0\0\0heic", 1)


def avif(items: Sequence[Item], *, more_meta: bytes = b"", unreferenced: bytes = b"", after: bytes = b"") -> bytes:
    """The file: the first item is its picture. `unreferenced` lies in its media data where nothing points to it."""
    head = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    start = len(head) + len(_meta(items, 0, more_meta)) + 8 + len(unreferenced)
    media = unreferenced + b"".join(item.data for item in items)
    return head + _meta(items, start, more_meta) + box(b"mdat", media) + after


def _meta(items: Sequence[Item], start: int, more: bytes) -> bytes:
    known = list(dict.fromkeys(each for item in items for each in item.properties))
    infos, places, owners, told = b"", b"", b"", b""
    for number, item in enumerate(items, 1):
        content = item.content + b"\0" if item.kind == b"mime" else b""
        described = struct.pack(">HH", number, 0) + item.kind + item.name + b"\0" + content
        infos += full_box(b"infe", described, version=2, flags=int(item.hidden))
        places += struct.pack(">HHHII", number, 0, 1, start, len(item.data))
        start += len(item.data)
        if item.properties:
            indices = bytes(known.index(each) + 1 for each in item.properties)
            owners += struct.pack(">HB", number, len(indices)) + indices
        if item.refers is not None:
            kind, *targets = item.refers
            told += box(kind, struct.pack(f">HH{len(targets)}H", number, len(targets), *targets))
    owned = sum(bool(item.properties) for item in items)
    return full_box(
        b"meta",
        full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + full_box(b"pitm", struct.pack(">H", 1))
        + full_box(b"iloc", struct.pack(">BBH", 0x44, 0, len(items)) + places)
        + full_box(b"iinf", struct.pack(">H", len(items)) + infos)
        + (full_box(b"iref", told) if told else b"")
        + box(b"iprp", box(b"ipco", b"".join(known)) + full_box(b"ipma", struct.pack(">I", owned) + owners))
        + more,
    )
