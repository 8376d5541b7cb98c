"""What a file is, read from its header alone: format, displayed size, frames, and what a decode would cost."""

import os
from dataclasses import dataclass, replace

import pyvips

from appliance.domain import formats
from appliance.domain.errors import UnreadableImage
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Facts
from appliance.imaging import costs, tiff
from appliance.imaging.frames import has_many_chunks, has_many_items, png_frames, sequence_frames
from appliance.imaging.sources import BROKEN, heic_header, kind_of, open_picture

TURNED = frozenset((5, 6, 7, 8))
"""EXIF orientations that swap width and height."""
_EXCESSIVE = "It has too many {} to read in a reasonable time."
MAPPED_BYTES = 256 * 1024 * 1024
"""libvips maps a GIF or WebP whole to read its header; of larger ones the first bytes are read here."""


@dataclass(frozen=True, slots=True)
class _Header:
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


def inspect(fd: int, *, max_pixels: int, max_memory_bytes: int, animation_bytes: int) -> Facts:
    """The facts of the open file.

    Raises EmptyUpload, UnsupportedFormat, NotAnImage, or UnreadableImage when the format is taken but the header is
    broken. A picture over the limits is no error: its facts carry a `refusal`.
    """
    kind = kind_of(fd)
    file_bytes = os.fstat(fd).st_size
    try:
        header = _read(fd, kind, file_bytes)
    except BROKEN as error:
        raise UnreadableImage(_broken_words(kind)) from error
    if min(header.width, header.height) < 1:
        raise UnreadableImage(_broken_words(kind))
    memory_bytes = _decode_bytes(kind, header, file_bytes, animation_bytes)
    return _facts(kind, header, memory_bytes, max_pixels, max_memory_bytes)


def orientation_of(image: pyvips.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it is nonsense."""
    value = image.get("orientation") if image.get_typeof("orientation") else 1
    return int(value) if value in range(1, 9) else 1


def _decode_bytes(kind: FormatSpec, header: _Header, file_bytes: int, animation_bytes: int) -> int:
    return costs.decode_bytes(
        kind,
        header.width,
        header.height,
        file_bytes=file_bytes,
        bands=header.bands,
        sample_bytes=header.sample_bytes,
        frames=header.frames,
        progressive=header.progressive,
        chroma=header.chroma,
        block_lines=header.block_lines,
        animation_bytes=animation_bytes,
    )


def _facts(kind: FormatSpec, header: _Header, memory_bytes: int, max_pixels: int, max_memory_bytes: int) -> Facts:
    width, height = header.width, header.height
    if header.orientation in TURNED:
        width, height = height, width
    return Facts(
        media_type=kind.media_type,
        width=width,
        height=height,
        frames=header.frames,
        has_alpha=header.has_alpha,
        progressive=header.progressive,
        memory_bytes=memory_bytes,
        refusal=header.refusal
        or costs.refusal(width, height, memory_bytes, max_pixels=max_pixels, max_memory_bytes=max_memory_bytes),
    )


def _broken_words(kind: FormatSpec) -> str:
    return f"This {kind.name} file can't be read. It is damaged or incomplete."


def _read(fd: int, kind: FormatSpec, file_bytes: int) -> _Header:
    """The header. Where the decoder would take long over it, only what is in front is read, and not by the decoder."""
    if kind is formats.TIFF and tiff.is_excessive(fd):
        return _excessive_tiff(fd)
    if kind is formats.WEBP and has_many_chunks(fd):
        return replace(_large_webp(fd), refusal=_EXCESSIVE.format("frames"))
    if kind in (formats.HEIC, formats.AVIF) and has_many_items(fd):
        raise ValueError("more parts than a picture has")
    if kind is formats.HEIC:
        width, height, has_alpha, pictures = heic_header(fd)
        frames = max(pictures, sequence_frames(fd))
        return _Header(width, height, bands=4 if has_alpha else 3, has_alpha=has_alpha, frames=frames)
    if kind is formats.GIF and file_bytes > MAPPED_BYTES:
        return _large_gif(fd)
    if kind is formats.WEBP and file_bytes > MAPPED_BYTES:
        return _large_webp(fd)
    return _counted(_header(open_picture(fd, kind)), fd, kind)


def _counted(header: _Header, fd: int, kind: FormatSpec) -> _Header:
    """The header with the frames that libvips does not count, and without the pages that are copies of the first."""
    match kind:
        case formats.TIFF:
            pages = tiff.pages(fd)
            return replace(header, frames=pages.count, block_lines=pages.block_lines)
        case formats.PNG:
            return replace(header, frames=png_frames(fd))
        case formats.AVIF:
            return replace(header, frames=max(header.frames, sequence_frames(fd)))
        case _:
            return header


def _header(image: pyvips.Image) -> _Header:
    fields = set(image.get_fields())
    return _Header(
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


def _excessive_tiff(fd: int) -> _Header:
    page = tiff.first_page(fd)
    return _Header(page.width, page.height, orientation=page.orientation, refusal=_EXCESSIVE.format("pages or tags"))


def _large_gif(fd: int) -> _Header:
    head = os.pread(fd, 10, 0)
    return _Header(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"), bands=4, has_alpha=True)


def _large_webp(fd: int) -> _Header:
    """The canvas of an extended WebP; no plain one is this large."""
    head = os.pread(fd, 30, 0)
    if head[12:16] != b"VP8X":
        raise ValueError("a WebP of this size has a VP8X chunk")
    width, height = (1 + int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
    return _Header(width, height, bands=4, has_alpha=bool(head[20] & 0x10))
