"""Content negotiation: the format of a rendition whose address names none, and parsing Accept headers."""

from collections.abc import Sequence

from appliance.domain.model import Image
from appliance.domain.renditions import Format

BY_SIZE = tuple(sorted(Format, key=lambda each: each.spec.size_rank))
"""Our preference among formats that a client rates equally: smallest files first."""


_BY_EXTENSION = {"jpeg": Format.JPG, **{each.value: each for each in Format}}


def format_of(extension: str) -> Format | None:
    """The rendition format that a URL's extension names; `jpeg` means `jpg`."""
    return _BY_EXTENSION.get(extension)


def negotiate_format(image: Image, accept: str, formats: Sequence[Format]) -> Format:
    """The best of `formats` for an Accept header.

    Formats that keep the image's animation and alpha channel win over those that don't. Wildcards name no format, so
    they get one that every browser shows.
    """
    weights = parse_accept(accept)
    named = [each for each in BY_SIZE if each in formats and weights.get(each.media_type, 0) > 0]
    for keeps_everything in (True, False):
        candidates = [each for each in named if _carries(image, each) == keeps_everything]
        if candidates:
            return max(candidates, key=lambda each: weights[each.media_type])  # the first of equals
    return _plain(image, formats)


def _plain(image: Image, formats: Sequence[Format]) -> Format:
    """A format that every browser shows."""
    plain = Format.GIF if image.animated else Format.PNG if image.has_alpha else Format.JPG
    return plain if plain in formats else image.linked_format


def _carries(image: Image, candidate: Format) -> bool:
    if image.animated:
        return candidate.has_animation
    return candidate.spec.has_all_colours and (candidate.has_alpha or not image.has_alpha)


def parse_accept(accept: str) -> dict[str, float]:
    """The names in an Accept or Accept-Language header, in lower case, with their weights from 0 to 1.

    An invalid weight counts as 0.
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
