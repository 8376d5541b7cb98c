"""How far two pictures are from each other."""

from PIL import Image, ImageChops, ImageStat

from tests.support.images.pictures import as_srgb


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of a sample, 0 to 255, as a screen of sRGB shows both."""
    assert one.size == other.size
    difference = ImageStat.Stat(ImageChops.difference(as_srgb(one), as_srgb(other)))
    return sum(difference.mean) / 3
