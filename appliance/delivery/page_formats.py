"""Page formats: the renditions that make a page lighter than its JPEGs.

They take several times as long to write as a JPEG, so they are made while the host is idle, and pages name only those
that are made. An image that isn't a plain still picture has none: its pages link WebP, which they all need.
"""

from appliance.config.model import Renditions
from appliance.domain.model import Image
from appliance.domain.renditions import Format, Preset, Target, distinct, is_tall

LEAST_PX, PHONE_PX, MAX_PX = 1024, 1536, 2048
"""Boxes: smaller sizes are light in any format, larger ones take seconds. Phones are 360 to 430 px wide, at a density
of up to 3.5."""


def page_presets(image: Image, config: Renditions) -> list[Preset]:
    """The sizes that pages show large, the smallest first; none for an image whose pages link no JPEG."""
    if image.original_only is not None or image.linked_format is not Format.JPG or is_tall(image.width, image.height):
        return []
    presets = distinct(image.width, image.height, config.presets)
    return [preset for preset in presets if LEAST_PX <= preset.box_px <= MAX_PX]


def phone_preset(image: Image, config: Renditions) -> Preset | None:
    """The one of them that is as sharp as a phone can show it."""
    presets = page_presets(image, config)
    return next((preset for preset in reversed(presets) if preset.box_px <= PHONE_PX), presets[0] if presets else None)


def page_targets(image: Image, config: Renditions) -> list[Target]:
    """What to make for the image's pages, the most useful first.

    AVIF of every such size. WebP, for browsers of some years ago, only of the one for phones, where bytes count most.
    """
    phone = phone_preset(image, config)
    if phone is None or not config.prewarm:
        return []
    others = [preset for preset in page_presets(image, config) if preset != phone]
    wanted = [Target(preset, Format.AVIF) for preset in (phone, *others)]
    return [target for target in (*wanted, Target(phone, Format.WEBP)) if target.format in config.formats]
