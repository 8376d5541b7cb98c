"""Link previews: the images of OpenGraph and Twitter cards.

Messengers read the first `og:image`, and play it if it is a GIF (Slack, Discord). WhatsApp reads the last one, and
shows only JPEG and PNG of up to 300 KB. So an animation comes first, and a still JPEG comes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from appliance.config.model import Config, Renditions
from appliance.domain.model import Image
from appliance.domain.renditions import Format, Preset, fit
from appliance.http import links

MAX_BYTES = 300_000
STILL_PX, ANIMATED_PX = 1024, 512
"""Cards are at most 1200 px wide; animations are smaller, because they have many bytes."""


@dataclass(frozen=True, slots=True)
class Preview:
    """An image for a card: its path, and its size in pixels."""

    path: str
    format: Format
    width: int
    height: int


def previews(image: Image, config: Config) -> list[Preview]:
    """The images for a card in the order of `og:image`; empty if the image can't be resized."""
    settings = config.renditions
    still = nearest_preset(settings, STILL_PX)
    if image.original_only is not None or still is None:
        return []
    if Format.JPG not in settings.formats:
        return [_preview(image, still, image.linked_format)]
    card = Preview(links.preview_path(image.slug), Format.JPG, *fit(image.width, image.height, still.box_px))
    moving = nearest_preset(settings, ANIMATED_PX)
    if image.animated and moving is not None and Format.GIF in settings.formats:
        return [_preview(image, moving, Format.GIF), card]
    return [card]


def nearest_preset(settings: Renditions, box_px: int) -> Preset | None:
    """The preset whose box is nearest to `box_px`."""
    return min(settings.presets, key=lambda preset: abs(preset.box_px - box_px), default=None)


def descending(settings: Renditions) -> Sequence[Preset]:
    """The preset of a still preview and all smaller ones, the largest first."""
    still = nearest_preset(settings, STILL_PX)
    fitting = [preset for preset in settings.presets if still is not None and preset.box_px <= still.box_px]
    return sorted(fitting, key=lambda preset: -preset.box_px)


def _preview(image: Image, preset: Preset, image_format: Format) -> Preview:
    path = links.rendition_path(image.slug, preset.name, image_format)
    return Preview(path, image_format, *fit(image.width, image.height, preset.box_px))
