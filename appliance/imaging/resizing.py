"""Resampling to an exact size, with colours weighted by their alpha."""

import math

import pyvips

_MAX_EXTRA_PX = 32

Size = tuple[int, int]
"""Width and height, in pixels."""


def resized(image: pyvips.Image, size: Size) -> pyvips.Image:
    """The image at exactly `size`, in the same format and colour space.

    Light is not made linear first: that takes four to five times as long for a difference few can see.
    """
    width, height = size
    if (image.width, image.height) == size:
        return image
    across, down = width / image.width, height / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down, kernel="lanczos3")
    covered = image.premultiply().resize(across, vscale=down, kernel="lanczos3")
    return covered.unpremultiply().rint().cast(image.format)


def resized_part(image: pyvips.Image, covered: tuple[float, float], size: Size) -> pyvips.Image:
    """Like `resized`, for an image whose content covers its first `covered` pixels, which need not be whole ones.

    A decoder that halves 2725 columns gives 1363, the last of them half beyond the image. Taken for whole it moves
    all the others by up to a third of a pixel, which costs more sharpness than the halving does (docs/decisions.md).
    Resampling takes whole pixels only, so a few more than are wanted are made, and cut off.
    """
    (taken_across, made_across), (taken_down, made_down) = map(_whole, covered, size)
    wider = image.embed(0, 0, taken_across, taken_down, extend="copy")
    return resized(wider, (made_across, made_down)).crop(0, 0, *size)


def _whole(covered: float, wanted: int) -> tuple[int, int]:
    """Whole pixels to take and to make, for as nearly as possible the reduction from `covered` to `wanted`."""
    reduction = covered / wanted
    least = math.ceil(covered)
    choices = ((round((wanted + extra) * reduction), wanted + extra) for extra in range(_MAX_EXTRA_PX + 1))
    return min(
        (choice for choice in choices if choice[0] >= least),
        key=lambda choice: abs(choice[1] * reduction - choice[0]),
        default=(least, wanted),
    )
