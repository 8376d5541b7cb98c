"""Where a picture shows less than its file holds, the first of several frames: which sizes move, and the words."""

from appliance.config.model import Renditions
from appliance.domain.animation import keeps_animation
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, Target
from appliance.http.pages import formatting
from appliance.http.pages.languages import Language


def size_moves(image: Image, preset: Preset, config: Renditions) -> bool:
    """Whether a size keeps the animation in the format that our pages link."""
    return keeps_animation(image.facts, Target(preset, image.linked_format), config.animation_budget)


def moving(image: Image, config: Renditions) -> list[Preset]:
    """The sizes that move, from small to large."""
    presets = sorted(config.presets, key=lambda preset: preset.box_px)
    return [preset for preset in presets if size_moves(image, preset, config)]


def detail(image: Image, config: Renditions) -> str | None:
    """Why sizes show only the first of several frames, with the limits; None when they all move, or there is one."""
    if image.frames == 1 or image.original_only is not None:
        return None
    if not image.animated:
        return f"The sizes show the first of {image.frames:,} images in the file."
    if image.still is not None:
        return f"The sizes show the first frame. {image.still}"
    held = [preset.name for preset in config.presets if not size_moves(image, preset, config)]
    if not held:
        return None
    return (
        f"These sizes show only the first frame: {', '.join(held)}. The animation has {image.frames:,} frames of "
        f"{formatting.pixels(image.width, image.height)} pixels. "
        f"This host keeps up to {config.animation_frames:,} frames, "
        f"and {config.animation_pixels:,} pixels over all frames of a size."
    )


def note(image: Image, config: Renditions, language: Language) -> str | None:
    """The same for a person who looks at the picture, in a few words."""
    _ = language.gettext
    if detail(image, config) is None:
        return None
    if not image.animated:
        several = language.ngettext("%(count)s image", "%(count)s images", image.frames) % {"count": image.frames}
        return _("The file contains %(images)s. The first one is shown.") % {"images": several}
    if moving(image, config):
        return _("Larger sizes show only the first frame. The original is animated.")
    return _("The sizes show only the first frame of the animation. The original is animated.")
