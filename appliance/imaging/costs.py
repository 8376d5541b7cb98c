"""What decoding an image costs in memory, estimated from its header, and the words for one that costs too much.

The figures are a worker's growth while it makes all four sizes at once, measured with libvips 8.18 and one thread on 12
to 400 million pixels; `tests/imaging/test_memory_estimate.py` holds the estimate to them, kind by kind:

    JPEG  2.4 KB a pixel of width; progressive 3.1 bytes a pixel (4:2:0) or 6.0 (4:4:4)
    PNG   3.4 KB a pixel of width; interlaced: every sample
    TIFF  3.4 KB a pixel of width, or two rows of its tiles where these are high
    GIF   4.6 bytes a pixel · AVIF 15.6 (4:2:0) or 18.8 (4:4:4) · HEIC 7 to 12
    WebP  12.5 bytes a pixel loaded (fewer with scale-on-load), and 4 a pixel of the file when lossless
"""

from appliance.domain import formats
from appliance.domain.animation import BYTES_A_PIXEL
from appliance.domain.formats import FormatSpec
from appliance.domain.renditions import tall_area

_SIZES_BYTES, _SIZES_ALPHA_BYTES = 48_000_000, 120_000_000
"""The sizes themselves, up to 2048 px; with alpha they pass through floating point."""
_SIZES_PX = 2048 * 2048
_COLUMN_BYTES = 4 * 1024
"""Reading from top to bottom keeps some hundred lines of three bytes a pixel."""
_LARGEST_LOAD_PX = 8_000_000
"""What scale-on-load leaves of a large WebP: 2048 px times the reserve that render.py keeps, squared."""

_CANVAS_BYTES = 16
"""A pixel of the canvas that an animated PNG is drawn on, of what was on it before, and of the frame."""

_CHROMA = {"4:2:0": 1.5, "4:2:2": 2.0, "4:4:4": 3.0, "4:0:0": 1.0}


def decode_bytes(
    kind: FormatSpec,
    width: int,
    height: int,
    *,
    file_bytes: int,
    bands: int = 3,
    sample_bytes: int = 1,
    frames: int = 1,
    progressive: bool = False,
    chroma: str = "4:4:4",
    block_lines: int = 0,
    animation_bytes: int = 0,
) -> int:
    """The estimated peak, in bytes, of making all sizes of an image at once; animations keep to what is given."""
    pixels, sample_share = width * height, max(1.0, bands * sample_bytes / 3)
    held = int(width * min(_COLUMN_BYTES, 3 * height) * sample_share)
    original = formats.ACCEPTED[kind]
    whole = original.held_bytes * pixels
    match kind:
        case formats.JPEG if progressive:
            whole = 2 * (4.0 if bands == 4 else _CHROMA.get(chroma, 3.0)) * pixels
        case formats.PNG if progressive:
            whole = pixels * bands * sample_bytes
        case formats.PNG if frames > 1:
            whole = _CANVAS_BYTES * pixels
        case formats.TIFF:
            whole = 2.5 * width * min(block_lines, height) * bands * sample_bytes
        case formats.WEBP:
            whole += 12.5 * min(pixels, _LARGEST_LOAD_PX)
        case formats.AVIF:
            whole *= sample_share
        case formats.HEIC:
            whole = whole * sample_share + 2 * file_bytes  # the others are mapped, not read
    held += int(whole)
    if frames > 1 and original.is_animated:
        held += min(animation_bytes, BYTES_A_PIXEL * pixels * frames)
    sizes_bytes = _SIZES_ALPHA_BYTES if bands in (2, 4) else _SIZES_BYTES
    return held + int(sizes_bytes * max(1.0, tall_area(width, height) / _SIZES_PX))


def refusal(width: int, height: int, memory_bytes: int, *, max_pixels: int, max_memory_bytes: int) -> str | None:
    """Why this host makes no other size of an image, in words; None when it does."""
    if width * height > max_pixels:
        return f"It has {width * height:,} pixels. This host resizes images of up to {max_pixels:,} pixels."
    if memory_bytes > max_memory_bytes:
        needed, allowed = _megabytes(memory_bytes), _megabytes(max_memory_bytes)
        return f"Resizing it needs about {needed} of memory, but this host allows {allowed}."
    return None


def _megabytes(count: int) -> str:
    return f"{-(-count // 10**6):,} MB"
