"""Section `renditions`: which sizes and formats are rendered, when, and with which resources."""

import os
from dataclasses import dataclass, field

from appliance.config.option_info import info
from appliance.config.units import GB, MB
from appliance.domain.animation import AnimationBudget
from appliance.domain.renditions import Format, Preset


def _default_presets() -> tuple[Preset, ...]:
    boxes_px = {"thumbnail": 256, "small": 512, "medium": 1024, "medium-large": 1536, "large": 2048}
    return tuple(Preset(name, box_px) for name, box_px in boxes_px.items())


def _cores() -> int:
    return os.cpu_count() or 1


def _heavy_memory_bytes() -> int:
    """3 GB is enough for the largest AVIF and a progressive JPEG of 400 million pixels. Small machines allow less."""
    machine_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1 * GB, min(3 * GB, machine_bytes // 4))


@dataclass(frozen=True, slots=True)
class Renditions:
    """Sizes, formats, and the resources for rendering them."""

    presets: tuple[Preset, ...] = field(
        default_factory=_default_presets,
        metadata=info(
            "Sizes: a name and the side of the square box that images are fitted into, in pixels.", 1, 16_384
        ),
    )
    formats: tuple[Format, ...] = field(
        default=tuple(Format),
        metadata=info("Formats of renditions.", choices=tuple(Format)),
    )
    prewarm: tuple[str, ...] = field(
        default=("thumbnail", "small", "medium", "large"),
        metadata=info(
            "Presets rendered right after an upload. What makes pages lighter than these is rendered while the host is "
            "idle. Empty: all are rendered on demand."
        ),
    )
    workers: int = field(
        default_factory=_cores,
        metadata=info(
            "Images decoded at once, each in its own process. One more decodes for clients who would otherwise wait"
            " for another client's images.",
            minimum=1,
            maximum=1024,
        ),
    )
    queue: int = field(
        default=256,
        metadata=info("Maximum number of queued renditions; beyond it, viewers are asked to retry.", 1, 1_000_000),
    )
    deadline_s: float = field(
        default=20.0, metadata=info("Time limit for one rendition, in seconds.", minimum=0.1, maximum=3600)
    )
    memory_bytes: int = field(default=512 * MB, metadata=info("Memory limit of one ordinary decode.", minimum=64 * MB))
    heavy_memory_bytes: int = field(
        default_factory=_heavy_memory_bytes,
        metadata=info("Memory limit of an expensive decode. Only one of these runs at a time.", minimum=64 * MB),
    )

    fast_jpeg: bool = field(
        default=True,
        metadata=info(
            "Whether the C extension makes sizes of JPEGs where it can. Without it, libvips does, which takes twice as"
            " long."
        ),
    )

    pyramid_pixels: int = field(
        default=24_000_000,
        metadata=info(
            "Images with more pixels than this are zoomed using a pyramid, which is built once.", minimum=1_000_000
        ),
    )
    max_area: int = field(
        default=25_000_000,
        metadata=info(
            "Maximum pixels of one JPEG from the IIIF Image API. Slower formats are limited further: WebP to half "
            "of it, AVIF and PNG to a quarter, GIF to a sixteenth; each always allows a tile of 512 x 512.",
            minimum=512 * 512,
            maximum=400_000_000,
        ),
    )
    animation_frames: int = field(
        default=1000,
        metadata=info("Maximum frames of an animated size. Longer animations show their first frame.", 1),
    )
    animation_pixels: int = field(
        default=75_000_000,
        metadata=info(
            "Maximum pixels of an animated size, over all frames; GIF pixels count five times. Larger animations show "
            "their first frame.",
            minimum=0,
        ),
    )

    def preset(self, name: str) -> Preset | None:
        return next((preset for preset in self.presets if preset.name == name), None)

    @property
    def animation_budget(self) -> AnimationBudget:
        return AnimationBudget(self.animation_frames, self.animation_pixels)
