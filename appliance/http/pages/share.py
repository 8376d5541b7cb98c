"""What a share page shows of an image: each of its sizes with links and bytes, and the picture in every width."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.config.model import Renditions
from appliance.domain.formats import FORMATS
from appliance.domain.model import Image
from appliance.domain.renditions import LOSSY, Format, Preset, fit, is_tall
from appliance.http import links
from appliance.http.pages import first_frames, formatting
from appliance.http.pages.languages import Language

_BROWSER_TYPES = frozenset(spec.media_type for spec in FORMATS if spec.is_in_browsers)
_MOVING_FORMATS = tuple(each for each in Format if each.has_animation)
PLACEHOLDER_TYPE = Format.WEBP.media_type


@dataclass(frozen=True, slots=True)
class FormatLink:
    """A size in one format; `bytes` is known of those that were made already."""

    label: str
    path: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """One size of a picture with its links; `path` is the format that our pages link."""

    label: str
    width: int
    height: int
    path: str
    formats: tuple[FormatLink, ...]

    @property
    def pixels(self) -> str:
        return formatting.pixels(self.width, self.height)


@dataclass(frozen=True, slots=True)
class Stage:
    """A picture as a page shows it: `shown` in the widths of `sources`, None for one that can't be resized.

    `placeholder` stands in until it comes, `zoom_source` feeds the deep zoom, and `still` says why it does not move.
    """

    image: Image
    shown: Version | None
    sources: str
    path: str
    placeholder: str | None
    zoom_source: str | None
    still: str | None

    @property
    def is_tall(self) -> bool:
        """Whether it is shown as wide as it can be, however high that makes it."""
        return is_tall(self.image.width, self.image.height)

    @property
    def height(self) -> int:
        """Of the original's width in the shape of what is shown, which was rounded: so nothing moves by a pixel."""
        assert self.shown is not None
        return round(self.image.width * self.shown.height / self.shown.width)


def stage(
    image: Image, sizes: Sequence[Version], config: Renditions, language: Language, placeholder: bytes | None
) -> Stage:
    """What moves is shown in the sizes that move; `sizes` are all of them, the smallest first."""
    largest = len(first_frames.moving(image, config)) or len(sizes)
    shown = sizes[largest - 1] if sizes else None
    return Stage(
        image,
        shown,
        sources(sizes[:largest]),
        picture_path(image, shown),
        _data_url(placeholder),
        zoom_source(image, shown),
        first_frames.note(image, config, language),
    )


def versions(image: Image, config: Renditions, language: Language, known: Mapping[str, int]) -> list[Version]:
    """Every size that can be made, the smallest first. `known` has the bytes of finished ones by `medium.jpg`."""
    if image.original_only is not None:
        return []
    wanted = _MOVING_FORMATS if image.animated else LOSSY
    formats = [each for each in wanted if each in config.formats]
    return [
        Version(
            _label(preset.name, language),
            *fit(image.width, image.height, preset),
            links.rendition_path(image.slug, preset.name, image.linked_format),
            tuple(_format_link(image, preset, each, known) for each in formats),
        )
        for preset in sorted(config.presets, key=lambda preset: preset.box_px)
    ]


def nearest(image: Image, config: Renditions, language: Language, box_px: int) -> Version | None:
    """The size whose longer side is nearest to so many pixels, without its formats; None for what can't be resized."""
    if image.original_only is not None:
        return None
    presets = sorted(config.presets, key=lambda preset: preset.box_px)
    sizes = [(preset, *fit(image.width, image.height, preset)) for preset in presets]
    near = min(sizes, key=lambda size: abs(max(size[1:]) - box_px), default=None)
    if near is None:
        return None
    preset, width, height = near
    path = links.rendition_path(image.slug, preset.name, image.linked_format)
    return Version(_label(preset.name, language), width, height, path, ())


def picture_path(image: Image, shown: Version | None) -> str:
    """Where a click on the picture leads: to the original if browsers show it, else to the largest size."""
    if shown is None or image.media_type in _BROWSER_TYPES:
        return links.original_path(image.slug)
    return shown.path


def zoom_source(image: Image, shown: Version | None) -> str | None:
    """What the deep zoom is fed with; None for what moves, and for what can't be shown."""
    return None if shown is None or image.animated else f"{links.iiif_path(image.slug)}/info.json"


def sources(sizes: Sequence[Version]) -> str:
    """A srcset with each width once: small pictures have the same size in several presets."""
    widths = {version.width: version.path for version in reversed(sizes)}
    return ", ".join(f"{path} {width}w" for width, path in sorted(widths.items()))


def _data_url(picture: bytes | None) -> str | None:
    """A placeholder is so small that it is part of the page."""
    if picture is None:
        return None
    return f"data:{PLACEHOLDER_TYPE};base64,{base64.b64encode(picture).decode()}"


def _label(preset: str, language: Language) -> str:
    _ = language.gettext
    known = {"thumbnail": _("Thumbnail"), "small": _("Small"), "medium": _("Medium"), "large": _("Large")}
    return known.get(preset, preset.capitalize())


def _format_link(image: Image, preset: Preset, image_format: Format, known: Mapping[str, int]) -> FormatLink:
    path = links.rendition_path(image.slug, preset.name, image_format)
    return FormatLink(
        formatting.format_name(image_format.media_type), path, known.get(f"{preset.name}.{image_format.value}")
    )
