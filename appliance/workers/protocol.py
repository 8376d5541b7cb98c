"""The protocol between server and workers: orders, and their `answers`, as small JSON messages.

File descriptors travel with them: the source with an order, and with its answer a file in memory for each result, or
one with the edits.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

from appliance.domain.model import KeepMetadata
from appliance.domain.regions import Cut, Material, Quality, Region
from appliance.domain.renditions import Facts, Format, Preset, Target

MAX_MESSAGE_BYTES = 64 * 1024
MAX_TARGETS = 32


@dataclass(frozen=True, slots=True)
class Inspect:
    """Read the header: what is the file, and can it be resized under these limits?

    `animation_bytes` is the part of the memory that rendering animations may take.
    """

    max_pixels: int
    memory_bytes: int
    animation_bytes: int
    cpu_s: int


@dataclass(frozen=True, slots=True)
class FindPrivate:
    """Find metadata in the file beyond what `keep` allows."""

    keep: KeepMetadata
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Examine:
    """An `Inspect`, and where the header can be read, a `FindPrivate` on the same file."""

    inspect: Inspect
    find_private: FindPrivate

    @property
    def cpu_s(self) -> int:
        return self.inspect.cpu_s


@dataclass(frozen=True, slots=True)
class ReadDetails:
    """Read what the file's metadata says, as far as `keep` allows it."""

    keep: KeepMetadata
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Render:
    """Render every target from one decode. `facts` are the original's, whatever file the pixels come from.

    The targets in `animated` keep the animation. With `patient`, files are to be small rather than soon there. With
    `fast_jpeg`, the C extension may make what it can.
    """

    facts: Facts
    targets: tuple[Target, ...]
    animated: frozenset[Target]
    cpu_s: int
    patient: bool = False
    fast_jpeg: bool = True


@dataclass(frozen=True, slots=True)
class CutOut:
    """Render every cut. `facts` are the original's; `material` says what the file holds of it."""

    facts: Facts
    material: Material
    cuts: tuple[Cut, ...]
    cpu_s: int


@dataclass(frozen=True, slots=True)
class BuildPyramid:
    """Write a pyramid of the image into the second descriptor."""

    cpu_s: int


Order = Inspect | FindPrivate | Examine | ReadDetails | Render | CutOut | BuildPyramid


def pack_order(order: Order) -> bytes:
    """The order as JSON."""
    body = _rendering(order) if isinstance(order, Render) else asdict(order)
    return json.dumps({_NAMES[type(order)]: body}).encode()


def _rendering(order: Render) -> dict[str, Any]:
    targets = [(one.preset.name, one.preset.box_px, one.format.value, one in order.animated) for one in order.targets]
    facts = {name: getattr(order.facts, name) for name in _FACTS}  # unlike asdict, which copies each value
    return {"facts": facts, "targets": targets, "cpu_s": order.cpu_s, "patient": order.patient}


def unpack_order(message: bytes) -> Order:
    """The order that `message` holds."""
    ((name, body),) = json.loads(message).items()
    return _READERS[name](**body)


def _find_private(keep: str, cpu_s: int) -> FindPrivate:
    return FindPrivate(KeepMetadata(keep), cpu_s)


def _examine(inspect: dict[str, Any], find_private: dict[str, Any]) -> Examine:
    return Examine(Inspect(**inspect), _find_private(**find_private))


def _read_details(keep: str, cpu_s: int) -> ReadDetails:
    return ReadDetails(KeepMetadata(keep), cpu_s)


def _render(facts: dict[str, Any], targets: list[tuple[str, int, str, bool]], cpu_s: int, patient: bool) -> Render:
    wanted = {Target(Preset(name, box_px), Format(format)): kept for name, box_px, format, kept in targets}
    animated = frozenset(target for target, kept in wanted.items() if kept)
    return Render(Facts(**facts), tuple(wanted), animated, cpu_s, patient)


def _cut_out(facts: dict[str, Any], material: str, cuts: list[dict[str, Any]], cpu_s: int) -> CutOut:
    wanted = tuple(
        Cut(
            **cut
            | {
                "region": Region(**cut["region"]),
                "quality": Quality(cut["quality"]),
                "format": Format(cut["format"]),
            }
        )
        for cut in cuts
    )
    return CutOut(Facts(**facts), Material(material), wanted, cpu_s)


_FACTS = tuple(one.name for one in fields(Facts))
_NAMES: dict[type[Order], str] = {
    Inspect: "inspect",
    FindPrivate: "find-private",
    Examine: "examine",
    ReadDetails: "details",
    Render: "render",
    CutOut: "cut",
    BuildPyramid: "pyramid",
}
_READERS: dict[str, Callable[..., Order]] = {
    "inspect": Inspect,
    "find-private": _find_private,
    "examine": _examine,
    "details": _read_details,
    "render": _render,
    "cut": _cut_out,
    "pyramid": BuildPyramid,
}
