"""The orders that the server sends to its worker processes, and their answers, as small JSON messages.

File descriptors travel beside the JSON: the source with an order, one file in memory per rendition with the answer.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from appliance.errors import (
    ApplianceError,
    CannotResize,
    EmptyUpload,
    NotAnImage,
    UnfitInstallation,
    UnreadableImage,
    UnsupportedFormat,
)
from appliance.renditions import Facts, Format, Preset, Target

MAX_MESSAGE_BYTES = 64 * 1024
MAX_TARGETS = 32

_ERRORS: dict[str, type[ApplianceError]] = {
    kind.code: kind
    for kind in (CannotResize, EmptyUpload, NotAnImage, UnfitInstallation, UnreadableImage, UnsupportedFormat)
}


@dataclass(frozen=True, slots=True)
class Inspect:
    """Read the header: what is it, and may it be resized under these limits (pixels over all, bytes of memory)?"""

    max_pixels: int
    memory_bytes: int
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Render:
    """Make every target from one decode. `facts` are the original's, whatever file the pixels come from."""

    facts: Facts
    targets: tuple[Target, ...]
    cpu_s: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A worker's first word: it is warm, `protections` are in force, and this libvips is in use."""

    protections: tuple[str, ...]
    libvips: str


Order = Inspect | Render
Sizes = tuple[tuple[int, int], ...]
Answer = Ready | Facts | Sizes | ApplianceError
"""`Sizes` answers a `Render`: width and height of each target, in the order in which they were asked for."""


def pack_order(order: Order) -> bytes:
    """The order as JSON."""
    if isinstance(order, Inspect):
        return json.dumps({"inspect": asdict(order)}).encode()
    targets = [(target.preset.name, target.preset.box_px, target.format.value) for target in order.targets]
    return json.dumps({"render": {"facts": asdict(order.facts), "targets": targets, "cpu_s": order.cpu_s}}).encode()


def unpack_order(message: bytes) -> Order:
    """The order that `message` holds."""
    body: dict[str, Any] = json.loads(message)
    if "inspect" in body:
        return Inspect(**body["inspect"])
    render = body["render"]
    targets = tuple(Target(Preset(name, box_px), Format(format)) for name, box_px, format in render["targets"])
    return Render(Facts(**render["facts"]), targets, render["cpu_s"])


def pack_answer(answer: Answer) -> bytes:
    """The answer as JSON."""
    match answer:
        case Ready():
            body: object = {"ready": asdict(answer)}
        case Facts():
            body = {"facts": asdict(answer)}
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
            case {"error": [code, detail, limit, actual, final]}:
                error = _ERRORS[code](str(detail), limit=limit, actual=actual)
                if isinstance(error, CannotResize):
                    error.final = final is True
                return error
            case {"sizes": list(sizes)}:
                return tuple((int(width), int(height)) for width, height in sizes)
    except (KeyError, TypeError) as error:
        raise ValueError("not an answer") from error
    raise ValueError("not an answer")


def _facts(facts: dict[str, Any]) -> Facts:
    refusal = facts["refusal"]
    read = Facts(
        media_type=str(facts["media_type"]),
        width=int(facts["width"]),
        height=int(facts["height"]),
        frames=int(facts["frames"]),
        has_alpha=bool(facts["has_alpha"]),
        progressive=bool(facts["progressive"]),
        memory_bytes=int(facts["memory_bytes"]),
        refusal=None if refusal is None else str(refusal),
    )
    if min(read.width, read.height, read.frames) < 1 or read.memory_bytes < 0:
        raise ValueError("a picture has at least one pixel")
    return read
