"""One file being cleaned: reading it in bounded amounts, and gathering the edits that take private data out."""

import os
import time
from collections.abc import Callable, Sequence

from appliance.domain.file_edits import Edit, Findings
from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear

BUDGET_BYTES = 2 * 1024**3
"""What is read of one file at most; of larger ones the structure is read, and their end."""
MAX_BLOCK_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 4 * 1024 * 1024
_SLICE = 4096
BUDGET_CPU_S = 1.0
"""What may be spent on one file's metadata; see docs/privacy.md."""

Cleaner = Callable[[bytes, KeepMetadata], bytes]
"""Gives the same number of bytes, with only what may stay. Raises Unclear where it can't tell."""


class OutOfTime(Exception):
    """The file has taken its time of the processor: what was found so far is all that is found."""


class Cleaning:
    """Reads the file, and takes note of edits. `complete`, `content_credentials` and `cut_at` are set by who walks it.

    See Findings for what they say.
    """

    def __init__(
        self,
        fd: int,
        keep: KeepMetadata,
        clock: Callable[[], float] = time.process_time,
        *,
        max_bytes: int = BUDGET_BYTES,
    ) -> None:
        self._fd = fd
        self._clock = clock
        self._until_s = clock() + BUDGET_CPU_S
        self._left_bytes = max_bytes
        self._edits: list[Edit] = []
        self.keep = keep
        self.length = os.fstat(fd).st_size
        self.complete = True
        self.content_credentials = False
        self.cut_at: int | None = None

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from there, fewer at the file's end.

        Raises Unclear beyond what may be read of one file, and OutOfTime.
        """
        self.check_time()
        length = max(0, min(length, self.length - offset))
        if offset < 0 or length > self._left_bytes:
            raise Unclear("beyond what is read of one file")
        if not length:  # the system takes no offset of 2^63 and more
            return b""
        self._left_bytes -= length
        return os.pread(self._fd, length, offset)

    def check_time(self) -> None:
        """Raises OutOfTime."""
        if self._clock() > self._until_s:
            raise OutOfTime

    def block(self, pieces: Sequence[tuple[int, int]], clean: Cleaner) -> None:
        """Clean what lies in these pieces (offset, length) of the file as if they were one."""
        if sum(length for _, length in pieces) > MAX_BLOCK_BYTES:
            self.complete = False
            return
        try:
            parts = [self.read(offset, length) for offset, length in pieces]
            cleaned = clean(b"".join(parts), self.keep)
        except (Unclear, RecursionError):
            self.complete = False
            return
        for (offset, _), part in zip(pieces, parts, strict=True):
            self.put(offset, part, cleaned[: len(part)])
            cleaned = cleaned[len(part) :]

    def put(self, offset: int, before: bytes, after: bytes) -> None:
        """Overwrite what lies there, as far as it differs."""
        assert len(before) == len(after), "nothing may move"
        for start, end in _differences(before, after):
            self._edits += _edits(offset + start, after[start:end])

    def fill(self, offset: int, length: int, byte: int = 0) -> None:
        """Overwrite a range, which may be long, with one byte: one edit, from where it first differs."""
        pattern = bytes((byte,))
        for at in range(offset, offset + length, _CHUNK_BYTES):
            before = self.read(at, min(_CHUNK_BYTES, offset + length - at))
            if rest := before.lstrip(pattern):
                start = at + len(before) - len(rest)
                self._edits.append(Edit(start, min(offset + length, self.length) - start, pattern))
                return

    def findings(self) -> Findings:
        return Findings(tuple(self._edits), self.complete, self.content_credentials, self.cut_at)


def _differences(before: bytes, after: bytes) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for first in range(0, len(before), _SLICE):
        old, new = before[first : first + _SLICE], after[first : first + _SLICE]
        if old == new:
            continue
        changed = int.from_bytes(old, "little") ^ int.from_bytes(new, "little")
        start = first + ((changed & -changed).bit_length() - 1) // 8
        end = first + (changed.bit_length() + 7) // 8
        if runs and runs[-1][1] == first and start == first:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _edits(offset: int, after: bytes) -> list[Edit]:
    """Long fills as such, everything else byte for byte."""
    if after.count(after[:1]) == len(after):
        return [Edit(offset, len(after), after[:1])]
    slices = range(0, len(after), _SLICE)
    if len(after) > _SLICE:
        return [edit for at in slices for edit in _edits(offset + at, after[at : at + _SLICE])]
    return [Edit(offset, len(after), after)]
