"""WebP: the chunks that an image needs stay, its metadata is cleaned, everything else becomes empty chunks."""

from appliance.imaging.metadata.cleaning import MAX_BLOCK_BYTES, Cleaner, Cleaning
from appliance.imaging.metadata.dropping import Ranges, cleaned, tiles
from appliance.imaging.metadata.exif import EXIF_MARK, clean_exif
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.window import Window
from appliance.imaging.metadata.xmp import clean_xmp

_FLAGS = {b"ICCP": 0x20, b"EXIF": 0x08, b"XMP ": 0x04}
_KNOWN_FLAGS = 0x3E
_NEEDED = {b"VP8X": 10, b"ANIM": 6}
_PIXELS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_FRAME, _FRAME_BYTES = b"ANMF", 16
_CLEANERS: dict[bytes, Cleaner] = {b"ICCP": clean_icc, b"EXIF": clean_exif, b"XMP ": clean_xmp}
_MAX_CHUNKS = 1_000_000
_EMPTY = b"JUNK"
"""The chunk that RIFF has for padding: decoders skip it, and exiftool doesn't tell it."""
_EMPTY_BYTES, _MAX_EMPTY_BYTES = 8, 1 << 30


def clean_webp(cleaning: Cleaning) -> None:
    """Every chunk of a WebP file; behind what its head says is the file it is cut."""
    size = 8 + int.from_bytes(cleaning.read(4, 4), "little")
    end = min(size + size % 2, cleaning.length)
    kept = _clean_chunks(cleaning, 12, end)
    _clean_flags(cleaning, kept)
    if end < cleaning.length:
        cleaning.cut_at = end


def _clean_chunks(cleaning: Cleaning, at: int, end: int, *, frame: bool = False) -> set[bytes]:
    """The chunks from there to there, of the file or of one frame; gives the kinds that stay."""
    drops, kept, window = Ranges(), set[bytes](), Window(cleaning)
    for _ in range(_MAX_CHUNKS):
        head = window.read(at, 8) if at + 8 <= end else b""
        if len(head) < 8:
            break
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        following = min(at + 8 + length + length % 2, end)
        if kind == _FRAME and not frame:
            _clean_chunks(cleaning, at + 8 + _FRAME_BYTES, following, frame=True)
        elif kind not in kept and _keep(cleaning, kind, at + 8, min(length, following - at - 8)):
            kept.add(kind)
        else:
            cleaning.content_credentials |= kind == b"C2PA"
            drops.add(at, following)
        at = following
    else:
        cleaning.complete = False
    _empty(cleaning, drops)
    cleaning.fill(at, end - at)
    return kept


def _keep(cleaning: Cleaning, kind: bytes, at: int, length: int) -> bool:
    """Keep what may stay of the chunk; says whether that is anything."""
    if kind not in _CLEANERS:
        return kind in _PIXELS or length == _NEEDED.get(kind)
    if length > MAX_BLOCK_BYTES:
        return False
    before = cleaning.read(at, length)
    mark = EXIF_MARK if kind == b"EXIF" and before.startswith(EXIF_MARK) else b""
    after = cleaned(before[len(mark) :], _CLEANERS[kind], cleaning.keep)
    if after is not None:
        cleaning.put(at, before, mark + after)
    return after is not None


def _empty(cleaning: Cleaning, drops: Ranges) -> None:
    for start, end in drops.merged():
        for first, last in tiles(start, end, min_bytes=_EMPTY_BYTES, max_bytes=_MAX_EMPTY_BYTES):
            head = _EMPTY + (last - first - _EMPTY_BYTES).to_bytes(4, "little")
            cleaning.put(first, cleaning.read(first, len(head)), head)
            cleaning.fill(first + len(head), last - first - len(head))


def _clean_flags(cleaning: Cleaning, kept: set[bytes]) -> None:
    """The head of an extended file tells of what stayed, and of nothing else."""
    head = cleaning.read(12, 12)
    if head[:4] != b"VP8X" or len(head) < 12:
        return
    gone = sum(flag for kind, flag in _FLAGS.items() if kind not in kept)
    cleaning.put(20, head[8:], bytes((head[8] & _KNOWN_FLAGS & ~gone, 0, 0, 0)))
