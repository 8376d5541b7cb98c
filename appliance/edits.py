"""Edits: bytes of a file that are overwritten where they lie, so that nothing moves and nothing is copied."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

MAX_PACKED_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Edit:
    """`length` bytes from byte `offset` on become `pattern`: one byte that is repeated, or as many bytes."""

    offset: int
    length: int
    pattern: bytes

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Findings:
    """What has to be done to a file so that only what may stay is left in it.

    `complete` is false where not everything could be checked, or not be changed where it lies. `content_credentials`
    says that signed content credentials (C2PA) were found and are taken out. `cut_at` is the length the file is cut to
    once the edits are written, or None where it keeps its length.
    """

    edits: tuple[Edit, ...]
    complete: bool
    content_credentials: bool = False
    cut_at: int | None = None


def pack(edits: Sequence[Edit]) -> bytes:
    """The edits as JSON."""
    return json.dumps([(edit.offset, edit.length, edit.pattern.hex()) for edit in edits]).encode()


def unpack(packed: bytes, file_bytes: int) -> tuple[Edit, ...]:
    """The edits that `packed` holds. ValueError for anything that would not stay inside a file of so many bytes."""
    if len(packed) > MAX_PACKED_BYTES:
        raise ValueError("too many edits")
    try:
        listed = json.loads(packed)
        if not isinstance(listed, list):
            raise ValueError("no edits")
        edits = tuple(Edit(int(offset), int(length), bytes.fromhex(text)) for offset, length, text in listed)
    except (TypeError, RecursionError) as error:
        raise ValueError("no edits") from error
    for edit in edits:
        if edit.offset < 0 or edit.length < 1 or edit.end > file_bytes or len(edit.pattern) not in (1, edit.length):
            raise ValueError("an edit that is none")
    return edits
