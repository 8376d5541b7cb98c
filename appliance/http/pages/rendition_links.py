"""The sizes of an image as pages list them: pixels, and a link for each format."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.config.model import Renditions
from appliance.domain.model import Image
from appliance.domain.renditions import LOSSY, Format, Preset, distinct, fit
from appliance.http import links
from appliance.http.localization.formatting import format_name, pixels
from appliance.http.localization.languages import Language

_ANIMATED_FORMATS = tuple(each for each in Format if each.has_animation)


@dataclass(frozen=True, slots=True)
class FormatLink:
    """A size in one format; `bytes` is None until it has been rendered."""

    format: Format
    label: str
    path: str
    bytes: int | None


@dataclass(frozen=True, slots=True)
class RenditionLink:
    """One size of an image, in pixels.

    `path` leads to the format that pages link; `is_ready` says that this is rendered already, or will be right after
    the upload, so that a page may show it.
    """

    preset: Preset
    label: str
    width: int
    height: int
    path: str
    is_ready: bool
    formats: tuple[FormatLink, ...]

    @property
    def pixels(self) -> str:
        return pixels(self.width, self.height)

    def is_finished(self, image_format: Format) -> bool:
        """Whether it has been rendered in that format."""
        return any(link.bytes is not None for link in self.formats if link.format is image_format)


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
    names = [preset.name for preset in config.presets]
    return [
        RenditionLink(
            preset,
            preset_label(preset.name, language),
            *fit(image.width, image.height, preset),
            links.rendition_path(image.slug, preset.name, image.linked_format),
            preset.name in (config.prewarm or names) or f"{preset.name}.{image.linked_format.value}" in finished,
            tuple(_format_link(image, preset, each, finished) for each in formats),
        )
        for preset in sorted(config.presets, key=lambda preset: preset.box_px)
    ]


def distinct_links(image: Image, sizes: Sequence[RenditionLink]) -> list[RenditionLink]:
    """The sizes without those that have the same pixels as a smaller one."""
    presets = distinct(image.width, image.height, [size.preset for size in sizes])
    return [size for size in sizes if size.preset in presets]


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
    return RenditionLink(preset, preset_label(preset.name, language), width, height, path, True, ())


def preset_label(preset: str, language: Language) -> str:
    """A preset's name as people read it."""
    _ = language.gettext
    known = {
        "thumbnail": _("Thumbnail"),
        "small": _("Small"),
        "medium": _("Medium"),
        "medium-large": _("Medium large"),
        "large": _("Large"),
    }
    return known.get(preset, preset.capitalize())


def _format_link(image: Image, preset: Preset, image_format: Format, finished: Mapping[str, int]) -> FormatLink:
    path = links.rendition_path(image.slug, preset.name, image_format)
    size_bytes = finished.get(f"{preset.name}.{image_format.value}")
    return FormatLink(image_format, format_name(image_format.media_type), path, size_bytes)
