"""Opening a picture from a file descriptor: one explicit loader per format, and nothing else of libvips's loaders."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pi_heif
import pyvips

from appliance.domain import formats
from appliance.domain.errors import EmptyUpload
from appliance.domain.formats import FormatSpec
from appliance.imaging.sniffing import HEAD_BYTES, sniff
from appliance.imaging.tiff import Level

LOADERS = {
    formats.JPEG: "jpegload_source",
    formats.PNG: "pngload_source",
    formats.GIF: "gifload_source",
    formats.WEBP: "webpload_source",
    formats.TIFF: "tiffload_source",
    formats.AVIF: "heifload_source",
}
"""Of all accepted formats but HEIC, which pi-heif reads."""
_LOADER_CLASSES = ("JpegSource", "PngSource", "NsgifSource", "WebpSource", "TiffSource", "HeifSource")
_HEIC_HEADER_BYTES = 32 * 1024 * 1024
"""Of a HEIC larger than this the inspection reads only the beginning, where its boxes are."""

BROKEN = (pyvips.Error, OSError, ValueError, RuntimeError, SyntaxError, EOFError, MemoryError)
"""What libvips and pi-heif raise for pictures that they can't read."""
_MACHINES_FAULTS = (
    "out of memory",
    "insufficient memory",
    "memory allocation",
    "unable to allocate",
    *(os.strerror(fault).lower() for fault in (errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC)),
)
"""Words of the libraries and of the system for what this machine lacked, in the text of any of these errors."""


def block_other_loaders() -> None:
    """Make libvips refuse every loader but the ones used here."""
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for name in _LOADER_CLASSES:
        pyvips.operation_block_set(f"VipsForeignLoad{name}", False)


def is_permanent(error: Exception) -> bool:
    """Whether one of `BROKEN` is a verdict on the picture itself, not on memory or a disk that failed just then."""
    if isinstance(error, OSError | MemoryError):
        return False
    words = str(error).lower()
    return not any(fault in words for fault in _MACHINES_FAULTS)


def kind_of(fd: int) -> FormatSpec:
    """The format of the open file. Raises EmptyUpload, UnsupportedFormat or NotAnImage."""
    head = os.pread(fd, HEAD_BYTES, 0)
    if not head:
        raise EmptyUpload
    return sniff(head)


def open_picture(
    fd: int, kind: FormatSpec, *, frames: int = 1, shrink: int = 1, scale: float = 1.0, level: Level | None = None
) -> pyvips.Image:
    """The picture's pixels, read once from top to bottom; raises what `BROKEN` lists.

    `frames` -1 opens all frames as one column; `shrink` (1, 2, 4, 8) is for JPEG, `scale` for WebP, `level` for TIFF
    alone.
    """
    if kind is formats.HEIC:
        return _heic_pixels(fd)
    options: dict[str, object] = {"access": "sequential", "fail_on": "none"}
    if kind is formats.JPEG and shrink > 1:
        options["shrink"] = shrink
    if kind is formats.WEBP and scale < 1:
        options["scale"] = scale
    if formats.ACCEPTED[kind].is_animated and frames != 1:
        options["n"] = frames
    if kind is formats.TIFF and level is not None:
        options |= {"page": level.page, "subifd": level.subifd}
    if kind is formats.AVIF:
        options["unlimited"] = True  # ours are the limits on pixels and memory; libheif's own end at 32768 x 32768
    source = pyvips.Source.new_from_descriptor(fd)
    return getattr(pyvips.Image, LOADERS[kind])(source, **options)


@contextmanager
def opened_heic(fd: int, max_bytes: int = 0) -> Iterator[pi_heif.HeifFile]:
    """The HEIC file's primary picture, not decoded yet."""
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        yield pi_heif.open_heif(file.read(max_bytes or -1), convert_hdr_to_8bit=True)


def heic_header(fd: int) -> tuple[int, int, bool, int]:
    """Width, height and whether it has alpha, of the displayed picture; and how many pictures there are."""
    with opened_heic(fd, _HEIC_HEADER_BYTES) as heif:
        width, height = heif.size
        return width, height, heif.has_alpha, len(heif)


def _heic_pixels(fd: int) -> pyvips.Image:
    with opened_heic(fd) as heif:
        data = bytes(heif.data)  # a copy: the view that pi-heif gives does not keep its pixels alive
        stride, (width, height), mode = heif.stride, heif.size, heif.mode
        profile = heif.info.get("icc_profile")
    bands = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}[mode]
    padded = stride // bands
    image = pyvips.Image.new_from_memory(data, padded, height, bands, "uchar")
    image = image.crop(0, 0, width, height).copy(interpretation="srgb" if bands >= 3 else "b-w")
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image
