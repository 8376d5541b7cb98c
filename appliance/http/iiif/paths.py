"""Parsing paths of the IIIF Image API 3.0 (region, size, rotation, quality, format), and their canonical form.

Section numbers are those of https://iiif.io/api/image/3.0/.
"""

import math
import re

from appliance.domain.errors import InvalidImageRequest, UnsupportedImageRequest
from appliance.domain.model import Image
from appliance.domain.regions import Cut, Quality, Region, max_region_area
from appliance.domain.renditions import Format

_WHOLE, _DECIMAL = r"[0-9]{1,10}", r"[0-9]{1,10}(?:\.[0-9]{1,20})?"
_PIXELS = re.compile(rf"({_WHOLE}),({_WHOLE}),({_WHOLE}),({_WHOLE})", re.ASCII)
_PERCENT = re.compile(rf"pct:({_DECIMAL}),({_DECIMAL}),({_DECIMAL}),({_DECIMAL})", re.ASCII)
_SIZE_PERCENT = re.compile(rf"pct:({_DECIMAL})", re.ASCII)
_SIZE = re.compile(rf"(!?)({_WHOLE})?,({_WHOLE})?", re.ASCII)
_ROTATION = re.compile(r"(!?)([0-9]{1,3}(?:\.[0-9]{1,20})?)", re.ASCII)
_LAST = re.compile(r"([a-z]{1,20})\.([a-z0-9]{1,10})", re.ASCII)
_QUALITIES = {
    "default": Quality.DEFAULT,
    "color": Quality.DEFAULT,
    "gray": Quality.GRAY,
    "bitonal": Quality.BITONAL,
}
REQUIRED_FORMATS = (Format.JPG, Format.PNG)
"""The formats that level 2 requires."""

_NO_LARGER = "Images are not enlarged. The largest size of this region is {width} x {height}."


def formats_of(configured: tuple[Format, ...]) -> tuple[Format, ...]:
    """The formats in which regions are available."""
    return tuple(each for each in Format if each in REQUIRED_FORMATS or each in configured)


def parse_region_request(
    image: Image, parts: tuple[str, str, str, str], formats: tuple[Format, ...], max_area: int
) -> Cut:
    """The cut that region, size, rotation and `quality.format` ask for.

    Raises InvalidImageRequest, UnsupportedImageRequest.
    """
    region = _region(parts[0], image)
    width, height = _size(parts[1], region, max_area)
    mirrored, degrees = _rotation(parts[2])
    quality, format_ = _quality_and_format(parts[3], formats)
    _refuse_costly(width * height, format_, max_area)
    return Cut(region, width, height, mirrored, degrees, quality, format_)


def _refuse_costly(area: int, format_: Format, max_area: int) -> None:
    """Slow formats have a lower limit of pixels. Raises InvalidImageRequest."""
    max_pixels = max_region_area(format_, max_area)
    if area > max_pixels:
        raise InvalidImageRequest(
            f"A {format_.value.upper()} image can have up to {max_pixels:,} pixels. Request a smaller size or region"
            f"{'' if format_ is Format.JPG else ', or JPG, which can be larger'}.",
            limit=max_pixels,
            actual=area,
        )


def canonical_path(image: Image, cut: Cut, max_area: int) -> str:
    """The canonical form (4.8) of a cut's address, from the region on."""
    region = cut.region
    whole = region == Region(0, 0, image.width, image.height)
    where = "full" if whole else f"{region.x},{region.y},{region.width},{region.height}"
    size = "max" if (cut.width, cut.height) == largest_size(region, max_area) else f"{cut.width},{cut.height}"
    return f"{where}/{size}/{'!' * cut.mirrored}{cut.degrees}/{cut.quality}.{cut.format}"


def _region(text: str, image: Image) -> Region:
    """Section 4.1: a region is clipped to the image; one that lies outside is an error."""
    if text == "full":
        return Region(0, 0, image.width, image.height)
    if text == "square":
        side = min(image.width, image.height)
        return Region((image.width - side) // 2, (image.height - side) // 2, side, side)
    if match := _PIXELS.fullmatch(text):
        x, y, width, height = map(int, match.groups())
    elif match := _PERCENT.fullmatch(text):
        left, top, across, down = (float(part) / 100 for part in match.groups())
        x, y = round(left * image.width), round(top * image.height)
        width, height = round((left + across) * image.width) - x, round((top + down) * image.height) - y
    else:
        raise InvalidImageRequest("The region must be full, square, x,y,w,h or pct:x,y,w,h.")
    width, height = min(width, image.width - x), min(height, image.height - y)
    if width < 1 or height < 1:
        raise InvalidImageRequest(
            f"The region holds no pixel of this image, which has {image.width} x {image.height} of them."
        )
    return Region(x, y, width, height)


def _size(text: str, region: Region, max_area: int) -> tuple[int, int]:
    """Section 4.2, without enlarging: `^` is allowed if the size isn't larger than the region."""
    larger = text.startswith("^")
    size = _requested_size(text.removeprefix("^"), region, max_area, larger=larger)
    if min(size) < 1:
        raise InvalidImageRequest("The size has no pixels. Width and height must be at least 1.")
    if size[0] > region.width or size[1] > region.height:
        words = _NO_LARGER.format(width=region.width, height=region.height)
        raise UnsupportedImageRequest(words) if larger else InvalidImageRequest(words)
    if size[0] * size[1] > max_area:
        raise InvalidImageRequest(
            f"An image can have up to {max_area:,} pixels. Request a smaller size or region.",
            limit=max_area,
            actual=size[0] * size[1],
        )
    return size


def _requested_size(text: str, region: Region, max_area: int, *, larger: bool) -> tuple[int, int]:
    """The requested width and height, which may be larger than the region."""
    if text == "max":
        if larger and region.width * region.height < max_area:
            raise UnsupportedImageRequest(_NO_LARGER.format(width=region.width, height=region.height))
        return largest_size(region, max_area)
    if match := _SIZE_PERCENT.fullmatch(text):
        share = float(match[1]) / 100
        return round(region.width * share), round(region.height * share)
    match = _SIZE.fullmatch(text)
    in_box, width, height = (match[1], _number(match[2]), _number(match[3])) if match else ("", None, None)
    if width is not None and height is not None:
        return _fit_in_box(width, height, region, max_area, larger=larger) if in_box else (width, height)
    if width is not None and not in_box:
        return width, round(region.height * width / region.width)
    if height is not None and not in_box:
        return round(region.width * height / region.height), height
    raise InvalidImageRequest("The size must be max, w,  ,h  pct:n  w,h or !w,h; a leading ^ allows enlarging.")


def _number(digits: str | None) -> int | None:
    return int(digits) if digits else None


def _fit_in_box(width: int, height: int, region: Region, max_area: int, *, larger: bool) -> tuple[int, int]:
    """`!w,h`: the largest size with the region's aspect ratio that fits the box and the limit; only `^` enlarges."""
    if 0 in (width, height):
        return 0, 0
    allowed = math.sqrt(max_area / (region.width * region.height))
    share = min(width / region.width, height / region.height, allowed)
    if larger and share > 1:
        raise UnsupportedImageRequest(_NO_LARGER.format(width=region.width, height=region.height))
    return _shrunk(region, min(share, 1.0), max_area)


def largest_size(region: Region, max_area: int) -> tuple[int, int]:
    """The size that `max` means: the region's own, or the largest that the limit allows."""
    return _shrunk(region, min(1.0, math.sqrt(max_area / (region.width * region.height))), max_area)


def _shrunk(region: Region, share: float, max_area: int) -> tuple[int, int]:
    """At least one pixel in each direction, rounded down so that the limit isn't exceeded."""
    width, height = (max(1, int(side * share + 1e-6)) for side in (region.width, region.height))
    return min(width, max_area // height or 1), min(height, max_area // width)


def _rotation(text: str) -> tuple[bool, int]:
    """Section 4.3, for multiples of 90 degrees."""
    match = _ROTATION.fullmatch(text)
    if match is None or float(match[2]) > 360:
        raise InvalidImageRequest("The rotation must be 0 to 360 degrees; a leading ! mirrors.")
    degrees = float(match[2])
    if degrees % 90:
        raise InvalidImageRequest("Images can only be rotated by 0, 90, 180 or 270 degrees.")
    return bool(match[1]), int(degrees) % 360


def _quality_and_format(text: str, formats: tuple[Format, ...]) -> tuple[Quality, Format]:
    """Sections 4.4 and 4.5."""
    match = _LAST.fullmatch(text)
    quality = _QUALITIES.get(match[1]) if match else None
    if match is None or quality is None:
        raise InvalidImageRequest(
            "The quality must be default, color, gray or bitonal, followed by a dot and the format."
        )
    if match[2] in formats:
        return quality, Format(match[2])
    raise InvalidImageRequest(f"Regions are available as {', '.join(formats)}.")
