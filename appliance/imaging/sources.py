"""Opening an image from a file descriptor: one explicit loader per format, and nothing else of libvips's loaders."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pi_heif
import pyvips

from appliance.domain import formats
from appliance.domain.formats import FormatSpec
from appliance.imaging import gif_canvas, png_window
from appliance.imaging.apng_frames import Animation, frame_file, hides_its_default, read_animation
from appliance.imaging.code_points import is_hdr
from appliance.imaging.colour import with_heif_colour, with_png_colour
from appliance.imaging.heif_header import AV1, HeifHeader, read_heif_header
from appliance.imaging.samples import mapped, needs_mapping
from appliance.imaging.tiff import PyramidLevel
from appliance.imaging.tiff_colour import is_white_first, with_tiff_colour

LOADERS = {
    formats.JPEG: "jpegload_source",
    formats.PNG: "pngload_source",
    formats.GIF: "gifload_source",
    formats.WEBP: "webpload_source",
    formats.TIFF: "tiffload_source",
    formats.AVIF: "heifload_source",
}
"""Of all accepted formats but HEIC, which pi-heif reads."""
_LOADER_CLASSES = ("JpegSource", "PngSource", "NsgifSource", "WebpSource", "TiffSource", "HeifSource", "UhdrSource")
_HEIC_HEADER_BYTES, _MAX_HEIC_HEADER_BYTES = 32 * 1024 * 1024, 256 * 1024 * 1024
"""The inspection reads only the beginning of a HEIC: so many bytes, or up to the end of the box that describes its
items, which may lie behind a video."""

BROKEN = (
    *(pyvips.Error, OSError, ValueError, RuntimeError, SyntaxError, EOFError, MemoryError),
    *(LookupError, ArithmeticError, TypeError),
)
"""What libvips and pi-heif raise for images that they can't read: pi-heif an IndexError for some codings."""
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
    """Whether one of `BROKEN` is a verdict on the image itself, not on memory or a disk that failed just then."""
    if isinstance(error, OSError | MemoryError):
        return False
    words = str(error).lower()
    return not any(fault in words for fault in _MACHINES_FAULTS)


def open_image(
    fd: int,
    kind: FormatSpec,
    *,
    shrink: int = 1,
    scale: float = 1.0,
    level: PyramidLevel | None = None,
    fail_on: str = "none",
    is_mapped: bool = True,
) -> pyvips.Image:
    """The image's pixels, read once from top to bottom; raises what `BROKEN` lists.

    `shrink` (1, 2, 4, 8) is for JPEG, `scale` for WebP, `level` for TIFF alone. A decoder that comes upon damage shows
    what it can, unless `fail_on` is `error`. Numbers of a TIFF that are no colours are brought to them, for which all
    of it is read once before, unless `is_mapped` is False.
    """
    if kind is formats.HEIC:
        header = read_heif_header(fd)
        if header is None or header.coding != AV1:
            return with_heif_colour(_heic_pixels(fd, header), header)
        kind = formats.AVIF  # pi-heif has no decoder for AV1, which other brands of HEIF may hold too
    options: dict[str, object] = {"access": "sequential", "fail_on": fail_on}
    if kind is formats.JPEG:
        options["unlimited"] = True  # libvips stops at a hundred warnings; ours is a limit on scans
    if kind is formats.JPEG and shrink > 1:
        options["shrink"] = shrink
    if kind is formats.WEBP and scale < 1:
        options["scale"] = scale
    if kind is formats.TIFF and level is not None:
        options |= {"page": level.page, "subifd": level.subifd}
    if kind is formats.AVIF:
        options["unlimited"] = True  # ours are the limits on pixels and memory; libheif's own end at 32768 x 32768
    if kind is formats.GIF:
        return _gif(fd, options)[0]
    if kind is formats.PNG:
        return with_png_colour(_png(fd, options), fd)
    image = _load(fd, kind, options)
    if kind is formats.TIFF:
        image = with_tiff_colour(image, fd)
        if not (is_mapped and needs_mapping(image)):
            return image
        return mapped(image, lambda: _load(fd, kind, options), is_white_first=is_white_first(image, fd))
    return with_heif_colour(image, read_heif_header(fd)) if kind is formats.AVIF else image


def open_frames(fd: int, kind: FormatSpec) -> tuple[pyvips.Image, Sequence[int]]:
    """All frames of a GIF or WebP as one column, and which of them are shown; raises what `BROKEN` lists."""
    options: dict[str, object] = {"access": "sequential", "fail_on": "none", "n": -1}
    if kind is formats.GIF:
        return _gif(fd, options)
    column = _load(fd, kind, options)
    return column, range(_count(column))


def _gif(fd: int, options: dict[str, object]) -> tuple[pyvips.Image, Sequence[int]]:
    """The image, with alpha where it is open, and which frames of its column are shown."""
    if (copy := gif_canvas.copy_with_alpha(fd)) is not None:
        image = _load_copy(copy.fd, formats.GIF, options)
        if _count(image) == copy.count:  # else libvips finds other frames than we do
            image = image.copy()
            image.set_type(pyvips.GValue.gint_type, "n-pages", len(copy.shown))
            return image, copy.shown
    image = _load(fd, formats.GIF, options)
    return image, range(_count(image))


def _png(fd: int, options: dict[str, object]) -> pyvips.Image:
    """The image that browsers show: of some animated ones the first frame, where others read something else."""
    if hides_its_default(fd):
        with suppress(ValueError):
            return _first_frame(fd, read_animation(fd), options)
    copy = png_window.copy_with_largest_window(fd)
    return _load(fd, formats.PNG, options) if copy is None else _load_copy(copy, formats.PNG, options)


def _first_frame(fd: int, animation: Animation, options: dict[str, object]) -> pyvips.Image:
    """The first frame on its canvas, which is open around it."""
    frame = animation.frames[0]
    copy = frame_file(fd, animation, frame)
    try:
        image = _png(copy, options)
    finally:
        os.close(copy)
    if (frame.width, frame.height) == animation.size:
        return image
    image = image if image.hasalpha() else image.addalpha()
    return image.embed(frame.left, frame.top, *animation.size)


def _load_copy(fd: int, kind: FormatSpec, options: dict[str, object]) -> pyvips.Image:
    """Loads and closes it, for libvips has a descriptor of its own."""
    try:
        return _load(fd, kind, options)
    finally:
        os.close(fd)


def _count(image: pyvips.Image) -> int:
    return int(image.get("n-pages")) if image.get_typeof("n-pages") else 1


def _load(fd: int, kind: FormatSpec, options: dict[str, object]) -> pyvips.Image:
    return getattr(pyvips.Image, LOADERS[kind])(pyvips.Source.new_from_descriptor(fd), **options)


@dataclass(frozen=True, slots=True)
class _Layout:
    """How pi-heif gives the pixels of a mode."""

    bands: int
    interpretation: str
    format: str = "uchar"
    is_premultiplied: bool = False

    @property
    def sample_bytes(self) -> int:
        return 2 if self.format == "ushort" else 1


_LAYOUTS = {
    "L": _Layout(1, "b-w"),
    "LA": _Layout(2, "b-w"),
    "La": _Layout(2, "b-w", is_premultiplied=True),
    "RGB": _Layout(3, "srgb"),
    "RGBA": _Layout(4, "srgb"),
    "RGBa": _Layout(4, "srgb", is_premultiplied=True),
    "RGB;16": _Layout(3, "rgb16", "ushort"),
    "RGBA;16": _Layout(4, "rgb16", "ushort"),
    "RGBa;16": _Layout(4, "rgb16", "ushort", is_premultiplied=True),
    "I;16": _Layout(1, "grey16", "ushort"),  # grey of 10 and 12 bits, brought to 16
}


@contextmanager
def opened_heic(fd: int, max_bytes: int = 0, *, is_hdr: bool = False) -> Iterator[pi_heif.HeifFile]:
    """The HEIC file's primary image, not decoded yet; `is_hdr` decodes more than 8 bits to 16."""
    with os.fdopen(os.dup(fd), "rb") as file:
        file.seek(0)
        yield pi_heif.open_heif(file.read(max_bytes or -1), convert_hdr_to_8bit=not is_hdr)


def heic_header(fd: int, meta_end: int) -> tuple[int, int, bool, int]:
    """Width, height and whether it has alpha, of the displayed image; and how many images there are.

    `meta_end` is where the box that describes them ends.
    """
    if meta_end > _MAX_HEIC_HEADER_BYTES:
        raise ValueError("a header that lies too far behind")
    with opened_heic(fd, max(_HEIC_HEADER_BYTES, meta_end)) as heif:
        width, height = heif.size
        return width, height, heif.has_alpha, len(heif)


def _heic_pixels(fd: int, header: HeifHeader | None) -> pyvips.Image:
    with opened_heic(fd, is_hdr=header is not None and is_hdr(header.transfer)) as heif:
        data = bytes(heif.data)  # a copy: the view that pi-heif gives does not keep its pixels alive
        stride, (width, height), mode = heif.stride, heif.size, heif.mode
        profile = heif.info.get("icc_profile")
    layout = _LAYOUTS[mode]
    padded = stride // (layout.bands * layout.sample_bytes)
    image = pyvips.Image.new_from_memory(data, padded, height, layout.bands, layout.format)
    image = image.crop(0, 0, width, height).copy(interpretation=layout.interpretation)
    if layout.is_premultiplied:
        image = image.unpremultiply().rint().cast(layout.format)
    if profile:
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", profile)
    return image
