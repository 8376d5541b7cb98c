"""How far two pictures are from each other."""

from PIL import Image, ImageChops, ImageStat


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of a sample, 0 to 255."""
    assert one.size == other.size
    difference = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    return sum(difference.mean) / 3
