"""Images of several frames whose sizes show only the first one: which sizes are animated, and why others aren't."""

from appliance.config.model import Renditions
from appliance.domain.animation import keeps_animation
from appliance.domain.formats import BY_MEDIA_TYPE
from appliance.domain.model import Image
from appliance.domain.renditions import Preset, Target
from appliance.http.localization import formatting
from appliance.http.localization.languages import Language


def is_size_animated(image: Image, preset: Preset, config: Renditions) -> bool:
    """Whether this size keeps the animation, in the format that pages show."""
    return keeps_animation(image.facts, Target(preset, image.linked_format), config.animation_budget)


def animated_presets(image: Image, config: Renditions) -> list[Preset]:
    """The sizes that keep the animation, from small to large."""
    presets = sorted(config.presets, key=lambda preset: preset.box_px)
    return [preset for preset in presets if is_size_animated(image, preset, config)]


def explanation(image: Image, config: Renditions) -> str | None:
    """Why sizes show only the first frame, with the limits; None if all are animated or there is only one frame."""
    if image.frames == 1 or image.original_only is not None:
        return None
    if not image.animated:
        return f"The sizes show the first of {image.frames:,} images in the file."
    if image.still is not None:
        return f"The sizes show the first frame. {image.still}"
    still = [preset.name for preset in config.presets if not is_size_animated(image, preset, config)]
    if not still:
        return None
    return (
        f"These sizes show only the first frame: {', '.join(still)}. The animation has {image.frames:,} frames of "
        f"{formatting.pixels(image.width, image.height)} pixels. "
        f"This host keeps up to {config.animation_frames:,} frames, "
        f"and {config.animation_pixels:,} pixels over all frames of a size."
    )


def short_note(image: Image, config: Renditions, language: Language) -> str | None:
    """The same in a few words, for people who look at the image."""
    _ = language.gettext
    if explanation(image, config) is None:
        return None
    if not image.animated and plays_in_original(image):
        return _("This animation is shown as a still.")
    if not image.animated:
        several = language.ngettext("%(count)s image", "%(count)s images", image.frames) % {"count": image.frames}
        return _("The file contains %(images)s. The first one is shown.") % {"images": several}
    if animated_presets(image, config):
        return _("Larger sizes show only the first frame. The original is animated.")
    return _("The sizes show only the first frame of the animation. The original is animated.")


def plays_in_original(image: Image) -> bool:
    """Whether browsers play the original as an animation."""
    spec = BY_MEDIA_TYPE.get(image.media_type)
    return image.frames > 1 and spec is not None and spec.is_in_browsers
