"""What a reinspection is asked for, and what it finds: plain values, which travel between server and command."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from appliance.domain.flat_image import flatten
from appliance.domain.model import Image

MAX_IMAGES = 1000
_RECORD_KEEPING = ("version", "location")


@dataclass(frozen=True, slots=True)
class StepRequest:
    """The next step: at most `max_images` after the slug `after`, before which `looked_at` were looked at.

    Without `after` it continues where the last run stopped; a dry run begins with the first image.
    `clean` takes out of originals what the cleaning rule takes out. `dry_run` changes nothing, and remembers no place.
    At most `max_examples` changes are described.
    """

    after: str | None = None
    looked_at: int = 0
    max_images: int = MAX_IMAGES
    clean: bool = False
    dry_run: bool = False
    max_examples: int = 0


class Verdict(StrEnum):
    """What was found of an image, or done with it. An image may have several."""

    CHANGED = "changed"
    """What its row says of it changed, apart from its cleaning."""
    READY = "ready"
    """It was original-only before."""
    ORIGINAL_ONLY = "original-only"
    """It was ready before."""
    CLEANED = "cleaned"
    KEPT = "kept"
    """Its metadata is to be kept, so its original is left alone."""
    UNSHIPPED = "unshipped"
    """Its original has to be cleaned, but isn't in the store yet."""
    NOT_REMOVABLE = "not-removable"
    """Its original may still contain metadata that can't be removed."""
    UNREADABLE = "unreadable"
    """Today's rules would refuse its original. It is left as it is."""
    MISSING = "missing"
    """The store has no original."""
    DIFFERENT = "different"
    """Its original has other bytes than its row says. It is left as it is."""
    FAILED = "failed"
    """It couldn't be examined; the log says why."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found of one image, and how it changes, in words."""

    slug: str
    verdicts: tuple[Verdict, ...] = ()
    words: str = ""

    def having(self, *verdicts: Verdict) -> "Examination":
        """The same with more verdicts."""
        return replace(self, verdicts=(*self.verdicts, *verdicts))


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was taken. `after` is where the next one begins, None at the end of all images.

    `looked_at` counts since the first image, however often the run was interrupted.
    """

    after: str | None
    looked_at: int
    counts: Mapping[str, int] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


def change(before: Image, after: Image) -> Examination:
    """What the change from one to the other is."""
    old, new = flatten(before), flatten(after)
    differing = [name for name in old if old[name] != new[name] and name not in _RECORD_KEEPING]
    if not differing:
        return Examination(before.slug)
    verdicts = [Verdict.CHANGED]
    if before.state != after.state:
        verdicts.append(Verdict.READY if after.original_only is None else Verdict.ORIGINAL_ONLY)
    words = ", ".join(f"{name} {_shown(old[name])} -> {_shown(new[name])}" for name in differing)
    return Examination(before.slug, tuple(verdicts), words)


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
