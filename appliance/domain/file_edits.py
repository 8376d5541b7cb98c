"""Edits of a file: bytes that are overwritten in place, so that nothing moves, or cut off the end."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

MAX_PACKED_BYTES = 1_000_000
_MAX_UNPACKED_BYTES = 32_000_000


@dataclass(frozen=True, slots=True)
class Edit:
    """Overwrites `length` bytes at `offset` with `pattern`: `length` bytes, or one byte that is repeated.

    An empty pattern is a cut: the file ends at `offset`, and `length` is how much it loses.
    """

    offset: int
    length: int
    pattern: bytes

    @property
    def end(self) -> int:
        return self.offset + self.length

    @property
    def is_cut(self) -> bool:
        return not self.pattern


@dataclass(frozen=True, slots=True)
class Findings:
    """What has to be done to a file so that only permitted metadata is left.

    `complete` is false if something could not be checked, or not be overwritten in place. `content_credentials` says
    that signed content credentials (C2PA) were found and are removed. `cut_at` is the length to which the file is cut
    once the edits are written, None if it keeps its length.
    """

    edits: tuple[Edit, ...]
    complete: bool
    content_credentials: bool = False
    cut_at: int | None = None


def pack(edits: Sequence[Edit]) -> bytes:
    """The edits as compressed JSON. Offsets count from the end of the previous edit, so that most are alike."""
    listed, end = [], 0
    for edit in edits:
        listed.append((edit.offset - end, edit.length, edit.pattern.hex()))
        end = edit.end
    return zlib.compress(json.dumps(listed, separators=(",", ":")).encode())


def unpack(packed: bytes, file_bytes: int, *, max_bytes: int = MAX_PACKED_BYTES) -> tuple[Edit, ...]:
    """The edits in `packed`. Raises ValueError for anything that would not stay within a file of `file_bytes`."""
    if len(packed) > max_bytes:
        raise ValueError("too many edits")
    plain = packed.startswith(b"[")  # as older releases recorded them, with absolute offsets
    edits, end = [], 0
    for offset, length, text in _listed(packed if plain else _inflated(packed)):
        edit = Edit(offset if plain else end + offset, length, bytes.fromhex(text))
        if edit.offset < 0 or edit.length < 1 or edit.end > file_bytes or not _fits(edit, file_bytes):
            raise ValueError("not an edit")
        edits.append(edit)
        end = edit.end
    return tuple(edits)


def _fits(edit: Edit, file_bytes: int) -> bool:
    if edit.is_cut:
        return edit.end == file_bytes and edit.offset > 0
    return len(edit.pattern) in (1, edit.length)


def _inflated(packed: bytes) -> bytes:
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(packed, _MAX_UNPACKED_BYTES)
    except zlib.error as error:
        raise ValueError("not edits") from error
    if not inflate.eof:
        raise ValueError("too many edits")
    return data


def _listed(data: bytes) -> list[tuple[int, int, str]]:
    try:
        listed = json.loads(data)
        if not isinstance(listed, list):
            raise ValueError("not edits")
        return [(int(offset), int(length), str(text)) for offset, length, text in listed]
    except (TypeError, RecursionError) as error:
        raise ValueError("not edits") from error
