"""What a HEIC or AVIF file says of its primary image: how it is coded, its colours, and whether it is whole."""

from dataclasses import dataclass

from appliance.imaging.directories import Unclear
from appliance.imaging.file_bytes import FileBytes
from appliance.imaging.metadata.boxes import Box, BoxFields, Held, boxes
from appliance.imaging.metadata.item_properties import Properties
from appliance.imaging.metadata.items import Item, items, references

HEVC, AV1 = b"hvc1", b"av01"
MAX_HEVC_PIXELS = 142_606_336
"""Of one coded picture at HEVC's highest level, 7.2 (ITU-T H.265, table A.8). Larger images are grids of such."""
UNSPECIFIED = 2
"""H.273's code point for primaries and transfers that the file does not give."""
_MAX_META_BYTES = 2 * 1024 * 1024
_DERIVED = frozenset((b"grid", b"iovl", b"iden", b"tmap"))
_MAX_DERIVATIONS = 8
_NCLX = b"nclx"


@dataclass(frozen=True, slots=True)
class HeifHeader:
    """`coding` is the item type of the image, or of the parts that it is put together from.

    `coded_pixels` are those of the largest part that is coded as one; 0 where no size is given. `primaries` and
    `transfer` are the code points of an nclx box (ITU-T H.273), 2 (unspecified) without one. `meta_end` is where
    the box that says all this ends.
    """

    coding: bytes
    is_complete: bool
    coded_pixels: int
    primaries: int
    transfer: int
    meta_end: int


def read_heif_header(fd: int) -> HeifHeader | None:
    """The header; None where the file has no primary image, or describes it in a way that isn't understood.

    Raises ValueError for a type that is no text, of which pi-heif ends its process.
    """
    file = FileBytes(fd)
    try:
        meta = next((box for box in boxes(file.read, 0, file.length) if box.kind == b"meta"), None)
        if meta is None or meta.end - meta.body > _MAX_META_BYTES:
            return None
        return _header(Held(file.read(meta.body, meta.end - meta.body), meta.body), file.length)
    except Unclear:
        return None


def _header(held: Held, file_bytes: int) -> HeifHeader | None:
    parts: dict[bytes, Box] = {}
    for box in held.boxes(4, len(held.data)):
        parts.setdefault(box.kind, box)
    if not {b"pitm", b"iinf", b"iloc"} <= parts.keys():
        return None
    found, _ = items(held, parts[b"iinf"], parts[b"iloc"])
    for item in found.values():
        (item.kind + item.content[0]).decode()
    primary = found.get(_primary(held, parts[b"pitm"]))
    if primary is None:
        return None
    refs = references(held, parts[b"iref"]) if b"iref" in parts else []
    sources = {each.source: each.targets for each in refs if each.kind == b"dimg"}
    properties = Properties(held, parts[b"iprp"]) if b"iprp" in parts else None
    coded = _coded(primary, found, sources)
    return HeifHeader(
        coded[0].kind if coded else primary.kind,
        all(end <= file_bytes for item in coded if not item.inside for _, end in item.pieces),
        max((_pixels(held, properties, item) for item in coded), default=0),
        *_nclx(held, properties, primary),
        meta_end=held.offset + len(held.data),
    )


def _primary(held: Held, pitm: Box) -> int:
    fields = BoxFields(held.data, pitm.body, pitm.end)
    return fields.number(2 if fields.number(4) >> 24 == 0 else 4)


def _coded(item: Item, found: dict[int, Item], sources: dict[int, tuple[int, ...]]) -> list[Item]:
    """The items that the image is decoded from: itself, or those that it is put together from."""
    parts = [item]
    for _ in range(_MAX_DERIVATIONS):
        if parts and parts[0].kind not in _DERIVED:
            break
        numbers = dict.fromkeys(number for part in parts for number in sources.get(part.number, ()))
        parts = [found[number] for number in numbers if number in found]
    return parts


def _pixels(held: Held, properties: Properties | None, item: Item) -> int:
    for box in properties.of(item.number) if properties else ():
        if box.kind == b"ispe":
            fields = BoxFields(held.data, box.body + 4, box.end)
            return fields.number(4) * fields.number(4)
    return 0


def _nclx(held: Held, properties: Properties | None, item: Item) -> tuple[int, int]:
    for box in properties.of(item.number) if properties else ():
        if box.kind == b"colr" and held.data[box.body : box.body + 4] == _NCLX:
            fields = BoxFields(held.data, box.body + 4, box.end)
            return fields.number(2), fields.number(2)
    return UNSPECIFIED, UNSPECIFIED
