"""Metadata of a HEIC or AVIF: the items of EXIF and XMP, and the first profile among the properties."""

from collections.abc import Iterator

from appliance.imaging.details.blocks import MAX_EXIF_BYTES, MAX_XMP_BYTES, Blocks
from appliance.imaging.directories import Block, Unclear
from appliance.imaging.metadata.boxes import Box, Held, boxes
from appliance.imaging.metadata.cleaning import MAX_BLOCK_BYTES, Cleaning
from appliance.imaging.metadata.items import Item, items
from appliance.imaging.metadata.window import Window

_META_HEAD_BYTES = 4
_XMP_TYPE = b"application/rdf+xml"
_PROFILES = (b"prof", b"rICC")


def find_in_heif(file: Cleaning, blocks: Blocks) -> None:
    """Raises Unclear, OutOfTime."""
    for box in boxes(Window(file).read, 0, file.length):
        if box.kind == b"meta" and box.end - box.body <= MAX_BLOCK_BYTES:
            held = Held(file.read(box.body, box.end - box.body), box.body)
            _find_in_meta(file, held, blocks)
            return


def _find_in_meta(file: Cleaning, held: Held, blocks: Blocks) -> None:
    parts = {box.kind: box for box in held.boxes(_META_HEAD_BYTES, len(held.data))}
    blocks.profile = next(_profiles(held, parts[b"iprp"]), b"") if b"iprp" in parts else b""
    if b"iinf" not in parts or b"iloc" not in parts:
        return
    inside = held.offset + parts[b"idat"].body if b"idat" in parts else 0
    for item in items(held, parts[b"iinf"], parts[b"iloc"])[0].values():
        base = inside if item.inside else 0
        if item.kind == b"Exif" and not blocks.exif.length:
            data = _content(file, item, base, MAX_EXIF_BYTES)
            blocks.exif = Block(data[4 + int.from_bytes(data[:4], "big") :])
        elif item.kind == b"mime" and item.content == (_XMP_TYPE, b"") and not blocks.xmp:
            blocks.xmp = _content(file, item, base, MAX_XMP_BYTES)


def _profiles(held: Held, iprp: Box) -> Iterator[bytes]:
    for ipco in held.boxes(iprp.body, iprp.end):
        for box in held.boxes(ipco.body, ipco.end) if ipco.kind == b"ipco" else ():
            if box.kind == b"colr" and held.data[box.body : box.body + 4] in _PROFILES:
                yield held.data[box.body + 4 : box.end]


def _content(file: Cleaning, item: Item, base: int, max_bytes: int) -> bytes:
    """The item's pieces as one. Raises Unclear for more than the limit."""
    if sum(end - start for start, end in item.pieces) > max_bytes:
        raise Unclear("an item of more than is looked at")
    return b"".join(file.read(base + start, end - start) for start, end in item.pieces)
