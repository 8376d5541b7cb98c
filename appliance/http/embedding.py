"""Which format of a size is posted on other sites."""

from appliance.config.model import Renditions
from appliance.domain.animation import keeps_animation
from appliance.domain.formats import GIF
from appliance.domain.model import Image
from appliance.domain.renditions import Format, Preset, Target


def embedded_format(image: Image, preset: Preset, config: Renditions) -> Format:
    """The format that pages link; of a GIF, which is posted where WebP isn't accepted, GIF wherever that plays too."""
    linked, gif = image.linked_format, Target(preset, Format.GIF)
    if image.media_type != GIF.media_type or linked is Format.JPG or Format.GIF not in config.formats:
        return linked
    plays = not image.animated or keeps_animation(image.facts, gif, config.animation_budget)
    return Format.GIF if plays else linked
