"""PNG: chunks that hold EXIF, XMP or other programs' profiles; each that changes gets its checksum anew."""

import re
import zlib

from appliance.imaging.private.cleaning import MAX_BLOCK_BYTES, Cleaning, Unclear
from appliance.imaging.private.exif import clean_exif, clean_resources
from appliance.imaging.private.iptc import clean_iptc
from appliance.imaging.private.names import is_private_name
from appliance.imaging.private.xmp import clean_xmp
from appliance.model import KeepMetadata

_XMP_KEYWORD = b"XML:com.adobe.xmp"
_PROFILE = re.compile(rb"Raw profile type (?:exif|app1|xmp|iptc|8bim)", re.IGNORECASE)
_HEX = re.compile(rb"\n\w+\n\s*\d+\n([0-9a-fA-F\n]*)")
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_MAX_CHUNKS = 5_000_000
_MAX_TEXT_BYTES = 16 * 1024 * 1024


def clean_png(cleaning: Cleaning) -> None:
    """Every chunk of a PNG file."""
    at = 8
    for _ in range(_MAX_CHUNKS):
        head = cleaning.read(at, 8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"eXIf" or kind in _TEXTS:
            _chunk(cleaning, at + 4, kind, length)
        elif kind == b"caBX":  # content credentials: signed
            cleaning.complete = False
        at += 12 + length
    cleaning.complete = False


def _chunk(cleaning: Cleaning, at: int, kind: bytes, length: int) -> None:
    if length > MAX_BLOCK_BYTES:
        cleaning.complete = False
        return
    before = cleaning.read(at, length + 8)
    if len(before) < length + 8:  # the file ends within it
        return
    try:
        after = _cleaned(kind, before[4:-4], cleaning.keep)
    except Unclear:
        cleaning.complete = False
        return
    if after != before[:-4]:
        cleaning.put(at, before, after + zlib.crc32(after).to_bytes(4, "big"))


def _cleaned(kind: bytes, data: bytes, keep: KeepMetadata) -> bytes:
    """The chunk's type and data."""
    if kind == b"eXIf":
        return kind + clean_exif(data, keep)
    keyword, _, rest = data.partition(b"\0")
    if is_private_name(keyword) and b":" in keyword:  # exif:GPSLatitude, as ImageMagick writes it
        return _nothing(len(data))
    if kind == b"iTXt" and keyword == _XMP_KEYWORD:
        return _clean_xmp_chunk(data, rest, keep)
    if _PROFILE.fullmatch(keyword):
        return _clean_profile(kind, data, keyword, rest, keep)
    return kind + data


def _clean_xmp_chunk(data: bytes, rest: bytes, keep: KeepMetadata) -> bytes:
    compressed = rest[:1] == b"\1"
    text = rest[2:].split(b"\0", 2)[-1]
    if compressed:
        plain = _inflated(text)
        return b"iTXt" + data if clean_xmp(plain, keep) == plain else _nothing(len(data))
    return b"iTXt" + data[: len(data) - len(text)] + clean_xmp(text, keep)


def _clean_profile(kind: bytes, data: bytes, keyword: bytes, rest: bytes, keep: KeepMetadata) -> bytes:
    """A profile as ImageMagick writes it: its name, its length, and hexadecimal figures."""
    text = rest if kind == b"tEXt" else _inflated(rest[1:] if kind == b"zTXt" else rest[2:].split(b"\0", 2)[-1])
    figures = _HEX.match(text)
    if figures is None:
        raise Unclear("a profile that can't be read")
    profile = bytes.fromhex(figures[1].replace(b"\n", b"").decode()[: len(figures[1]) // 2 * 2])
    name = keyword.rpartition(b" ")[2].lower()
    if _clean_named(name, profile, keep) == profile:
        return kind + data
    return _nothing(len(data))


def _clean_named(name: bytes, profile: bytes, keep: KeepMetadata) -> bytes:
    if name == b"xmp":
        return clean_xmp(profile, keep)
    if name in (b"iptc", b"8bim"):
        return clean_resources(profile, keep) if profile[:4] == b"8BIM" else clean_iptc(profile, keep)
    return clean_xmp(profile, keep) if profile.startswith(b"http:") else clean_exif(profile, keep)


def _nothing(length: int) -> bytes:
    """A chunk's type and data that say nothing: what is compressed can't be cleaned in the same room."""
    return b"tEXt" + (b"Comment\0" if length >= 8 else b"C\0").ljust(length)[:length]


def _inflated(data: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(data, _MAX_TEXT_BYTES)
    except zlib.error as error:
        raise Unclear("text that can't be inflated") from error
    if inflate.unconsumed_tail:
        raise Unclear("more text than is looked at")
    return text
