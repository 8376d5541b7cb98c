"""Colours: what a file says of its own, and what renditions are in.

An image is managed by what it is (an ICC profile, nclx, cICP, gAMA and cHRM), never by a profile's name. Renditions
are 8 bits of sRGB or grey, of Display P3 or of Adobe RGB, with alpha apart from the colours it covers; all but sRGB
carry a compact profile. Plain sRGB costs nothing: nothing is converted where the codes mean the same.
"""

import pyvips

from appliance.imaging import code_points, hdr, profiles
from appliance.imaging.heif_header import HeifHeader
from appliance.imaging.png_header import PngColour, read_png_colour
from appliance.imaging.profiles import Space

WHITE = 255
_PROFILE = "icc-profile-data"


# --- what a file says ---------------------------------------------------------------------------------------------


def with_png_colour(image: pyvips.Image, fd: int) -> pyvips.Image:
    """Attach the profile that a PNG's chunks describe, where libvips doesn't read them."""
    colour = read_png_colour(fd)
    if colour.transfer is not None and colour.primaries is not None:
        return _with_code_points(_without_profile(image), colour.primaries, colour.transfer)
    return image if colour.gamma is None else _with_profile(image, _power_profile(image, colour, colour.gamma))


def with_heif_colour(image: pyvips.Image, header: HeifHeader | None) -> pyvips.Image:
    """Attach the profile of a HEIC's or AVIF's nclx box. An ICC profile takes precedence, except for HDR."""
    if header is None or (image.get_typeof(_PROFILE) and not code_points.is_hdr(header.transfer)):
        return image
    return _with_code_points(image, header.primaries, header.transfer)


def _with_code_points(image: pyvips.Image, primaries: int, transfer: int) -> pyvips.Image:
    if code_points.is_hdr(transfer):
        return hdr.mark(image, primaries, transfer)
    profile = code_points.profile_of(primaries, transfer) if image.bands >= 3 else code_points.grey_profile_of(transfer)
    return _with_profile(image, profile)


def _power_profile(image: pyvips.Image, colour: PngColour, gamma: float) -> bytes | None:
    curve = profiles.gamma_curve(gamma)
    if image.bands < 3:
        return profiles.grey_profile(curve)
    try:
        return profiles.rgb_profile(colour.chromaticities, colour.white, curve)
    except ZeroDivisionError:  # three points on a line
        return None


def _without_profile(image: pyvips.Image) -> pyvips.Image:
    if not image.get_typeof(_PROFILE):
        return image
    image = image.copy()
    image.remove(_PROFILE)
    return image


def _with_profile(image: pyvips.Image, profile: bytes | None) -> pyvips.Image:
    if profile is None:
        return image
    image = image.copy()
    image.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
    return image


# --- what renditions are in ---------------------------------------------------------------------------------------


def to_display(image: pyvips.Image, *, in_memory: bool = True) -> pyvips.Image:
    """The image in 8 bits as renditions are, alpha kept. A profile that can't be used is passed over, as browsers do.

    Of an image that has to be converted the result is held in memory, unless `in_memory` is False.
    """
    image = _known_space(image)
    if hdr.is_marked(image):
        return hdr.to_p3(image)
    space = Space.SRGB
    if image.get_typeof(_PROFILE) and image.interpretation != "scrgb":
        image, space = _managed(image, in_memory=in_memory)
    if image.interpretation not in ("srgb", "b-w"):
        grey = image.interpretation == "grey16"
        image = image.colourspace("b-w" if grey else "srgb")
    image = image if image.format == "uchar" else image.cast("uchar")
    return _with_space(image, space)


def _managed(image: pyvips.Image, *, in_memory: bool) -> tuple[pyvips.Image, Space]:
    """The image by its profile, and the space that it is in then."""
    found = profiles.describe(image.get(_PROFILE))
    if not found.is_exact:
        converted = _by_profile(image, found.space, in_memory=in_memory)
        if converted is None:
            return image, Space.SRGB
        return (_grey_again(converted) if image.bands < 3 else converted), found.space
    return image, found.space if image.interpretation in ("srgb", "rgb16") else Space.SRGB


def _grey_again(image: pyvips.Image) -> pyvips.Image:
    """One band of a grey that a profile gave in three."""
    grey = image.extract_band(0)
    grey = grey.bandjoin(image.extract_band(image.bands - 1)) if image.hasalpha() else grey
    return grey.copy(interpretation="grey16" if image.interpretation == "rgb16" else "b-w")


def to_srgb(image: pyvips.Image) -> pyvips.Image:
    """An image that `to_display` gave in sRGB or grey, for what carries no profile."""
    if not image.get_typeof(_PROFILE):
        return image
    return _with_space(_by_profile(image, Space.SRGB, in_memory=True) or image, Space.SRGB)


def flattened(image: pyvips.Image) -> pyvips.Image:
    """The image without alpha, on white."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def _with_space(image: pyvips.Image, space: Space) -> pyvips.Image:
    """The image, which is in this space already, with the space's profile and no other."""
    return _with_profile(_without_profile(image), profiles.compact(space) or None)


def _known_space(image: pyvips.Image) -> pyvips.Image:
    """Scientific TIFFs have bands without a meaning: take one as grey, the first three as red, green and blue."""
    if image.interpretation not in ("multiband", "histogram", "matrix", "fourier"):
        return image
    wide = image.format == "ushort"
    if image.bands >= 3:
        return image.extract_band(0, n=3).copy(interpretation="rgb16" if wide else "srgb")
    return image.extract_band(0).copy(interpretation="grey16" if wide else "b-w")


def _by_profile(image: pyvips.Image, space: Space, *, in_memory: bool) -> pyvips.Image | None:
    """The image converted to a space; None where its profile turns out not to fit."""
    try:
        # In memory, for a profile may turn out not to fit only when the pixels are asked for; or tried on one pixel.
        if in_memory:
            return _converted(image, space).copy_memory()
        _converted(_one_pixel_like(image), space).copy_memory()
        return _converted(image, space)
    except pyvips.Error:
        return None


def _converted(image: pyvips.Image, space: Space) -> pyvips.Image:
    name = "p3" if space is Space.P3 else "srgb"  # as libvips calls those that it has
    return image.icc_transform(name, embedded=True, intent="relative", black_point_compensation=True)


def _one_pixel_like(image: pyvips.Image) -> pyvips.Image:
    """Black, but with the image's bands, format and profile; no pixel of an image that is read once is taken."""
    pixel = pyvips.Image.black(1, 1, bands=image.bands).cast(image.format).copy(interpretation=image.interpretation)
    pixel.set_type(pyvips.GValue.blob_type, _PROFILE, image.get(_PROFILE))
    return pixel
