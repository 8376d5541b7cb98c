"""Headers: what each format says of an image before its pixels, read with bounds on every figure in it."""

import os
from dataclasses import dataclass, replace

import pyvips

from appliance.domain import formats, refusals
from appliance.domain.formats import FormatSpec
from appliance.imaging import tiff, trial
from appliance.imaging.endings import ends_early
from appliance.imaging.frames import has_many_chunks, has_many_items, png_frames, sequence_frames
from appliance.imaging.heif_header import HEVC, MAX_HEVC_PIXELS, HeifHeader, read_heif_header
from appliance.imaging.jpeg_header import MAX_SCANS, read_jpeg_header
from appliance.imaging.sources import BROKEN, heic_header, open_image

TURNED = frozenset((5, 6, 7, 8))
"""EXIF orientations that swap width and height."""
MAPPED_BYTES = 256 * 1024 * 1024
"""libvips maps a GIF or WebP whole to read its header; of larger ones the first bytes are read here."""


@dataclass(frozen=True, slots=True)
class Header:
    """Width and height as stored, and what else the cost model asks for."""

    width: int
    height: int
    bands: int = 3
    sample_bytes: int = 1
    frames: int = 1
    has_alpha: bool = False
    progressive: bool = False
    chroma: str = "4:4:4"
    orientation: int = 1
    block_lines: int = 0
    refusal: str | None = None
    """Why no other size can be made, where the header alone says so."""
    is_incomplete: bool = False
    """Whether the file ends before its image does."""
    is_unusual: bool = False
    """Whether only a trial decode shows if the decoder can read it."""


def read_header(fd: int, kind: FormatSpec) -> Header:
    """The header of the open file. Raises what `BROKEN` lists.

    Where the decoder would take long over it, only what is in front is read, and not by the decoder.
    """
    match kind:
        case formats.JPEG:
            return _jpeg(fd)
        case formats.TIFF:
            return _tiff(fd)
        case formats.HEIC | formats.AVIF:
            return _heif(fd, kind)
        case formats.WEBP | formats.GIF if os.fstat(fd).st_size > MAPPED_BYTES or _has_many_frames(fd, kind):
            return _large(fd, kind)
        case _:
            header = _decoders(open_image(fd, kind))
            frames = png_frames(fd) if kind is formats.PNG else header.frames
            is_cut = ends_early(fd, kind)
            return replace(header, frames=frames, is_incomplete=is_cut, is_unusual=is_cut)


def orientation_of(image: pyvips.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it is nonsense."""
    value = image.get("orientation") if image.get_typeof("orientation") else 1
    return int(value) if value in range(1, 9) else 1


def _decoders(image: pyvips.Image) -> Header:
    """What libvips says of an image."""
    fields = set(image.get_fields())
    return Header(
        width=image.width,
        height=image.height,
        bands=image.bands,
        sample_bytes={"uchar": 1, "char": 1, "ushort": 2, "short": 2}.get(image.format, 4),
        frames=max(1, int(image.get("n-pages"))) if "n-pages" in fields else 1,
        has_alpha=bool(image.hasalpha()),
        progressive=any(image.get(name) for name in fields & {"interlaced", "jpeg-multiscan"}),
        chroma=str(image.get("jpeg-chroma-subsample")) if "jpeg-chroma-subsample" in fields else "4:4:4",
        orientation=orientation_of(image),
    )


def _jpeg(fd: int) -> Header:
    own = read_jpeg_header(fd)
    if own is not None and not own.is_ordinary and min(own.width, own.height) > 0:
        try:
            header = _decoders(open_image(fd, formats.JPEG))
        except BROKEN:
            return Header(own.width, own.height, refusal=refusals.UNDECODABLE)
        return replace(header, is_unusual=True, is_incomplete=not own.is_complete)
    header = _decoders(open_image(fd, formats.JPEG))
    if own is None:
        return header
    refusal = refusals.TOO_MANY_SCANS if own.scans > MAX_SCANS else None
    return replace(header, is_unusual=not own.is_complete, is_incomplete=not own.is_complete, refusal=refusal)


def _tiff(fd: int) -> Header:
    first = tiff.first_page(fd)
    if tiff.is_excessive(fd):
        return Header(first.width, first.height, orientation=first.orientation, refusal=refusals.TOO_MANY_PAGES)
    try:
        header = _decoders(open_image(fd, formats.TIFF, is_mapped=False))
    except BROKEN:
        if first.is_ordinary:
            raise
        return Header(first.width, first.height, orientation=first.orientation, refusal=refusals.UNDECODABLE)
    pages = tiff.pages(fd)
    return replace(
        header,
        refusal=refusals.UNDECODABLE if first.is_misread else None,
        frames=pages.count - trial.count_copies(fd, pages.halves, header.width * header.height),
        block_lines=pages.block_lines,
        is_unusual=not first.is_ordinary,
        is_incomplete=not tiff.is_complete(fd),
    )


def _heif(fd: int, kind: FormatSpec) -> Header:
    if has_many_items(fd):
        raise ValueError("more parts than an image has")
    own = read_heif_header(fd)
    if kind is formats.HEIC:
        width, height, has_alpha, images = heic_header(fd, own.meta_end if own else 0)
        header = Header(width, height, bands=4 if has_alpha else 3, has_alpha=has_alpha, frames=images)
    else:
        header = _decoders(open_image(fd, kind))
    return replace(
        header,
        frames=max(header.frames, sequence_frames(fd)),
        is_unusual=own is None or not own.is_complete or (kind is formats.HEIC and not _is_plain(own, header)),
        is_incomplete=own is not None and not own.is_complete,
        refusal=refusals.BEYOND_HEVC if own is not None and _is_beyond_hevc(own) else None,
    )


def _is_beyond_hevc(own: HeifHeader) -> bool:
    return own.coding == HEVC and own.coded_pixels > MAX_HEVC_PIXELS


def _is_plain(own: HeifHeader, header: Header) -> bool:
    """Whether it is what phones write: HEVC of three bands."""
    return own.coding == HEVC and header.bands == 3


def _has_many_frames(fd: int, kind: FormatSpec) -> bool:
    return kind is formats.WEBP and has_many_chunks(fd)


def _large(fd: int, kind: FormatSpec) -> Header:
    """Read the first bytes without a decoder. A WebP of this size has a canvas; no plain one is this large."""
    head = os.pread(fd, 30, 0)
    if kind is formats.GIF:
        width, height = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        return Header(width, height, bands=4, has_alpha=True)
    if head[12:16] != b"VP8X":
        raise ValueError("a WebP of this size has a VP8X chunk")
    width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
    refusal = refusals.TOO_MANY_FRAMES if _has_many_frames(fd, kind) else None
    return Header(width, height, bands=4, has_alpha=bool(head[20] & 0x10), refusal=refusal)
