"""Which format a client gets where the address names none: the best of those that its Accept header asks for."""

from collections.abc import Sequence

from appliance.domain.model import Image
from appliance.domain.renditions import Format

BY_SIZE = tuple(sorted(Format, key=lambda each: each.spec.size_rank))
"""What we prefer among formats that a client likes equally: the smallest files first."""


_BY_EXTENSION = {"jpeg": Format.JPG, **{each.value: each for each in Format}}


def format_of(extension: str) -> Format | None:
    """The rendition format that a URL's extension names; `jpeg` means `jpg`."""
    return _BY_EXTENSION.get(extension)


def negotiate_format(image: Image, accept: str, formats: Sequence[Format]) -> Format:
    """The format for an Accept header, out of those that are made here.

    Formats that carry the picture's animation and alpha come before those that don't; wildcards ask for no format in
    particular, and get what every browser shows.
    """
    liking = parse_accept(accept)
    named = [each for each in BY_SIZE if each in formats and liking.get(each.media_type, 0) > 0]
    for able in (True, False):
        liked = [each for each in named if _carries(image, each) == able]
        if liked:
            return max(liked, key=lambda each: liking[each.media_type])  # the first of equals
    return _plain(image, formats)


def _plain(image: Image, formats: Sequence[Format]) -> Format:
    """What every browser shows, WebP or not."""
    plain = Format.GIF if image.animated else Format.PNG if image.has_alpha else Format.JPG
    return plain if plain in formats else image.linked_format


def _carries(image: Image, candidate: Format) -> bool:
    if image.animated:
        return candidate.has_animation
    return candidate.spec.has_all_colours and (candidate.has_alpha or not image.has_alpha)


def parse_accept(accept: str) -> dict[str, float]:
    """What an Accept or Accept-Language header names, in small letters, and how much it is wanted, 0 to 1.

    What makes no sense is not wanted.
    """
    found: dict[str, float] = {}
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        found[name] = next((_quality(each) for each in parameters if each.startswith("q=")), 1.0)
    return found


def _quality(parameter: str) -> float:
    try:
        quality = float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0
