"""The C extension of this package, and the libjpeg-turbo and libwebp of Pillow's wheel that it uses.

`make` builds the extension where it finds a C compiler and libjpeg's header; the release has it built.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import PIL
from PIL import features

from appliance.domain.renditions import Format
from appliance.imaging.resizing import Size

LIBRARY = Path(__file__).with_name("libfastjpeg.so.1")
MAX_SIZES = 8
"""That can be made at once."""
_DONE = 0
_FORMATS = (Format.JPG, Format.WEBP)


@dataclass(frozen=True, slots=True)
class WantedSize:
    """A file that is wanted. `source`: the earlier one that it is made from; None for the decoded image.

    `effort` is 0 to 6 for WebP; for JPEG 1, which gives it Huffman tables of its own, or 0. Only JPEGs take a profile.
    """

    size: Size
    source: int | None
    quality: int
    effort: int
    format: Format = Format.JPG
    profile: bytes = b""


class _Size(ctypes.Structure):
    """FastJpegSize of fast_jpeg.h."""

    _fields_ = (
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("source", ctypes.c_int32),
        ("format", ctypes.c_int32),
        ("quality", ctypes.c_int32),
        ("effort", ctypes.c_int32),
        ("profile", ctypes.c_char_p),
        ("profile_bytes", ctypes.c_size_t),
        ("file", ctypes.c_void_p),
        ("file_bytes", ctypes.c_size_t),
    )


class Extension:
    """The loaded extension. Raises OSError where it or a libjpeg-turbo that fits it isn't there."""

    def __init__(self, library: Path = LIBRARY, kernels: str | None = None) -> None:
        self._library = ctypes.CDLL(str(library))
        try:
            self._declare_functions()
        except AttributeError as error:
            raise OSError(f"{library} is of another release: {error}") from error
        wrong: bytes | None = self._library.fast_jpeg_load(
            str(libjpeg()).encode(), kernels.encode() if kernels else None
        )
        if wrong:
            raise OSError(wrong.decode())
        self.lacking_webp = self._load_webp()
        """Why it makes no WebP, or None."""

    def _declare_functions(self) -> None:
        self._library.fast_jpeg_load.restype = ctypes.c_char_p
        self._library.fast_jpeg_load.argtypes = (ctypes.c_char_p, ctypes.c_char_p)
        self._library.fast_jpeg_load_webp.restype = ctypes.c_char_p
        self._library.fast_jpeg_kernels.restype = ctypes.c_char_p

    def _load_webp(self) -> str | None:
        try:
            wrong: bytes | None = self._library.fast_jpeg_load_webp(str(libwebp()).encode())
        except FileNotFoundError as error:
            return str(error)
        return wrong.decode() if wrong else None

    @property
    def kernels(self) -> str:
        """The name of those in use."""
        name: bytes = self._library.fast_jpeg_kernels()
        return name.decode()

    def render(self, jpeg: bytes, sizes: Sequence[WantedSize], *, shrink: int, orientation: int) -> list[bytes] | None:
        """The file of each size; None where libvips has to make them: the JPEG is unusual or damaged.

        `shrink` (1, 2, 4, 8) is what the decoder does, `orientation` (1 to 8) what the image is turned from.
        """
        wanted = (_Size * len(sizes))(*map(_packed, sizes))
        outcome = self._library.fast_jpeg_render(
            jpeg, ctypes.c_size_t(len(jpeg)), shrink, orientation, wanted, len(sizes)
        )
        if outcome != _DONE:
            return None
        try:
            return [ctypes.string_at(one.file, one.file_bytes) for one in wanted]
        finally:
            self._library.fast_jpeg_free(wanted, len(sizes))


def version(library: str) -> str:
    """That of one of Pillow's libraries: "libjpeg_turbo" or "webp"."""
    return features.version(library) or "of an unknown version"


@cache
def loaded() -> Extension | str:
    """The extension, or why it isn't used. Call it first before the sandbox is closed."""
    try:
        return Extension()
    except OSError as error:
        return str(error)


def _packed(one: WantedSize) -> _Size:
    source = -1 if one.source is None else one.source
    format = _FORMATS.index(one.format)
    return _Size(*one.size, source, format, one.quality, one.effort, one.profile or None, len(one.profile), None, 0)


def libjpeg() -> Path:
    """The library in Pillow's wheel. Raises FileNotFoundError."""
    return _brought("libjpeg-turbo", "libjpeg-*.so.62.*")


def libwebp() -> Path:
    """The library in Pillow's wheel. Raises FileNotFoundError."""
    return _brought("libwebp", "libwebp-*.so.7.*")


def _brought(name: str, pattern: str) -> Path:
    """A Pillow that was built against the system's libraries has none."""
    for place in PIL.__path__:
        for path in sorted((Path(place).parent / "pillow.libs").glob(pattern)):
            return path
    raise FileNotFoundError(f"Pillow brings no {name}: it wasn't installed from its wheel")
