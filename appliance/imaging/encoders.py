"""Writing renditions: the settings of each format, in one table.

Measured at 512 px: JPEG plain 1.2 ms, optimised 2.3 ms, progressive 4.3 ms; WebP effort 0/2/4 takes 5/8/17 ms for
27/18/17 KB; AVIF effort 0/1/4 takes 11/42/492 ms for 16/15/14 KB. Renditions of wide gamut keep a compact profile,
and no other metadata; GIF is sRGB.
"""

from collections.abc import Mapping
from types import MappingProxyType

import pyvips

from appliance.domain.renditions import PLACEHOLDER, Format, Target
from appliance.imaging.colour import flattened, to_srgb
from appliance.imaging.gain_maps import MIN_SIDE_PX, GainMap, with_gain_map
from appliance.imaging.resizing import Size

WEBP_QUALITY, WEBP_EFFORT = 80, 2
_HALF = 128
"""The alpha from which on GIF draws a pixel."""
_ANIMATION, _ALPHA = 0x02, 0x10
"""Flags in the head of an extended WebP."""
SAVERS: dict[Format, tuple[str, dict[str, object]]] = {
    Format.JPG: ("jpegsave_buffer", {"quant_table": 5}),  # native/quantisation.h has it too; quality: below
    Format.WEBP: ("webpsave_buffer", {"Q": WEBP_QUALITY, "effort": WEBP_EFFORT}),
    Format.AVIF: ("heifsave_buffer", {"Q": 60, "effort": 0, "compression": "av1"}),  # of regions; renditions: below
    Format.PNG: ("pngsave_buffer", {"compression": 5, "filter": "sub"}),
    Format.GIF: ("gifsave_buffer", {"effort": 3, "dither": 0.75}),
}

_SMALL_PIXELS = 512 * 512
"""Up to here an image is a thumbnail, or small, and is encoded as such.

A JPEG gets Huffman tables of its own: 1 to 5 % fewer bytes for a millisecond. Larger ones would take more than twice as
long (24 ms for 10 at 2048 px) to save 1 to 3 %. An AVIF keeps a colour for each pixel: 2 to 4 points (SSIMULACRA2) for
5 % of bytes at 256 px. In larger ones, where four pixels share a colour, the same bytes look as good and take a fifth
less time.
"""
_SMALL_JPEG_QUALITY, _JPEG_QUALITY = 81, 82
"""The larger ones are what people look at: 0.8 to 1 point (SSIMULACRA2) for 4 to 5 % of bytes."""
_SMALL_AVIF_EFFORT, _AVIF_EFFORT, _PATIENT_AVIF_EFFORT = 2, 1, 3
"""Of renditions, which are written once and viewed often; patient where nobody waits for them."""


def is_small(size: Size) -> bool:
    """Whether an image of that size is encoded as a small one."""
    return size[0] * size[1] <= _SMALL_PIXELS


def jpeg_quality(size: Size) -> int:
    """The quality of a JPEG of that size, from 1 to 100."""
    return _SMALL_JPEG_QUALITY if is_small(size) else _JPEG_QUALITY


def encode(
    image: pyvips.Image,
    format: Format,
    gain_map: GainMap | None = None,
    settings: Mapping[str, object] = MappingProxyType({}),
) -> bytes:
    """The image as a file of that format; of metadata the profile alone is kept. Raises what `BROKEN` lists.

    A JPEG that is large enough gets the gain map. `settings` are the encoder's own, where the table's are not wanted.
    """
    saver, options = SAVERS[format]
    options = options | dict(settings)
    if not format.spec.has_all_colours:
        image = to_srgb(image)
    if not format.has_alpha or (format is Format.GIF and _is_faint(image)):
        image = flattened(image)
    if format is Format.JPG:
        size = (image.width, image.height)
        options = {"Q": jpeg_quality(size), "optimize_coding": is_small(size)} | options
    keep = "icc" if image.get_typeof("icc-profile-data") else "none"
    data: bytes = getattr(image, saver)(keep=keep, **options)
    if gain_map is not None and format is Format.JPG and max(image.width, image.height) >= MIN_SIDE_PX:
        return with_gain_map(data, image, gain_map) or data
    return _with_alpha_flag(data) if format is Format.WEBP and image.hasalpha() else data


def _is_faint(image: pyvips.Image) -> bool:
    """Whether nothing of it would be seen where pixels are drawn whole or not at all."""
    return bool(image.hasalpha() and image.extract_band(image.bands - 1).max() < _HALF)


def _with_alpha_flag(webp: bytes) -> bytes:
    """Say in the head of an animated WebP that frames have alpha: libwebp leaves it out, and some readers go by it."""
    if webp[12:16] != b"VP8X" or not webp[20] & _ANIMATION:
        return webp
    return webp[:20] + bytes((webp[20] | _ALPHA,)) + webp[21:]


def encode_each(
    images: dict[Size, pyvips.Image],
    wanted: dict[Target, Size],
    gain_map: GainMap | None = None,
    *,
    patient: bool = False,
) -> dict[Target, bytes]:
    """Every wanted target's file; targets that come out alike (a small original has many) are written once.

    A `patient` caller prefers smaller files to soon ones.
    """
    written: dict[tuple[Size, Format], bytes] = {}
    for target, size in wanted.items():
        if (size, target.format) not in written:
            image = to_srgb(images[size]) if target == PLACEHOLDER else images[size]
            settings = _avif_settings(image, patient=patient) if target.format is Format.AVIF else {}
            written[size, target.format] = encode(image, target.format, gain_map, settings)
    return {target: written[size, target.format] for target, size in wanted.items()}


def _avif_settings(image: pyvips.Image, *, patient: bool) -> dict[str, object]:
    small = is_small((image.width, image.height))
    effort = _SMALL_AVIF_EFFORT if small else _AVIF_EFFORT
    return {"effort": _PATIENT_AVIF_EFFORT if patient else effort, "subsample_mode": "off" if small else "on"}
