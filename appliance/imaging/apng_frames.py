"""Where the frames of an animated PNG lie (PNG, third edition), and each of them as a file of its own."""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance.imaging.file_bytes import FileBytes

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 100_000
_MAX_HEAD_BYTES = 8 * 1024 * 1024
_CONTROL = struct.Struct(">IIIIIHHBB")
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
            plays = int.from_bytes(file.read(at, 8)[4:], "big")
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


def hides_its_default(fd: int) -> bool:
    """Whether the image of an open PNG that other readers show is none of its frames, and so is never seen."""
    kinds = set()
    for kind, _, _ in _chunks(FileBytes(fd)):
        if kind == b"IDAT":
            return b"acTL" in kinds and b"fcTL" not in kinds
        kinds.add(kind)
    return False


def frame_file(fd: int, animation: Animation, frame: Frame) -> int:
    """A PNG in memory that holds nothing but the frame; close it."""
    header = struct.pack(">II", frame.width, frame.height) + animation.header[8:]
    data = b"".join(os.pread(fd, length, at) for at, length in frame.pieces)
    copy = os.memfd_create("frame")
    with os.fdopen(os.dup(copy), "wb") as file:
        file.write(_SIGNATURE + _chunk(b"IHDR", header) + animation.shared)
        file.write(_chunk(b"IDAT", data) + _chunk(b"IEND", b""))
    return copy


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
