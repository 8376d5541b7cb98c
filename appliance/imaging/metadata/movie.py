"""The `moov` box of sequences: the tracks that show images stay, with what decoding and timing need of them."""

import struct
from collections.abc import Iterator
from itertools import accumulate

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.boxes import Box, BoxFields, Held, clear_handler
from appliance.imaging.metadata.dropping import Range, cleaned
from appliance.imaging.metadata.icc import clean_icc

_INSIDE: dict[bytes, frozenset[bytes]] = {
    b"moov": frozenset({b"mvhd", b"trak"}),
    b"trak": frozenset({b"tkhd", b"edts", b"tref", b"mdia"}),
    b"edts": frozenset({b"elst"}),
    b"mdia": frozenset({b"mdhd", b"hdlr", b"minf"}),
    b"minf": frozenset({b"vmhd", b"nmhd", b"dinf", b"stbl"}),
    b"dinf": frozenset({b"dref"}),
    b"stbl": frozenset(
        {b"stsd", b"stts", b"stss", b"stsz", b"stz2", b"stsc", b"stco", b"co64"}
        | {b"ctts", b"cslg", b"sdtp", b"sgpd", b"sbgp", b"subs"}
    ),
}
_ENTRY = frozenset(
    {b"hvcC", b"av1C", b"avcC", b"vvcC", b"lhvC", b"ccst", b"auxi", b"colr", b"pasp", b"clap", b"pixi"}
    | {b"clli", b"mdcv", b"btrt"}
)
_ENTRY_BYTES = 78  # of a visual sample entry, before the boxes in it
_DATED = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_IMAGE_TRACKS = frozenset({b"pict", b"vide", b"auxv"})
_MAX_SAMPLES = 4_000_000


def clean_movie(held: Held, keep: KeepMetadata) -> list[Range]:
    """Keep what the sequence needs; gives the ranges of the file that its samples lie in. Raises Unclear."""
    return [piece for table in _clean(held, b"moov", 0, len(held.data), keep) for piece in _samples(held, table)]


def _clean(held: Held, kind: bytes, start: int, end: int, keep: KeepMetadata) -> Iterator[Box]:
    """Empty what is not needed of the box; gives the sample tables of what stays."""
    for box in held.boxes(start, end):
        if box.kind not in _INSIDE[kind] or (box.kind == b"trak" and _handler(held, box) not in _IMAGE_TRACKS):
            held.empty(box)
        elif box.kind in _INSIDE:
            yield from [box] if box.kind == b"stbl" else []
            yield from _clean(held, box.kind, box.body, box.end, keep)
        elif box.kind in _DATED and keep is KeepMetadata.NOTHING:
            held.clear(box.body + 4, box.body + (20 if held.data[box.body : box.body + 1] == b"\1" else 12))
        elif box.kind == b"hdlr":
            clear_handler(held, box)
        elif box.kind == b"stsd":
            _clean_entries(held, box, keep)


def _handler(held: Held, trak: Box) -> bytes:
    for media in held.boxes(trak.body, trak.end):
        for box in held.boxes(media.body, media.end) if media.kind == b"mdia" else ():
            if box.kind == b"hdlr":
                return held.data[box.body + 8 : box.body + 12]
    return b""


def _clean_entries(held: Held, stsd: Box, keep: KeepMetadata) -> None:
    for entry in held.boxes(stsd.body + 8, stsd.end):
        for box in held.boxes(entry.body + _ENTRY_BYTES, entry.end):
            if box.kind not in _ENTRY:
                held.empty(box)
            elif box.kind == b"colr" and held.data[box.body : box.body + 4] in (b"prof", b"rICC"):
                profile = cleaned(held.data[box.body + 4 : box.end], clean_icc, keep)
                if profile is None:
                    held.empty(box)
                else:
                    held.write(box.body + 4, profile)


def _samples(held: Held, stbl: Box) -> list[Range]:
    """Where each chunk of samples lies. Raises Unclear."""
    parts = {box.kind: box for box in held.boxes(stbl.body, stbl.end)}
    if not {b"stsc", b"stsz"} <= parts.keys() or not {b"stco", b"co64"} & parts.keys():
        raise Unclear("a track without a table of its samples")
    wide = 8 if b"co64" in parts else 4
    places = _table(held, parts[b"co64" if wide == 8 else b"stco"], 4, wide, 1)
    ends = _ends(held, parts[b"stsz"])
    runs = _table(held, parts[b"stsc"], 4, 4, 3)
    found, sample = [], 0
    for run, (first, many, _) in enumerate(runs):
        following = runs[run + 1][0] if run + 1 < len(runs) else len(places) + 1
        for (place,) in places[first - 1 : following - 1] if first else ():
            last = min(sample + many, len(ends) - 1)
            found.append((place, place + ends[last] - ends[sample]))
            sample = last
    return found


def _ends(held: Held, stsz: Box) -> list[int]:
    """How many bytes the first samples have, for each number of them."""
    fields = BoxFields(held.data, stsz.body + 4, stsz.end)
    size, count = fields.number(4), fields.number(4)
    if count > _MAX_SAMPLES:
        raise Unclear("more samples than are looked at")
    sizes = [size] * count if size else [each for (each,) in _table(held, stsz, 8, 4, 1)]
    return list(accumulate(sizes, initial=0))


def _table(held: Held, box: Box, skip: int, wide: int, columns: int) -> list[tuple[int, ...]]:
    """The rows of a table, whose number stands before them. Raises Unclear."""
    fields = BoxFields(held.data, box.body + skip, box.end)
    rows = fields.number(4)
    if rows * columns * wide > fields.left:
        raise Unclear("a table that is cut off")
    code = {4: "I", 8: "Q"}[wide]
    return list(struct.iter_unpack(f">{columns}{code}", held.data[fields.at : fields.at + rows * columns * wide]))
