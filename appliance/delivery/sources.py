"""Sources of renditions: a cached rendition that is large and good enough, or else the original."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO

from appliance.cache import Cache
from appliance.config.model import Renditions
from appliance.domain.model import Image
from appliance.domain.renditions import LOSSY, Facts, Format, Target, fit, shape


@dataclass(frozen=True, slots=True)
class RenditionSource:
    """A cached rendition that others can be made from."""

    image: Image
    target: Target
    data: bytes

    @property
    def facts(self) -> Facts:
        """What decoding costs: the rendition is small, whatever the original is."""
        width, height = fit(self.image.width, self.image.height, self.target.preset)
        media_type = self.target.format.media_type
        return replace(self.image.facts, media_type=media_type, width=width, height=height, frames=1, memory_bytes=0)

    def can_make(self, targets: Iterable[Target]) -> bool:
        """Whether every target can be made from it."""
        return all(_can_make(self.image, self.target, target) for target in targets)

    def open(self) -> BinaryIO:
        """A file with its bytes; close it."""
        return file_in_memory(self.data)


async def nearest_source(
    cache: Cache, config: Renditions, image: Image, targets: Iterable[Target]
) -> RenditionSource | None:
    """The smallest cached rendition that every target can be made from; None when there is none."""
    if image.animated or not (names := await cache.names(image.slug)):
        return None
    for preset in sorted(config.presets, key=lambda preset: preset.box_px):
        for format_ in config.formats:
            candidate = Target(preset, format_)
            if candidate.name in names and all(_can_make(image, candidate, target) for target in targets):
                found = await cache.get(image.slug, candidate.name)
                if found is not None:
                    return RenditionSource(image, candidate, found.data)
    return None


def file_in_memory(data: bytes) -> BinaryIO:
    """The data as a file for a worker; close it."""
    file = os.fdopen(os.memfd_create("rendition"), "w+b", buffering=0)
    file.write(data)
    return file


def _can_make(image: Image, source: Target, target: Target) -> bool:
    """Whether `target` can be made from a cached `source`: at least twice as large, with all that is needed in it."""
    if not shape(image.width, image.height, source.preset).shows_all:
        return False
    width, height = fit(image.width, image.height, source.preset)
    wanted = max(fit(image.width, image.height, target.preset))
    large_enough = max(width, height) >= 2 * wanted
    keeps_alpha = source.format.has_alpha or not image.has_alpha
    keeps_quality = target.format not in (Format.PNG, Format.GIF) or source.format not in LOSSY
    may_have_gain_map = image.media_type == Format.JPG.media_type and target.format is Format.JPG
    keeps_gain_map = source.format is Format.JPG or not may_have_gain_map
    return large_enough and keeps_alpha and keeps_quality and keeps_gain_map and source.format is not Format.GIF
