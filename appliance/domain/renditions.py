"""What a rendition is: presets, formats, the shape of an image at a preset, and what workers are asked for."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from appliance.domain.formats import ANIMATED_TYPES, LOSSY, Format

__all__ = [
    "EDITION",
    "LOSSY",
    "PLACEHOLDER",
    "Facts",
    "Format",
    "Preset",
    "Priority",
    "RenderedFile",
    "Shape",
    "Target",
    "distinct",
    "edition_of",
    "fit",
    "is_tall",
    "shape",
    "tall_area",
]


class Priority(IntEnum):
    """Who goes first when workers are busy; lower is sooner."""

    VIEW = 0
    PREWARM = 1
    PYRAMID = 2


@dataclass(frozen=True, slots=True)
class Preset:
    """A named square box, in pixels, that renditions fit into."""

    name: str
    box_px: int


@dataclass(frozen=True, slots=True)
class Target:
    """One output that a worker is asked for."""

    preset: Preset
    format: Format

    @property
    def name(self) -> str:
        return f"{self.preset.name}.{self.format}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker read from a file's header. `width` and `height` are as displayed, in pixels.

    `memory_bytes` is the estimated peak of decoding it once; `refusal` says in words why it can't be resized at all.
    `still` says in words why its animation turned out not to be readable to its end, `incomplete` that the file ends
    before its image does.
    """

    media_type: str
    width: int
    height: int
    frames: int = 1
    has_alpha: bool = False
    progressive: bool = False
    memory_bytes: int = 0
    refusal: str | None = None
    still: str | None = None
    incomplete: bool = False

    @property
    def animated(self) -> bool:
        return self.frames > 1 and self.media_type in ANIMATED_TYPES

    def shows_like(self, other: "Facts") -> bool:
        """Whether viewers see the same of both, so that at most the estimated cost of decoding differs."""
        return replace(self, progressive=other.progressive, memory_bytes=other.memory_bytes) == other


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A finished rendition in memory, where it takes a few MB at most.

    `has_gain_map` is known of JPEGs alone: the file that it is made from has one, which a larger size keeps.
    """

    target: Target
    width: int
    height: int
    data: bytes
    is_animated: bool = False
    has_gain_map: bool = False


THUMBNAIL = "thumbnail"
"""The preset that stays in its box whatever the image's shape."""
TALL_RATIO, MAX_HEIGHT_PX = 3, 16_383
TALL_WIDTH_PX = 2048
"""An image higher than three times its width is tall; its sizes are as high as WebP can be, at most."""
PLACEHOLDER = Target(Preset("placeholder", 24), Format.WEBP)
"""What a page shows until the image has come: so small (some 100 bytes) that it is part of the page."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How an image is shown at a preset: all of it brought to `whole`, of which the top `height` lines are kept."""

    whole: tuple[int, int]
    height: int

    @property
    def size(self) -> tuple[int, int]:
        return self.whole[0], self.height

    @property
    def shows_all(self) -> bool:
        return self.height == self.whole[1]


def is_tall(width: int, height: int) -> bool:
    """Whether sizes go by width, as of screenshots of chats and pages: fitted into a box, nothing could be read."""
    return height > TALL_RATIO * width


def shape(width: int, height: int, preset: Preset) -> Shape:
    """The shape of `width` x `height` at a preset: never enlarged, never under one pixel.

    It fits into the preset's box. A tall image has the box's width; the thumbnail is its top.
    """
    box_px = preset.box_px
    if not is_tall(width, height) or preset.name == PLACEHOLDER.preset.name:
        whole = _scaled(width, height, min(1.0, box_px / max(width, height)))
        return Shape(whole, whole[1])
    whole = _scaled(width, height, min(1.0, box_px / width))
    max_height = box_px if preset.name == THUMBNAIL else MAX_HEIGHT_PX
    return Shape(whole, min(whole[1], max_height))


def fit(width: int, height: int, preset: Preset) -> tuple[int, int]:
    """The size that `width` x `height` has at a preset, in pixels."""
    return shape(width, height, preset).size


def distinct(width: int, height: int, presets: Iterable[Preset]) -> list[Preset]:
    """The presets at which `width` x `height` has different sizes, the smallest first.

    A small picture has the same size at several presets; of these, the smallest preset counts.
    """
    found: dict[tuple[int, int], Preset] = {}
    for preset in sorted(presets, key=lambda preset: preset.box_px):
        found.setdefault(fit(width, height, preset), preset)
    return list(found.values())


def tall_area(width: int, height: int) -> int:
    """About the most pixels that a size of a tall image has; 0 for any other, whose sizes are small."""
    return min(width, TALL_WIDTH_PX) * min(height, MAX_HEIGHT_PX) if is_tall(width, height) else 0


def _scaled(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


EDITION = 2
"""Raise it when what the same settings give looks different: cached renditions of other editions are made again."""


def edition_of(presets: tuple[Preset, ...]) -> str:
    """The name of everything that a cached rendition depends on besides its image."""
    settings = ",".join(f"{preset.name}:{preset.box_px}" for preset in presets)
    return f"{EDITION}-{hashlib.sha256(settings.encode()).hexdigest()[:12]}"
