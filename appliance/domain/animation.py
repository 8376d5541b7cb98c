"""Which sizes of an animation move: what a moving rendition may cost, and which of them show the first frame instead.

Measured with libvips 8.18 on one core, a pixel of every frame: decoding and resizing 30 ns of the original, writing 60
ns of WebP and 320 ns of GIF; so a GIF's pixels count fivefold. Held are four bytes a pixel, for two sizes at once.
"""

from dataclasses import dataclass

from appliance.domain.renditions import Facts, Target, fit

_SOURCE_FACTOR = 3
"""How many more pixels the original may have than a rendition: they are only read."""
BYTES_A_PIXEL = 8


@dataclass(frozen=True, slots=True)
class Budget:
    """The most frames, and the most pixels over all frames of a rendition, that are written as an animation."""

    frames: int
    pixels: int

    @property
    def most_bytes(self) -> int:
        """The memory that making animations may take beside the decoder's."""
        return BYTES_A_PIXEL * self.pixels


def moves(facts: Facts, target: Target, budget: Budget) -> bool:
    """Whether the rendition keeps the animation; over the budget it shows the first frame."""
    if not facts.animated or facts.still or not target.format.has_animation or facts.frames > budget.frames:
        return False
    width, height = fit(facts.width, facts.height, target.preset)
    return (
        facts.frames * width * height * target.format.spec.motion_factor <= budget.pixels
        and facts.frames * facts.width * facts.height <= _SOURCE_FACTOR * budget.pixels
    )
