"""Animated PNG (PNG, third edition): decodes the frames, which libvips does not read.

Each frame is put into a PNG of its own, which libvips decodes, and drawn onto the canvas as its control chunk says.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyvips

from appliance.domain import formats
from appliance.imaging.file_bytes import FileBytes
from appliance.imaging.sources import open_image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 100_000
_MAX_HEAD_BYTES = 8 * 1024 * 1024
_CONTROL = struct.Struct(">IIIIIHHBB")
_TO_BACKGROUND, _TO_PREVIOUS = 1, 2
_OVER = 1
_DEFAULT_DELAY_MS = 100


@dataclass(slots=True)
class Frame:
    """One frame: where on the canvas it is drawn and how, and where its data lies in the file (offset, length)."""

    width: int
    height: int
    left: int
    top: int
    delay_ms: int
    disposal: int
    blending: int
    pieces: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Animation:
    """What a file's chunks say: its header, the chunks that all frames need, the frames, and how often they play."""

    header: bytes
    shared: bytes
    frames: tuple[Frame, ...]
    plays: int

    @property
    def size(self) -> tuple[int, int]:
        width, height = struct.unpack_from(">II", self.header)
        return width, height


def read_animation(fd: int) -> Animation:
    """The animation of an open PNG. Raises ValueError for one that isn't whole, or reaches beyond its canvas."""
    header, shared, plays, frames = b"", b"", 0, list[Frame]()
    file = FileBytes(fd)
    for kind, at, length in _chunks(file):
        if kind == b"IHDR":
            header = file.read(at, length)
        elif kind == b"acTL":
            [plays] = struct.unpack(">4xI", file.read(at, 8))
        elif kind == b"fcTL":
            frames.append(_frame(file.read(at, _CONTROL.size)))
        elif kind == b"IDAT" and frames:
            frames[-1].pieces.append((at, length))
        elif kind == b"fdAT" and frames:
            frames[-1].pieces.append((at + 4, length - 4))
        elif not frames and kind != b"IDAT" and len(shared) + length <= _MAX_HEAD_BYTES:
            shared += _chunk(kind, file.read(at, length))
    animation = Animation(header, shared, tuple(frames), plays)
    width, height = animation.size if len(header) == 13 else (0, 0)
    if not frames or any(not _lies_within(frame, width, height) for frame in frames):
        raise ValueError("frames that reach beyond their canvas, or have no pixels")
    return animation


def canvases(fd: int, animation: Animation) -> Iterator[pyvips.Image]:
    """Yield what each frame shows, in memory: RGBA of 8 bits, in the colours of the file.

    Raises what `sources.BROKEN` lists.
    """
    width, height = animation.size
    canvas = _empty(width, height)
    for number, frame in enumerate(animation.frames):
        pixels = _pixels(fd, animation, frame)
        shown = _drawn(canvas, pixels, frame)
        if pixels.get_typeof("icc-profile-data"):
            shown.set_type(pyvips.GValue.blob_type, "icc-profile-data", pixels.get("icc-profile-data"))
        yield shown
        disposal = _TO_BACKGROUND if number == 0 and frame.disposal == _TO_PREVIOUS else frame.disposal
        if disposal == _TO_BACKGROUND:
            canvas = shown.insert(_empty(frame.width, frame.height), frame.left, frame.top).copy_memory()
        elif disposal != _TO_PREVIOUS:
            canvas = shown


def _drawn(canvas: pyvips.Image, pixels: pyvips.Image, frame: Frame) -> pyvips.Image:
    if frame.blending == _OVER:
        below = canvas.crop(frame.left, frame.top, frame.width, frame.height)
        pixels = below.composite2(pixels, "over").cast("uchar")
    return canvas.insert(pixels, frame.left, frame.top).copy(interpretation="srgb").copy_memory()


def _pixels(fd: int, animation: Animation, frame: Frame) -> pyvips.Image:
    """A frame's own pixels, decoded from a PNG that holds nothing else."""
    header = struct.pack(">II", frame.width, frame.height) + animation.header[8:]
    data = b"".join(os.pread(fd, length, at) for at, length in frame.pieces)
    copy = os.memfd_create("frame")
    try:
        with os.fdopen(os.dup(copy), "wb") as file:
            file.write(_SIGNATURE + _chunk(b"IHDR", header) + animation.shared)
            file.write(_chunk(b"IDAT", data) + _chunk(b"IEND", b""))
        return _with_alpha(open_image(copy, formats.PNG)).copy_memory()
    finally:
        os.close(copy)


def _with_alpha(image: pyvips.Image) -> pyvips.Image:
    if image.format == "ushort":
        image = (image >> 8).cast("uchar")
    if image.bands < 3:
        grey = image.extract_band(0)
        rest = [image.extract_band(1)] if image.bands == 2 else []
        profile = image
        image = grey.bandjoin([grey, grey, *rest])
        if profile.get_typeof("icc-profile-data"):
            image.remove("icc-profile-data")  # of grey, which three bands are not
    image = image.copy(interpretation="srgb")
    return image if image.bands == 4 else image.bandjoin(255)


def _empty(width: int, height: int) -> pyvips.Image:
    return pyvips.Image.black(width, height, bands=4).copy(interpretation="srgb")


def _frame(control: bytes) -> Frame:
    if len(control) < _CONTROL.size:
        raise ValueError("a control chunk that isn't whole")
    _, width, height, left, top, delay, per_second, disposal, blending = _CONTROL.unpack(control)
    delay_ms = round(1000 * delay / (per_second or 100))
    return Frame(width, height, left, top, delay_ms or _DEFAULT_DELAY_MS, disposal, blending)


def _lies_within(frame: Frame, width: int, height: int) -> bool:
    inside = frame.left + frame.width <= width and frame.top + frame.height <= height
    return inside and min(frame.width, frame.height) > 0 and bool(frame.pieces)


def _chunks(file: FileBytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, offset and length of each chunk's data, up to the end of the file or its image."""
    at = len(_SIGNATURE)
    for _ in range(_MAX_CHUNKS):
        head = file.read(at, 8)
        if len(head) < 8 or head[4:] == b"IEND":
            return
        length = int.from_bytes(head[:4], "big")
        yield head[4:], at + 8, length
        at += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
