"""HEIC and AVIF: the items and tracks that an image is shown with stay, EXIF and XMP are cleaned, all else is emptied.

Every byte of the media data that nothing kept points to becomes zero, unless something points elsewhere.
"""

from bisect import bisect_left, bisect_right

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.boxes import Box, BoxFields, Held, boxes, clear_handler, empty
from appliance.imaging.metadata.cleaning import MAX_BLOCK_BYTES, Cleaner, Cleaning
from appliance.imaging.metadata.dropping import Range, Ranges, cleaned
from appliance.imaging.metadata.exif import EXIF_MARK, clean_exif
from appliance.imaging.metadata.item_properties import Properties
from appliance.imaging.metadata.items import Item, items, references, shown_items
from appliance.imaging.metadata.movie import clean_movie
from appliance.imaging.metadata.window import Window
from appliance.imaging.metadata.xmp import clean_xmp

_SEQUENCES = frozenset({b"msf1", b"hevc", b"hevx", b"hevm", b"hevs", b"avis"})
_CREDENTIALS = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_NEEDED = frozenset({b"hdlr", b"pitm", b"iinf", b"iref", b"iprp", b"iloc", b"idat", b"grpl"})
_GROUPS = frozenset({b"altr", b"ster"})
_NAMES = frozenset({b"", b"Exif", b"XMP", b"Color", b"Alpha", b"GMap", b"GainMap", b"Image", b"HEVC Image", b"mime"})
_XMP_TYPE = b"application/rdf+xml"
_NO_ITEM = b"free"
_MAX_BRANDS_BYTES = 1024


def clean_heif(cleaning: Cleaning) -> None:
    """A whole HEIC or AVIF file; behind its last box that stays it is cut."""
    walk, end = _Walk(cleaning), 0
    for box in boxes(Window(cleaning).read, 0, cleaning.length):
        end = box.end
        walk.take(box)
    walk.finish(end)


class _Walk:
    """Decides box by box what stays."""

    def __init__(self, cleaning: Cleaning) -> None:
        self._cleaning = cleaning
        self._seen: set[bytes] = set()
        self._sequence = False
        self._media: list[Box] = []
        self._kept = Ranges()
        self._drops = Ranges()

    def take(self, box: Box) -> None:
        first = box.kind not in self._seen
        self._seen.add(box.kind)
        if box.kind == b"mdat":
            self._media.append(box)
        elif first and box.kind == b"ftyp":
            brands = self._cleaning.read(box.body, min(box.end - box.body, _MAX_BRANDS_BYTES))
            self._sequence = any(brands[at : at + 4] in _SEQUENCES for at in range(0, len(brands), 4))
        elif first and (box.kind == b"meta" or (box.kind == b"moov" and self._sequence)):
            self._clean(box)
        else:
            self._cleaning.content_credentials |= _is_signed(self._cleaning, box)
            self._drops.add(box.start, box.end)

    def _clean(self, box: Box) -> None:
        """Keep of the box what the image needs. The media data that it points to stays."""
        try:
            held = _held(self._cleaning, box)
            clean = clean_movie if box.kind == b"moov" else _Meta(self._cleaning).clean
            pieces = clean(held, self._cleaning.keep)
            if any(start < box.end and box.start < end for start, end in pieces):
                raise Unclear("a box that says where it lies itself")
            for start, end in pieces:
                self._kept.add(start, end)
        except Unclear:
            self._cleaning.complete = False
            return
        self._cleaning.put(held.offset, held.data, bytes(held.after))

    def finish(self, end: int) -> None:
        """Empty what goes; `end` is where the boxes have ended."""
        self._drops.add(end, self._cleaning.length)
        kept, drops = self._kept.merged(), self._drops.merged()
        if kept and self._cleaning.complete and _within(kept, self._media):
            self._clear_media(kept)
        else:  # nobody knows where the image is
            self._cleaning.complete = False
            return
        if drops and drops[-1][1] >= self._cleaning.length:
            self._cleaning.cut_at = drops.pop()[0]
        for start, last in drops:
            empty(self._cleaning, start, last)

    def _clear_media(self, kept: list[Range]) -> None:
        """Clear what nothing kept points to."""
        for box in self._media:
            at = box.body
            for number in range(max(0, bisect_left(kept, (at, 0)) - 1), len(kept)):
                start, end = kept[number]
                if start >= box.end:
                    break
                if end > at:
                    self._cleaning.fill(at, max(0, start - at))
                    at = min(end, box.end)
            self._cleaning.fill(at, box.end - at)


def _within(some: list[Range], media: list[Box]) -> bool:
    """Whether all of the ranges lie in media data."""
    starts = [box.body for box in media]
    places = [(bisect_right(starts, start) - 1, end) for start, end in some]
    return all(number >= 0 and end <= media[number].end for number, end in places)


def _held(cleaning: Cleaning, box: Box) -> Held:
    if box.end - box.body > MAX_BLOCK_BYTES:
        raise Unclear("a box that is too large to be looked into")
    return Held(cleaning.read(box.body, box.end - box.body), box.body)


def _is_signed(cleaning: Cleaning, box: Box) -> bool:
    return box.kind in (b"jumb", b"c2pa") or (box.kind == b"uuid" and cleaning.read(box.body, 16) == _CREDENTIALS)


class _Meta:
    """The `meta` box of a file: its items and what is said of them."""

    def __init__(self, cleaning: Cleaning) -> None:
        self._cleaning = cleaning

    def clean(self, held: Held, keep: KeepMetadata) -> list[Range]:
        """Keep what the image needs; gives the ranges of the file that it lies in. Raises Unclear."""
        parts: dict[bytes, Box] = {}
        for box in held.boxes(4, len(held.data)):
            if box.kind in _NEEDED and box.kind not in parts:
                parts[box.kind] = box
            else:
                self._cleaning.content_credentials |= box.kind in (b"jumb", b"c2pa")
                held.empty(box)
        if b"hdlr" in parts:
            clear_handler(held, parts[b"hdlr"])
        _clear_groups(held, parts.get(b"grpl"))
        if b"iinf" not in parts or b"iloc" not in parts:
            return []
        found, clear = items(held, parts[b"iinf"], parts[b"iloc"])
        self._cleaning.complete &= clear
        kept = self._kept(held, parts, found, keep)
        return self._spared(held, parts.get(b"idat"), [item for item in found.values() if item.number in kept])

    def _kept(self, held: Held, parts: dict[bytes, Box], found: dict[int, Item], keep: KeepMetadata) -> set[int]:
        """The items that stay; the others become items of no kind, which nothing refers to."""
        refs = references(held, parts[b"iref"]) if b"iref" in parts else []
        properties = Properties(held, parts[b"iprp"]) if b"iprp" in parts else None
        kept = shown_items(found, refs, _primary(held, parts), properties.auxiliaries() if properties else {})
        if properties:
            properties.clean(kept, keep)
        base = held.offset + parts[b"idat"].body if b"idat" in parts else 0
        self._cleaning.complete &= not any(found[number].kind == b"jpeg" for number in kept)  # files of their own
        kept |= {item.number for item in found.values() if self._clean_item(item, base, keep)}
        for item in found.values():
            if item.number not in kept:
                held.write(item.name[0] - 4, _NO_ITEM)
                held.clear(item.name[0], item.box.end)
            elif held.data[slice(*item.name)] not in _NAMES:
                held.write(item.name[0], b" " * (item.name[1] - item.name[0]))
        for each in refs:
            if each.source not in kept:
                held.write(each.box.start + 4, _NO_ITEM)
        return kept

    def _clean_item(self, item: Item, base: int, keep: KeepMetadata) -> bool:
        """Whether it is metadata of which something may stay; that alone stays."""
        clean = _cleaner(item)
        pieces = [(start + base, end + base) if item.inside else (start, end) for start, end in item.pieces]
        if clean is None or sum(end - start for start, end in pieces) > MAX_BLOCK_BYTES:
            return False
        before = [self._cleaning.read(start, end - start) for start, end in pieces]
        after = cleaned(b"".join(before), clean, keep)
        for (start, _), part in zip(pieces, before, strict=True):
            if after is not None:
                self._cleaning.put(start, part, after[: len(part)])
                after = after[len(part) :]
        return after is not None

    @staticmethod
    def _spared(held: Held, idat: Box | None, kept: list[Item]) -> list[Range]:
        inside, spared = Ranges(), []
        for item in kept:
            for start, end in item.pieces:
                if item.inside and idat is not None:
                    inside.add(start + idat.body, end + idat.body)
                elif not item.inside:
                    spared.append((start, end))
        if idat is not None:
            at = idat.body
            for start, end in inside.merged():
                held.clear(at, min(start, idat.end))
                at = end
            held.clear(at, idat.end)
        return spared


def _primary(held: Held, parts: dict[bytes, Box]) -> int:
    if b"pitm" not in parts:
        return -1
    fields = BoxFields(held.data, parts[b"pitm"].body, parts[b"pitm"].end)
    return fields.number(2 if fields.number(4) >> 24 == 0 else 4)


def _clear_groups(held: Held, box: Box | None) -> None:
    for group in held.boxes(box.body, box.end) if box else ():
        if group.kind not in _GROUPS:
            held.empty(group)


def _cleaner(item: Item) -> Cleaner | None:
    if item.kind == b"Exif":
        return _clean_exif_item
    return clean_xmp if item.kind == b"mime" and item.content == (_XMP_TYPE, b"") else None


def _clean_exif_item(data: bytes, keep: KeepMetadata) -> bytes:
    """The item begins with how far on its TIFF header is; nothing but the mark lies between. Raises Unclear."""
    start = 4 + int.from_bytes(data[:4], "big")
    if data[4:start] not in (b"", EXIF_MARK):
        raise Unclear("EXIF behind something else")
    block = clean_exif(data[start:], keep)
    return data[:start] + block if block.strip(b"\0") else bytes(len(data))
