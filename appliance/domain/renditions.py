"""What a rendition is: presets, formats, how a picture fits a box, and the orders that workers carry out."""

import hashlib
from dataclasses import dataclass
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
    "Target",
    "edition_of",
    "fit",
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
        return f"{self.preset.name}.{self.format.value}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a worker read from a file's header. `width` and `height` are as displayed, in pixels.

    `memory_bytes` is the estimated peak of decoding it once; `refusal` says in words why it can't be resized at all.
    `still` says in words why its animation turned out not to be readable to its end.
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

    @property
    def animated(self) -> bool:
        return self.frames > 1 and self.media_type in ANIMATED_TYPES


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """A finished rendition in memory, where it takes a few MB at most."""

    target: Target
    width: int
    height: int
    data: bytes
    is_animated: bool = False


PLACEHOLDER = Target(Preset("placeholder", 24), Format.WEBP)
"""What a page shows until the picture has come: so small (some 100 bytes) that it is part of the page."""


def fit(width: int, height: int, box_px: int) -> tuple[int, int]:
    """The size that `width` x `height` takes inside a square box: never enlarged, never under one pixel."""
    scale = min(1.0, box_px / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


EDITION = 1
"""Raise it when the same settings give other bytes: cached renditions of other editions are made anew."""


def edition_of(presets: tuple[Preset, ...]) -> str:
    """The name of everything that a cached rendition depends on beside its image."""
    settings = ",".join(f"{preset.name}:{preset.box_px}" for preset in presets)
    return f"{EDITION}-{hashlib.sha256(settings.encode()).hexdigest()[:12]}"
