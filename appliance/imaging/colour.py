"""Colours: whatever a file holds becomes 8-bit sRGB (or grey), with alpha apart from the colours it covers."""

import pyvips

WHITE = 255


def to_srgb(image: pyvips.Image, *, in_memory: bool = True) -> pyvips.Image:
    """The image as 8-bit sRGB or grey, alpha kept. A profile that can't be used is passed over, as browsers do.

    Of a picture with a profile the result is held in memory, unless `in_memory` is False.
    """
    image = _known_space(image)
    if _needs_profile(image):
        image = _by_profile(image, in_memory=in_memory)
    if image.interpretation not in ("srgb", "b-w"):
        grey = image.interpretation == "grey16"
        image = image.colourspace("b-w" if grey else "srgb")
    return image if image.format == "uchar" else image.cast("uchar")


def flattened(image: pyvips.Image) -> pyvips.Image:
    """The image without alpha, on white."""
    return image.flatten(background=WHITE) if image.hasalpha() else image


def _known_space(image: pyvips.Image) -> pyvips.Image:
    """Scientific TIFFs have bands without a meaning: take one as grey, the first three as red, green and blue."""
    if image.interpretation not in ("multiband", "histogram", "matrix", "fourier"):
        return image
    wide = image.format == "ushort"
    if image.bands >= 3:
        return image.extract_band(0, n=3).copy(interpretation="rgb16" if wide else "srgb")
    return image.extract_band(0).copy(interpretation="grey16" if wide else "b-w")


def _needs_profile(image: pyvips.Image) -> bool:
    if not image.get_typeof("icc-profile-data"):
        return False
    return not _is_srgb(image.get("icc-profile-data"))


def _is_srgb(profile: bytes) -> bool:
    """Whether a profile says that it is sRGB: converting then costs up to 20 % of a resize and changes nothing."""
    if profile[16:20] != b"RGB ":
        return False
    for at in range(132, min(len(profile) - 12, 132 + 12 * 64), 12):
        if profile[at : at + 4] == b"desc":
            start = int.from_bytes(profile[at + 4 : at + 8], "big")
            return b"sRGB" in profile[start : start + 128].replace(b"\0", b"")  # version 4 writes UTF-16
    return False


def _by_profile(image: pyvips.Image, *, in_memory: bool) -> pyvips.Image:
    try:
        # In memory, for a profile may turn out not to fit only when the pixels are asked for; or tried on one pixel.
        if in_memory:
            return _transformed(image).copy_memory()
        _transformed(_one_pixel_like(image)).copy_memory()
        return _transformed(image)
    except pyvips.Error:
        return image


def _transformed(image: pyvips.Image) -> pyvips.Image:
    return image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)


def _one_pixel_like(image: pyvips.Image) -> pyvips.Image:
    """Black, but with the picture's bands, format and profile; no pixel of a picture that is read once is taken."""
    pixel = pyvips.Image.black(1, 1, bands=image.bands).cast(image.format).copy(interpretation=image.interpretation)
    pixel.set_type(pyvips.GValue.blob_type, "icc-profile-data", image.get("icc-profile-data"))
    return pixel
