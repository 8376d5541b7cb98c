"""What decoding a picture costs in memory, estimated from its header, and the words for one that costs too much.

The figures are growths of the address space, a little above the private memory that a worker's limit counts. They were
measured with libvips 8.18 and one thread on 4000 x 4000 and 10000 x 10000 pixels, while a 2048 px rendition was made:

    JPEG  26 MB at 10000 px of width; progressive 3.1 bytes a pixel (4:2:0) or 6.0 (4:4:4)
    PNG   25 MB at 10000 px of width; interlaced 3.1 bytes a pixel
    TIFF  40 MB at 10000 px of width, 74 MB where all is one strip
    GIF   4.6 bytes a pixel · AVIF 15.6 · HEIC 12
    WebP  12.5 bytes a pixel loaded (fewer with scale-on-load), and 4 a pixel of the file when lossless
"""

from appliance.imaging.formats import Kind

_COLUMN_BYTES = 4 * 1024
"""Reading from top to bottom keeps some hundred lines of three bytes a pixel."""
_LARGEST_LOAD_PX = 8_000_000
"""What scale-on-load leaves of a large WebP: 2048 px times the reserve that render.py keeps, squared."""
ANIMATION_BYTES = 400_000_000
"""The frames of the largest animated rendition and of one more; animation.py keeps within it."""

_CHROMA = {"4:2:0": 1.5, "4:2:2": 2.0, "4:4:4": 3.0, "4:0:0": 1.0}


def decode_bytes(
    kind: Kind,
    width: int,
    height: int,
    *,
    file_bytes: int,
    bands: int = 3,
    sample_bytes: int = 1,
    frames: int = 1,
    progressive: bool = False,
    chroma: str = "4:4:4",
) -> int:
    """The estimated peak, in bytes, of making all sizes of one picture at once."""
    pixels, sample_share = width * height, max(1.0, bands * sample_bytes / 3)
    held = int(width * _COLUMN_BYTES * sample_share)
    match kind:
        case Kind.JPEG if progressive:
            held += int(2 * (4.0 if bands == 4 else _CHROMA.get(chroma, 3.0)) * pixels)
        case Kind.PNG if progressive:
            held += pixels * bands * sample_bytes
        case Kind.TIFF:
            held += held
        case Kind.GIF:
            held += 5 * pixels
        case Kind.WEBP:
            held += int(4.2 * pixels + 12.5 * min(pixels, _LARGEST_LOAD_PX))
        case Kind.AVIF:
            held += int(16 * pixels * sample_share)
        case Kind.HEIC:
            held += int(13 * pixels * sample_share) + 2 * file_bytes  # the others are mapped, not read
    if frames > 1 and kind in (Kind.GIF, Kind.WEBP):
        held += min(ANIMATION_BYTES, 8 * pixels * frames)
    return held


def refusal(width: int, height: int, memory_bytes: int, *, max_pixels: int, max_memory_bytes: int) -> str | None:
    """Why this host makes no other size of a picture, in words; None when it does."""
    if width * height > max_pixels:
        return f"It has {width * height:,} pixels; this host resizes up to {max_pixels:,}."
    if memory_bytes > max_memory_bytes:
        needed, allowed = _megabytes(memory_bytes), _megabytes(max_memory_bytes)
        return f"Resizing it would take about {needed} of memory; this host allows {allowed}."
    return None


def _megabytes(count: int) -> str:
    return f"{-(-count // 10**6):,} MB"
