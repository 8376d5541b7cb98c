"""What a file is, without decoding it where it is ordinary: format, displayed size, frames, and what a decode costs."""

import os

from appliance.domain import refusals
from appliance.domain.errors import UnreadableImage
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import Facts
from appliance.imaging import costs, trial
from appliance.imaging.headers import TURNED, Header, read_header
from appliance.imaging.sniffing import kind_of
from appliance.imaging.sources import BROKEN


def inspect(fd: int, *, max_pixels: int, max_memory_bytes: int, animation_bytes: int) -> Facts:
    """The facts of the open file. What is unusual in it is decoded on trial, within bounds.

    Raises EmptyUpload, UnsupportedFormat, NotAnImage, or UnreadableImage when the format is taken but the header is
    broken. An image over the limits, or one that can't be decoded, is no error: its facts carry a `refusal`.
    """
    kind = kind_of(fd)
    try:
        header = read_header(fd, kind)
    except BROKEN as error:
        raise UnreadableImage(_broken_words(kind)) from error
    if min(header.width, header.height) < 1:
        raise UnreadableImage(_broken_words(kind))
    memory_bytes = _decode_bytes(kind, header, os.fstat(fd).st_size, animation_bytes)
    refusal = header.refusal or costs.refusal(
        header.width, header.height, memory_bytes, max_pixels=max_pixels, max_memory_bytes=max_memory_bytes
    )
    return _facts(kind, header, memory_bytes, refusal or _tried(fd, kind, header, memory_bytes))


def _tried(fd: int, kind: FormatSpec, header: Header, memory_bytes: int) -> str | None:
    """Try an unusual image, and return why no size can be made of it; None if sizes can be made."""
    if not header.is_unusual or not trial.is_affordable(kind, header.width, header.height, memory_bytes):
        return None
    if trial.can_decode(fd, kind, is_incomplete=header.is_incomplete):
        return None
    return refusals.CUT_SHORT if header.is_incomplete else refusals.UNDECODABLE


def _decode_bytes(kind: FormatSpec, header: Header, file_bytes: int, animation_bytes: int) -> int:
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


def _facts(kind: FormatSpec, header: Header, memory_bytes: int, refusal: str | None) -> Facts:
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
        refusal=refusal,
        incomplete=header.is_incomplete,
    )


def _broken_words(kind: FormatSpec) -> str:
    return f"This {kind.name} file can't be read. It is damaged or incomplete."
