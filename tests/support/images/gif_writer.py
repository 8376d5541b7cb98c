"""GIF files made block by block, for what no writer makes: frames of one colour, disposed of in any way."""

import struct
from dataclasses import dataclass

KEEP, BACKGROUND, PREVIOUS = 1, 2, 3
"""What becomes of a frame before the next one is drawn."""
COLOURS = ((255, 255, 255), (220, 40, 30), (0, 0, 255), (0, 160, 0))
_LOOP = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle (left, top, width, height) of one of the `COLOURS`, with the upper half of `other`, if there is one.

    `see_through` is the colour that isn't drawn.
    """

    place: tuple[int, int, int, int]
    colour: int
    disposal: int = 0
    see_through: int | None = None
    other: int | None = None

    def block(self) -> bytes:
        """Its control, descriptor and pixels."""
        has_colour = self.see_through is not None
        control = bytes((0x21, 0xF9, 4, self.disposal << 2 | has_colour, 10, 0, self.see_through or 0, 0))
        _, _, width, height = self.place
        upper = height // 2 if self.other is not None else 0
        pixels = [self.other or 0] * (width * upper) + [self.colour] * (width * (height - upper))
        return control + b"\x2c" + struct.pack("<4H", *self.place) + b"\0" + _coded(pixels)


def gif(size: tuple[int, int], *frames: Frame, background: int = 2) -> bytes:
    """An animation of these frames, a tenth of a second each, without end."""
    head = b"GIF89a" + struct.pack("<2H", *size) + bytes((0x81, background, 0))
    return head + b"".join(map(bytes, COLOURS)) + _LOOP + b"".join(frame.block() for frame in frames) + b"\x3b"


def _coded(pixels: list[int]) -> bytes:
    """The pixels, coded without compression: three bits each, cleared before the table grows."""
    pairs = [pixels[at : at + 2] for at in range(0, len(pixels), 2)]
    codes = [code for pair in pairs for code in (4, *pair)] + [5]
    number = sum(code << 3 * place for place, code in enumerate(codes))
    data = number.to_bytes((3 * len(codes) + 7) // 8, "little")
    pieces = (data[at : at + 255] for at in range(0, len(data), 255))
    return b"\x02" + b"".join(bytes((len(piece),)) + piece for piece in pieces) + b"\0"
