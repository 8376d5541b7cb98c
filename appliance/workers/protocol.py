"""The orders that the server sends to its worker processes, and their answers, as small JSON messages.

File descriptors travel beside the JSON: the source with an order; with the answer one file in memory per rendition, or
one with the edits.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

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
_MAX_WORDS = 1000
_MAX_SIDE = 2**31
_MAX_FIGURE = 2**63 - 1

_ERRORS: dict[str, type[ApplianceError]] = {
    kind.code: kind
    for kind in (CannotResize, EmptyUpload, NotAnImage, UnfitInstallation, UnreadableImage, UnsupportedFormat)
}


@dataclass(frozen=True, slots=True)
class Inspect:
    """Read the header: what is it, and may it be resized under these limits?

    They are pixels, bytes of memory, and bytes that making animations may take of it.
    """

    max_pixels: int
    memory_bytes: int
    animation_bytes: int
    cpu_s: int


@dataclass(frozen=True, slots=True)
class FindPrivate:
    """Find what the file carries beyond the picture and what `keep` allows."""

    keep: KeepMetadata
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Render:
    """Make every target from one decode. `facts` are the original's, whatever file the pixels come from.

    `moving` are those of the targets that shall keep the animation.
    """

    facts: Facts
    targets: tuple[Target, ...]
    moving: frozenset[Target]
    cpu_s: int


@dataclass(frozen=True, slots=True)
class CutOut:
    """Make every cut. `facts` are the original's; `material` says what the file holds of it."""

    facts: Facts
    material: Material
    cuts: tuple[Cut, ...]
    cpu_s: int


@dataclass(frozen=True, slots=True)
class BuildPyramid:
    """Write a pyramid of the picture into the second descriptor that comes along."""

    cpu_s: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's first word: it is warm, `protections` are in force, and this libvips is in use."""

    protections: tuple[str, ...]
    libvips: str


@dataclass(frozen=True, slots=True)
class Edited:
    """Answers a `FindPrivate`: the edits lie in the one file that comes with it; Findings says the rest."""

    complete: bool
    content_credentials: bool = False
    cut_at: int | None = None


Order = Inspect | FindPrivate | Render | CutOut | BuildPyramid
Sizes = tuple[tuple[int, int, bool], ...]
Answer = Ready | Facts | Edited | Sizes | ApplianceError
"""`Sizes` answers a `Render` or `CutOut`: width, height and whether it moves, of each result, as they were asked for.

To `BuildPyramid` it is empty: what was made lies in the file.
"""


def pack_order(order: Order) -> bytes:
    """The order as JSON."""
    if isinstance(order, Inspect):
        return json.dumps({"inspect": asdict(order)}).encode()
    if isinstance(order, FindPrivate):
        return json.dumps({"find-private": asdict(order)}).encode()
    if isinstance(order, CutOut):
        return json.dumps({"cut": asdict(order)}).encode()
    if isinstance(order, BuildPyramid):
        return json.dumps({"pyramid": asdict(order)}).encode()
    targets = [(one.preset.name, one.preset.box_px, one.format.value, one in order.moving) for one in order.targets]
    return json.dumps({"render": {"facts": asdict(order.facts), "targets": targets, "cpu_s": order.cpu_s}}).encode()


def unpack_order(message: bytes) -> Order:
    """The order that `message` holds."""
    body: dict[str, Any] = json.loads(message)
    if "inspect" in body:
        return Inspect(**body["inspect"])
    if "find-private" in body:
        found = body["find-private"]
        return FindPrivate(KeepMetadata(found["keep"]), found["cpu_s"])
    if "cut" in body:
        return _cut_out(**body["cut"])
    if "pyramid" in body:
        return BuildPyramid(**body["pyramid"])
    render = body["render"]
    targets = {Target(Preset(name, box_px), Format(format)): moves for name, box_px, format, moves in render["targets"]}
    moving = frozenset(target for target, moves in targets.items() if moves)
    return Render(Facts(**render["facts"]), tuple(targets), moving, render["cpu_s"])


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
        case ApplianceError():
            final = isinstance(answer, CannotResize) and answer.final
            body = {"error": [answer.code, answer.detail, answer.limit, answer.actual, final]}
        case _:
            body = {"sizes": answer}
    return json.dumps(body).encode()


def unpack_answer(message: bytes) -> Answer:
    """The answer that `message` holds. ValueError for anything else, for a worker that read a hostile file may lie."""
    try:
        body: dict[str, Any] = json.loads(message)
        match body:
            case {"ready": {"protections": protections, "libvips": libvips}}:
                return Ready(tuple(map(str, protections)), str(libvips))
            case {"facts": dict(facts)}:
                return _facts(facts)
            case {"edited": {"complete": bool(complete), "content_credentials": bool(signed), "cut_at": cut_at}}:
                return Edited(complete, signed, None if cut_at is None else int(cut_at))
            case {"error": [code, detail, limit, actual, final]}:
                error = _ERRORS[code](_words(detail), limit=_figure(limit), actual=_figure(actual))
                if isinstance(error, CannotResize):
                    error.final = final is True
                return error
            case {"sizes": list(sizes)}:
                return tuple((_side(width), _side(height), moves is True) for width, height, moves in sizes)
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError("not an answer") from error
    raise ValueError("not an answer")


def _facts(facts: dict[str, Any]) -> Facts:
    if facts["media_type"] not in ACCEPTED_TYPES:  # a browser goes by it
        raise ValueError("not a type that is taken")
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
        memory_bytes=min(facts["memory_bytes"], _MAX_FIGURE),  # a header may claim any number of bands
        refusal=None if refusal is None else _words(refusal),
        incomplete=bool(facts["incomplete"]),
    )


def _side(number: object) -> int:
    """Pixels, or frames: at least one, and few enough for every column and every sum."""
    if not isinstance(number, int) or not 1 <= number <= _MAX_SIDE:
        raise ValueError("no picture has that size")
    return number


def _figure(number: object) -> int | None:
    if number is not None and (not isinstance(number, int) or not 0 <= number <= _MAX_FIGURE):
        raise ValueError("not a figure")
    return number


def _words(text: object) -> str:
    if not isinstance(text, str) or len(text) > _MAX_WORDS:
        raise ValueError("not words for a person")
    return text
