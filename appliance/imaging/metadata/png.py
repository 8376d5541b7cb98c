"""PNG: the chunks that an image needs stay, EXIF and XMP are cleaned, everything else becomes empty chunks."""

import functools
import re
import zlib
from collections.abc import Callable
from typing import NamedTuple

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import MAX_BLOCK_BYTES, Cleaner, Cleaning
from appliance.imaging.metadata.dropping import Ranges, cleaned, tiles
from appliance.imaging.metadata.exif import clean_exif
from appliance.imaging.metadata.icc import clean_icc
from appliance.imaging.metadata.window import Window
from appliance.imaging.metadata.xmp import clean_xmp

_PIXELS = {b"IDAT": 2**31, b"fdAT": 2**31, b"fcTL": 26}
_NEEDED = {
    b"IHDR": 13,
    b"PLTE": 768,
    b"IEND": 0,
    b"tRNS": 256,
    b"cHRM": 32,
    b"gAMA": 4,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
    b"sBIT": 4,
    b"bKGD": 6,
    b"hIST": 512,
    b"pHYs": 9,
    b"acTL": 8,
}
"""What an image needs once, and how long it is at most."""
_XMP_NAME, _PLAIN, _PACKED = b"XML:com.adobe.xmp\0", b"\0\0", b"\1\0"
_MAX_TEXT_BYTES = 10_000
_BLANKS = b"\0 \t\r\n"
_PROTECTED = frozenset({b"Copyright"})
_CREDITS = _PROTECTED | {b"Author", b"Creation Time", b"Source"}
_PROFILE_NAME = re.compile(rb"(?:kCGColorSpace|Photoshop )?(?:ICC|icc|sRGB|Display|Adobe|Generic)[\w .-]{0,40}|icc|1")
_PROFILE_NAMES = b"ICC-" * 20
_MAX_PROFILE_BYTES = 8 * 1024 * 1024
_TEXTS = frozenset({b"iTXt", b"tEXt", b"zTXt"})
_MAX_CHUNKS = 5_000_000
_EMPTY = b"voId"
"""A private chunk that may be skipped, and copied, by those who don't know it (PNG, 5.4): exiftool doesn't tell it."""
_EMPTY_BYTES, _MAX_EMPTY_BYTES = 12, 8 * 1024 * 1024

_Metadata = Callable[[bytes, KeepMetadata], bytes | None]
"""Gives what may stay of a chunk's data, None for nothing: as many bytes, or 12 fewer at least. Raises Unclear."""


class _Chunk(NamedTuple):
    start: int
    length: int
    kind: bytes

    @property
    def data(self) -> int:
        return self.start + 8

    @property
    def end(self) -> int:
        return self.start + 12 + self.length


def clean_png(cleaning: Cleaning) -> None:
    """Every chunk of a PNG file; behind the last one it is cut."""
    walk, at = _Walk(cleaning), 8
    for _ in range(_MAX_CHUNKS):
        head = walk.window.read(at, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in _PIXELS and length <= _PIXELS[kind] and walk.shows(kind):
            at += 12 + length
            continue
        if kind == b"IDAT":  # of a length that the format forbids; some decoders show it all the same
            cleaning.complete = False
            break
        if len(head) < 8:
            walk.drops.add(at, cleaning.length)
            break
        chunk = _Chunk(at, length, kind)
        at = chunk.end
        if kind == b"IEND" and length and chunk.start + _EMPTY_BYTES <= cleaning.length:
            at = walk.emptied(chunk)
        else:
            walk.take(chunk)
        if kind == b"IEND":
            break
    else:
        cleaning.complete = False
    walk.empty()
    if at < cleaning.length and kind == b"IEND":
        cleaning.cut_at = at


class _Walk:
    """Decides chunk by chunk what stays; `drops` is what does not."""

    def __init__(self, cleaning: Cleaning) -> None:
        self._cleaning = cleaning
        self._seen: set[bytes] = set()
        self.drops = Ranges()
        self.window = Window(cleaning)
        self._is_grey = cleaning.read(25, 1) in (b"\0", b"\4")
        self._colours = 0

    def shows(self, kind: bytes) -> bool:
        """Whether chunks of pixels of this kind are shown: those of an animation only where there is one."""
        return kind == b"IDAT" or b"acTL" in self._seen

    def take(self, chunk: _Chunk) -> None:
        if not self._keep(chunk):
            self._cleaning.content_credentials |= chunk.kind == b"caBX"
            self.drops.add(chunk.start, min(chunk.end, self._cleaning.length))

    def emptied(self, chunk: _Chunk) -> int:
        """Write the chunk without its data; gives where it ends then."""
        after = _chunk(chunk.kind, b"")
        self._put(chunk.start, after)
        return chunk.start + len(after)

    def _keep(self, chunk: _Chunk) -> bool:
        """Keep what may stay of the chunk; says whether that is anything. Decoders look at the first of a kind."""
        if chunk.kind in _NEEDED:
            return chunk.length <= _NEEDED[chunk.kind] and self._first(chunk.kind) and self._fits(chunk)
        if chunk.kind not in _METADATA or chunk.length > MAX_BLOCK_BYTES or chunk.end > self._cleaning.length:
            return False
        before = self.window.read(chunk.data, chunk.length)
        try:
            after = _METADATA[chunk.kind](before, self._cleaning.keep)
        except Unclear:
            self._cleaning.complete = False
            return True
        if after is None:
            return False
        if not self._first(chunk.kind + before.partition(b"\0")[0] if chunk.kind in _TEXTS else chunk.kind):
            return False
        if after != before:
            self._replace(chunk, after)
        return True

    def _fits(self, chunk: _Chunk) -> bool:
        """A palette has no place in a grey image, and a histogram has a number for each of its colours."""
        if chunk.kind == b"PLTE":
            self._colours = 0 if self._is_grey else chunk.length // 3
            return self._colours > 0
        return chunk.kind != b"hIST" or (self._colours > 0 and chunk.length == 2 * self._colours)

    def _first(self, name: bytes) -> bool:
        first = name not in self._seen
        self._seen.add(name)
        return first

    def _replace(self, chunk: _Chunk, data: bytes) -> None:
        after = _chunk(chunk.kind, data)
        self._cleaning.put(chunk.start, self._cleaning.read(chunk.start, len(after)), after)
        self.drops.add(chunk.start + len(after), chunk.end)

    def empty(self) -> None:
        """Make empty chunks of what goes; the file ends before it where it reaches to its end."""
        ranges = self.drops.merged()
        if ranges and ranges[-1][1] >= self._cleaning.length:
            self._cleaning.cut_at = ranges.pop()[0]
        for start, end in ranges:
            for first, last in tiles(start, end, min_bytes=_EMPTY_BYTES, max_bytes=_MAX_EMPTY_BYTES):
                length = last - first - _EMPTY_BYTES
                self._put(first, length.to_bytes(4, "big") + _EMPTY)
                self._cleaning.fill(first + 8, length)
                self._put(last - 4, _checksum_of_zeros(length))

    def _put(self, at: int, data: bytes) -> None:
        self._cleaning.put(at, self._cleaning.read(at, len(data)), data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


@functools.lru_cache(16)
def _checksum_of_zeros(length: int) -> bytes:
    return zlib.crc32(bytes(length), zlib.crc32(_EMPTY)).to_bytes(4, "big")


def _block(clean: Cleaner) -> _Metadata:
    return lambda data, keep: cleaned(data, clean, keep)


def _text(data: bytes, keep: KeepMetadata) -> bytes | None:
    """A text chunk of any of the three kinds whose keyword may stay; or XMP."""
    if data.startswith(_XMP_NAME):
        return _xmp(data, keep)
    allowed = _PROTECTED if keep is KeepMetadata.NOTHING else _CREDITS
    return data if data.partition(b"\0")[0] in allowed and len(data) <= _MAX_TEXT_BYTES else None


def _xmp(data: bytes, keep: KeepMetadata) -> bytes | None:
    """XMP, plain where there is room for that. Raises Unclear for what takes more room than it had."""
    how, (language, *texts) = data[len(_XMP_NAME) :][:2], data[len(_XMP_NAME) + 2 :].split(b"\0", 2)
    if how not in (_PLAIN, _PACKED) or len(texts) < 2:
        return None
    packet, clear = _inflated(texts[1]) if how == _PACKED else (texts[1], True)
    after = cleaned(packet, clean_xmp, keep)
    if after is None or (clear and after == packet and not language and not texts[0]):
        return None if after is None else data
    says = after.strip(_BLANKS)
    for written in (_XMP_NAME + _PLAIN + b"\0\0" + says, _XMP_NAME + _PACKED + b"\0\0" + zlib.compress(says, 9)):
        spare = len(data) - len(written)
        if spare >= _EMPTY_BYTES or not spare:
            return written
        if spare > 0 and written.endswith(says):
            return written + b" " * spare
    raise Unclear("XMP that was packed more tightly than it can be here")


def _time(data: bytes, keep: KeepMetadata) -> bytes | None:
    return None if keep is KeepMetadata.NOTHING or len(data) != 7 else data


def _profile(data: bytes, keep: KeepMetadata) -> bytes | None:
    """An iCCP chunk: a name that tells nothing, and a profile that may have to be compressed again."""
    name, _, rest = data.partition(b"\0")
    profile, clear = _inflated(rest[1:])
    after = cleaned(profile, clean_icc, keep)
    if after is None or rest[:1] != b"\0":
        return None
    if clear and after == profile:
        known = _PROFILE_NAME.fullmatch(name) is not None
        return data if known else _PROFILE_NAMES[: len(name)] + data[len(name) :]
    packed = b"\0\0" + zlib.compress(after, 9)
    spare = len(data) - len(packed)
    if spare < 1:
        raise Unclear("a profile that was packed more tightly than it can be here")
    return _PROFILE_NAMES[: spare if spare < _EMPTY_BYTES + 3 else 3] + packed


def _inflated(data: bytes) -> tuple[bytes, bool]:
    """The profile, nothing where there is none, and whether nothing else is there."""
    inflate = zlib.decompressobj()
    try:
        profile = inflate.decompress(data, _MAX_PROFILE_BYTES)
    except zlib.error:
        return b"", False
    return profile if inflate.eof else b"", inflate.eof and not inflate.unused_data


_METADATA: dict[bytes, _Metadata] = {
    b"eXIf": _block(clean_exif),
    b"iCCP": _profile,
    b"iTXt": _text,
    b"tEXt": _text,
    b"zTXt": _text,
    b"tIME": _time,
}
