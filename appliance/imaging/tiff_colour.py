"""What the samples of a TIFF mean, where libvips passes it over: bands that are no alpha, and YCbCr (TIFF 6.0)."""

import struct
from contextlib import suppress

import pyvips

from appliance.imaging.directories import Reader, Unclear
from appliance.imaging.file_bytes import FileBytes
from appliance.imaging.tiff import YCBCR, Page, first_page

_ALPHA_KINDS = (1, 2)
"""Of ExtraSamples: associated and unassociated alpha. 0, or none, is any other measurement, such as near infrared."""
_COLOUR_BANDS = {0: 1, 1: 1, 2: 3, 5: 4}
"""By photometric interpretation: grey either way round, RGB, CMYK."""
_WHITE_IS_ZERO = 0
_UNSIGNED = frozenset(("uchar", "ushort", "uint"))
"""Numbers of which libvips turns grey around itself where zero is white."""
_JPEG = 7  # which libtiff gives as RGB
_COEFFICIENTS, _REFERENCE = 529, 532
_BT601 = (0.299, 0.587, 0.114)
_WHOLE_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)

Numbers = tuple[float, ...]


def with_tiff_colour(image: pyvips.Image, fd: int) -> pyvips.Image:
    """The image of an open TIFF with no other bands than colour and alpha, and no YCbCr."""
    page = first_page(fd)
    if page.photometric == YCBCR and page.compression != _JPEG and (image.bands, image.format) == (3, "uchar"):
        return _to_rgb(image, *_ycbcr(fd))
    colours = _COLOUR_BANDS.get(page.photometric, image.bands)
    if image.bands <= colours or image.bands != page.samples:
        return image
    return _without_other_bands(image, page, colours)


def is_white_first(image: pyvips.Image, fd: int) -> bool:
    """Whether the numbers of an open TIFF's grey still are the lighter, the less they are."""
    return image.format not in _UNSIGNED and first_page(fd).photometric == _WHITE_IS_ZERO


def _without_other_bands(image: pyvips.Image, page: Page, colours: int) -> pyvips.Image:
    alpha = [colours + at for at, kind in enumerate(page.extra_samples) if kind in _ALPHA_KINDS and at < image.bands]
    if alpha[:1] == [colours] and image.bands == colours + 1:
        return image
    bands = image.extract_band(0, n=colours)
    return bands.bandjoin(image.extract_band(alpha[0])) if alpha and alpha[0] < image.bands else bands


def _ycbcr(fd: int) -> tuple[Numbers, Numbers]:
    """The coefficients of red, green and blue, and which codes stand for black and white; else TIFF's own."""
    coefficients: Numbers = _BT601
    reference: Numbers = _WHOLE_RANGE
    reader = Reader.of(FileBytes(fd))
    with suppress(Unclear, struct.error, ZeroDivisionError):
        if reader is not None:
            directory = reader.directory(reader.first, (_COEFFICIENTS, _REFERENCE))
            for entry in directory.entries:
                if entry.tag == _COEFFICIENTS and entry.length == 24:
                    coefficients = _rationals(reader, reader.value(entry))
                elif entry.length == 48:
                    reference = _rationals(reader, reader.value(entry))
    return coefficients, reference


def _rationals(reader: Reader, value: bytes) -> Numbers:
    numbers = struct.unpack(f"{reader.order}{len(value) // 4}I", value)
    return tuple(above / below for above, below in zip(numbers[::2], numbers[1::2], strict=True))


def _to_rgb(image: pyvips.Image, coefficients: Numbers, reference: Numbers) -> pyvips.Image:
    red, green, blue = coefficients
    spans = [white - black for black, white in zip(reference[::2], reference[1::2], strict=True)]
    if green <= 0 or min(spans) <= 0:
        return _to_rgb(image, _BT601, _WHOLE_RANGE)
    scales = [whole / span for whole, span in zip((255, 127, 127), spans, strict=True)]
    offsets = [-black * scale for black, scale in zip(reference[::2], scales, strict=True)]
    of_red, of_blue = 2 - 2 * red, 2 - 2 * blue
    rows = [[1, 0, of_red], [(1 - red - blue) / green, -blue * of_blue / green, -red * of_red / green], [1, of_blue, 0]]
    colours = image.linear(scales, offsets).recomb(pyvips.Image.new_from_array(rows))
    return colours.rint().cast("uchar").copy(interpretation="srgb")
