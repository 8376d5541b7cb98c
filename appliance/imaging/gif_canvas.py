"""GIFs whose first frame leaves a part of the canvas open.

Browsers show through there. libvips gives alpha only where a frame says that it has a see-through colour, and black
otherwise; so a copy of such a file gets one more frame, of one pixel, that says so and is never shown.
"""

import os

MAX_BYTES = 64 * 1024 * 1024
"""Of a file that is copied; a larger one is shown as it was."""
_HEAD_BYTES = 64 * 1024
_TRAILER, _EXTENSION, _CONTROL, _IMAGE = 0x3B, 0x21, 0xF9, 0x2C
_SEE_THROUGH_FRAME = (
    bytes((_EXTENSION, _CONTROL, 4, 0x05, 0, 0, 0, 0))  # kept where it is drawn, colour 0 is see-through
    + bytes((_IMAGE, 0, 0, 0, 0, 1, 0, 1, 0, 0))
    + bytes((2, 2, 0x44, 0x01, 0))  # one pixel of colour 0
)


def is_open(fd: int) -> bool:
    """Whether the first frame is smaller than the canvas."""
    head = os.pread(fd, _HEAD_BYTES, 0)
    length = os.fstat(fd).st_size
    if length > MAX_BYTES or os.pread(fd, 1, length - 1) != bytes((_TRAILER,)):
        return False
    try:
        return _leaves_room(head)
    except IndexError:  # the first frame lies further behind
        return False


def copy_with_alpha(fd: int) -> int:
    """A file in memory that libvips gives alpha for, with one frame more; close it."""
    data = os.pread(fd, MAX_BYTES, 0)
    copy = os.memfd_create("gif")
    with os.fdopen(os.dup(copy), "wb") as file:
        file.write(data[:-1] + _SEE_THROUGH_FRAME + bytes((_TRAILER,)))
    return copy


def _leaves_room(head: bytes) -> bool:
    """Raises IndexError where the first frame is not in `head`."""
    canvas = head[6:10]
    at = 13 + _palette_bytes(head[10])
    while head[at] == _EXTENSION:
        at += 2
        while head[at]:
            at += 1 + head[at]
        at += 1
    if head[at] != _IMAGE or at + 9 > len(head):
        return False
    return head[at + 1 : at + 5] != bytes(4) or head[at + 5 : at + 9] != canvas


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
