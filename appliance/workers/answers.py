"""A worker's answers as JSON, and what of them is believed: a worker that read a hostile file may lie."""

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
from appliance.domain.renditions import Facts

_MAX_TEXT_CHARS = 1000
_MAX_SIDE = 2**31
_MAX_NUMBER = 2**63 - 1

_ERRORS: dict[str, type[ApplianceError]] = {
    kind.code: kind
    for kind in (CannotResize, EmptyUpload, NotAnImage, UnfitInstallation, UnreadableImage, UnsupportedFormat)
}


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


@dataclass(frozen=True, slots=True)
class Examined:
    """Answers an `Examine`. `edited` is None where looking for private data failed."""

    facts: Facts
    edited: Edited | None


Sizes = tuple[tuple[int, int, bool, bool], ...]
Answer = Ready | Facts | Edited | Examined | Details | Sizes | ApplianceError
"""`Sizes` answers a `Render` or `CutOut`: of each result in order width, height, and two facts of a RenderedFile,
whether it is animated and has a gain map.

It is empty for `BuildPyramid`, whose result is in the file.
"""


def pack_answer(answer: Answer) -> bytes:
    """The answer as JSON."""
    match answer:
        case Ready():
            body: object = {"ready": asdict(answer)}
        case Facts():
            body = {"facts": asdict(answer)}
        case Edited():
            body = {"edited": asdict(answer)}
        case Examined():
            body = {"examined": asdict(answer)}
        case Details():
            body = {"details": asdict(answer)}
        case ApplianceError():
            final = isinstance(answer, CannotResize) and answer.final
            body = {"error": [answer.code, answer.detail, answer.limit, answer.actual, final]}
        case _:
            body = {"sizes": answer}
    return json.dumps(body).encode()


def unpack_answer(message: bytes) -> Answer:  # noqa: PLR0911 - one for each kind
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
            case {"edited": dict(edited)}:
                return _edited(edited)
            case {"examined": {"facts": dict(facts), "edited": edited}}:
                return Examined(_facts(facts), None if edited is None else _edited(edited))
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


def _edited(edited: dict[str, Any]) -> Edited:
    match edited:
        case {"complete": bool(complete), "content_credentials": bool(signed), "cut_at": cut_at}:
            return Edited(complete, signed, None if cut_at is None else int(cut_at))
    raise ValueError("not what was found")


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
