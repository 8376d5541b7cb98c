"""The protocol between server and workers: orders and answers as small JSON messages.

File descriptors travel with them: the source with an order, and with its answer a file in memory for each result, or
one with the edits.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from appliance.domain.details import Details, details_of
from appliance.domain.errors import (
    ApplianceError,
    CannotResize,
    EmptyUpload,
    NotAnImage,
    UnfitInstallation,
    UnreadableImage,
    UnsupportedFormat,
)
from appliance.domain.formats import ACCEPTED_TYPES
from appliance.domain.model import KeepMetadata
from appliance.domain.regions import Cut, Material, Quality, Region
from appliance.domain.renditions import Facts, Format, Preset, Target

MAX_MESSAGE_BYTES = 64 * 1024
MAX_TARGETS = 32
_MAX_TEXT_CHARS = 1000
_MAX_SIDE = 2**31
_MAX_NUMBER = 2**63 - 1

_ERRORS: dict[str, type[ApplianceError]] = {
    kind.code: kind
    for kind in (CannotResize, EmptyUpload, NotAnImage, UnfitInstallation, UnreadableImage, UnsupportedFormat)
}


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
class ReadDetails:
    """Read what the file's metadata says, as far as `keep` allows it."""

    keep: KeepMetadata
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Render:
    """Render every target from one decode. `facts` are the original's, whatever file the pixels come from.

    The targets in `animated` keep the animation.
    """

    facts: Facts
    targets: tuple[Target, ...]
    animated: frozenset[Target]
    cpu_s: int


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


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's first message: it is ready, `protections` are in force, and this version of libvips is in use."""

    protections: tuple[str, ...]
    libvips: str


@dataclass(frozen=True, slots=True)
class Edited:
    """Answers a `FindPrivate`. The edits are in the file that comes with it; for the rest see Findings."""

    complete: bool
    content_credentials: bool = False
    cut_at: int | None = None


Order = Inspect | FindPrivate | ReadDetails | Render | CutOut | BuildPyramid
Sizes = tuple[tuple[int, int, bool, bool], ...]
Answer = Ready | Facts | Edited | Details | Sizes | ApplianceError
"""`Sizes` answers a `Render` or `CutOut`: of each result in order width, height, and two facts of a RenderedFile,
whether it is animated and has a gain map.

It is empty for `BuildPyramid`, whose result is in the file.
"""


def pack_order(order: Order) -> bytes:
    """The order as JSON."""
    match order:
        case Inspect():
            body: object = {"inspect": asdict(order)}
        case FindPrivate():
            body = {"find-private": asdict(order)}
        case ReadDetails():
            body = {"details": asdict(order)}
        case CutOut():
            body = {"cut": asdict(order)}
        case BuildPyramid():
            body = {"pyramid": asdict(order)}
        case Render():
            body = {"render": _rendering(order)}
    return json.dumps(body).encode()


def _rendering(order: Render) -> dict[str, Any]:
    targets = [(one.preset.name, one.preset.box_px, one.format.value, one in order.animated) for one in order.targets]
    return {"facts": asdict(order.facts), "targets": targets, "cpu_s": order.cpu_s}


def unpack_order(message: bytes) -> Order:
    """The order that `message` holds."""
    body: dict[str, Any] = json.loads(message)
    match body:
        case {"inspect": limits}:
            return Inspect(**limits)
        case {"find-private": {"keep": keep, "cpu_s": cpu_s}}:
            return FindPrivate(KeepMetadata(keep), cpu_s)
        case {"details": {"keep": keep, "cpu_s": cpu_s}}:
            return ReadDetails(KeepMetadata(keep), cpu_s)
        case {"cut": cut}:
            return _cut_out(**cut)
        case {"pyramid": pyramid}:
            return BuildPyramid(**pyramid)
    return _render(body["render"])


def _render(render: dict[str, Any]) -> Render:
    targets = {Target(Preset(name, box_px), Format(format)): kept for name, box_px, format, kept in render["targets"]}
    animated = frozenset(target for target, kept in targets.items() if kept)
    return Render(Facts(**render["facts"]), tuple(targets), animated, render["cpu_s"])


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


def pack_answer(answer: Answer) -> bytes:
    """The answer as JSON."""
    match answer:
        case Ready():
            body: object = {"ready": asdict(answer)}
        case Facts():
            body = {"facts": asdict(answer)}
        case Edited():
            body = {"edited": asdict(answer)}
        case Details():
            body = {"details": asdict(answer)}
        case ApplianceError():
            final = isinstance(answer, CannotResize) and answer.final
            body = {"error": [answer.code, answer.detail, answer.limit, answer.actual, final]}
        case _:
            body = {"sizes": answer}
    return json.dumps(body).encode()


def unpack_answer(message: bytes) -> Answer:
    """The answer that `message` holds.

    Raises ValueError for anything else: a worker that read a hostile file may lie.
    """
    try:
        body: dict[str, Any] = json.loads(message)
        match body:
            case {"ready": {"protections": protections, "libvips": libvips}}:
                return Ready(tuple(map(str, protections)), str(libvips))
            case {"facts": dict(facts)}:
                return _facts(facts)
            case {"edited": {"complete": bool(complete), "content_credentials": bool(signed), "cut_at": cut_at}}:
                return Edited(complete, signed, None if cut_at is None else int(cut_at))
            case {"details": dict(details)}:
                return _details(details)
            case {"error": [code, detail, limit, actual, final]}:
                error = _ERRORS[code](_text(detail), limit=_number(limit), actual=_number(actual))
                if isinstance(error, CannotResize):
                    error.final = final is True
                return error
            case {"sizes": list(sizes)}:
                return tuple(
                    (_side(width), _side(height), animated is True, has_gain_map is True)
                    for width, height, animated, has_gain_map in sizes
                )
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError("not an answer") from error
    raise ValueError("not an answer")


def _facts(facts: dict[str, Any]) -> Facts:
    if facts["media_type"] not in ACCEPTED_TYPES:  # it becomes a Content-Type
        raise ValueError("not an accepted type")
    if not isinstance(facts["memory_bytes"], int) or facts["memory_bytes"] < 0:
        raise ValueError("not a number of bytes")
    refusal = facts["refusal"]
    return Facts(
        media_type=facts["media_type"],
        width=_side(facts["width"]),
        height=_side(facts["height"]),
        frames=_side(facts["frames"]),
        has_alpha=bool(facts["has_alpha"]),
        progressive=bool(facts["progressive"]),
        memory_bytes=min(facts["memory_bytes"], _MAX_NUMBER),  # a header may claim any number of bands
        refusal=None if refusal is None else _text(refusal),
        incomplete=bool(facts["incomplete"]),
    )


def _details(found: dict[str, Any]) -> Details:
    details = details_of(found, complete=found["complete"] is True)
    if asdict(details) != found:  # an honest worker has cleaned them
        raise ValueError("not the details of an image")
    return details


def _side(number: object) -> int:
    """A number of pixels or frames: at least one, and small enough for the database and for sums."""
    if not isinstance(number, int) or not 1 <= number <= _MAX_SIDE:
        raise ValueError("no image has that size")
    return number


def _number(number: object) -> int | None:
    if number is not None and (not isinstance(number, int) or not 0 <= number <= _MAX_NUMBER):
        raise ValueError("not a number")
    return number


def _text(text: object) -> str:
    if not isinstance(text, str) or len(text) > _MAX_TEXT_CHARS:
        raise ValueError("not a text of allowed length")
    return text
