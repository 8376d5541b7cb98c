"""What renditions are made from: a cached rendition that is large and good enough, or else the original."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO

from appliance.cache import Cache
from appliance.config.model import Renditions
from appliance.domain.model import Image
from appliance.domain.renditions import LOSSY, Facts, Format, Target, fit, shape


@dataclass(frozen=True, slots=True)
class Source:
    """A cached rendition that others can be made from."""

    image: Image
    target: Target
    data: bytes

    @property
    def facts(self) -> Facts:
        """What decoding it costs: it is small, whatever the original is."""
        width, height = fit(self.image.width, self.image.height, self.target.preset)
        media_type = self.target.format.media_type
        return replace(self.image.facts, media_type=media_type, width=width, height=height, frames=1, memory_bytes=0)

    def can_give(self, targets: Iterable[Target]) -> bool:
        return all(_can_give(self.image, self.target, target) for target in targets)

    def open(self) -> BinaryIO:
        """A file with its bytes; close it."""
        return file_in_memory(self.data)


async def nearest_source(cache: Cache, config: Renditions, image: Image, targets: Iterable[Target]) -> Source | None:
    """The smallest cached rendition that can give every target."""
    if image.animated:
        return None
    names = await cache.names(image.slug)
    for preset in sorted(config.presets, key=lambda preset: preset.box_px):
        for format_ in config.formats:
            candidate = Target(preset, format_)
            if candidate.name in names and all(_can_give(image, candidate, target) for target in targets):
                found = await cache.get(image.slug, candidate.name)
                if found is not None:
                    return Source(image, candidate, found.data)
    return None


def file_in_memory(data: bytes) -> BinaryIO:
    """A file that a worker can be handed; close it."""
    file = os.fdopen(os.memfd_create("rendition"), "w+b", buffering=0)
    file.write(data)
    return file


def _can_give(image: Image, source: Target, target: Target) -> bool:
    """Whether `target` may be made from a cached `source`: twice as large or more, with all that is wanted in it."""
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
