"""What goes of a file: its ranges, and blocks of which nothing may stay."""

from collections.abc import Iterator

from appliance.domain.model import KeepMetadata
from appliance.imaging.directories import Unclear
from appliance.imaging.metadata.cleaning import Cleaner

Range = tuple[int, int]
"""Start and end, in bytes."""
_BLANKS = b"\0 \t\r\n"


class Ranges:
    """Ranges in the order of the file, adjacent ones as one: a hundred thousand small chunks that go are one edit."""

    def __init__(self) -> None:
        self._ranges: list[Range] = []

    def add(self, start: int, end: int) -> None:
        if start >= end:
            return
        if self._ranges and self._ranges[-1][0] <= start <= self._ranges[-1][1]:
            self._ranges[-1] = (self._ranges[-1][0], max(end, self._ranges[-1][1]))
        else:
            self._ranges.append((start, end))

    def merged(self) -> list[Range]:
        """All of them, in order, none next to another."""
        merged = Ranges()
        for start, end in sorted(self._ranges):
            merged.add(start, end)
        return merged._ranges

    def cut_off(self, end: int) -> int:
        """Where the file ends without the range that reaches to `end`; that range is forgotten."""
        if self._ranges and self._ranges[-1][1] >= end:
            return self._ranges.pop()[0]
        return end


def cleaned(data: bytes, clean: Cleaner, keep: KeepMetadata) -> bytes | None:
    """The block with what may stay; None when that is nothing, or when it can't be read."""
    try:
        after = clean(data, keep)
    except (Unclear, RecursionError):
        return None
    return after if after.strip(_BLANKS) else None


def tiles(start: int, end: int, *, min_bytes: int, max_bytes: int) -> Iterator[Range]:
    """The range in as few pieces as may be, each of a length that its format allows; it has `min_bytes` itself."""
    while end - start > max_bytes:
        size = max_bytes if end - start - max_bytes >= min_bytes else max_bytes - min_bytes
        yield start, start + size
        start += size
    yield start, end
