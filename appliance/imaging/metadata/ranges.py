"""Ranges of bytes, from their start to before their end."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Range = tuple[int, int]


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same bytes in order, none twice, none next to another."""
    found: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            if end > found[-1][1]:
                found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def less(ranges: Sequence[Range], taken: Sequence[Range]) -> list[Range]:
    """What is in the first and not in the second; both are merged."""
    left, number = [], 0
    for first, end in ranges:
        start = first
        while number and taken[number - 1][1] > start:
            number -= 1
        while number < len(taken) and taken[number][0] < end:
            if taken[number][0] > start:
                left.append((start, taken[number][0]))
            start = max(start, taken[number][1])
            number += 1
        if start < end:
            left.append((start, end))
    return left


def overlaps(ranges: Sequence[Range], start: int, end: int) -> bool:
    """Whether any of the ranges, which are merged, holds a byte from `start` to before `end`."""
    number = bisect_right(ranges, (end - 1, 2**64)) - 1
    return start < end and number >= 0 and ranges[number][1] > start
