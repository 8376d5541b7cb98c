"""The sizes of an image as pages list them: pixels, and a link for each format."""

from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config.model import Renditions
from appliance.domain.model import Image
from appliance.domain.renditions import LOSSY, Format, Preset, fit
from appliance.http import links
from appliance.http.localization.formatting import format_name, pixels
from appliance.http.localization.languages import Language

_ANIMATED_FORMATS = tuple(each for each in Format if each.has_animation)


@dataclass(frozen=True, slots=True)
class FormatLink:
    """A size in one format; `bytes` is None until it has been rendered."""

    label: str
    path: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class RenditionLink:
    """One size of an image, in pixels; `path` leads to the format that pages show."""

    label: str
    width: int
    height: int
    path: str
    formats: tuple[FormatLink, ...]

    @property
    def pixels(self) -> str:
        return pixels(self.width, self.height)


def rendition_links(
    image: Image, config: Renditions, language: Language, finished: Mapping[str, int]
) -> list[RenditionLink]:
    """Every size of the image, the smallest first; empty for one that can't be resized.

    `finished` maps the names of finished renditions (`medium.jpg`) to their bytes.
    """
    if image.original_only is not None:
        return []
    candidates = _ANIMATED_FORMATS if image.animated else LOSSY
    formats = [each for each in candidates if each in config.formats]
    return [
        RenditionLink(
            size_label(preset.name, language),
            *fit(image.width, image.height, preset),
            links.rendition_path(image.slug, preset.name, image.linked_format),
            tuple(_format_link(image, preset, each, finished) for each in formats),
        )
        for preset in sorted(config.presets, key=lambda preset: preset.box_px)
    ]


def nearest_rendition_link(image: Image, config: Renditions, language: Language, box_px: int) -> RenditionLink | None:
    """The size whose longer side is nearest to `box_px`, without its formats; None if the image can't be resized."""
    if image.original_only is not None:
        return None
    presets = sorted(config.presets, key=lambda preset: preset.box_px)
    sizes = [(preset, *fit(image.width, image.height, preset)) for preset in presets]
    nearest = min(sizes, key=lambda size: abs(max(size[1:]) - box_px), default=None)
    if nearest is None:
        return None
    preset, width, height = nearest
    path = links.rendition_path(image.slug, preset.name, image.linked_format)
    return RenditionLink(size_label(preset.name, language), width, height, path, ())


def size_label(preset: str, language: Language) -> str:
    """The name of a preset for people."""
    _ = language.gettext
    known = {"thumbnail": _("Thumbnail"), "small": _("Small"), "medium": _("Medium"), "large": _("Large")}
    return known.get(preset, preset.capitalize())


def _format_link(image: Image, preset: Preset, image_format: Format, finished: Mapping[str, int]) -> FormatLink:
    path = links.rendition_path(image.slug, preset.name, image_format)
    size_bytes = finished.get(f"{preset.name}.{image_format.value}")
    return FormatLink(format_name(image_format.media_type), path, size_bytes)
