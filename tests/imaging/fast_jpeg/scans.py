"""Baseline JPEGs with Huffman tables and coefficients that no encoder would choose, and scans that end oddly."""

import random
import struct
from dataclasses import dataclass

from tests.imaging.fast_jpeg.jpeg_bytes import packed, segment

Codes = dict[int, str]
"""Each symbol's bits."""
Factors = tuple[tuple[int, int], ...]
"""Of each component: blocks across and down in an MCU."""
_DC = range(12)
_AC = [0x00, 0xF0, *(zeros << 4 | size for zeros in range(16) for size in range(1, 11))]
_LONGEST = 16


def _table(chance: random.Random, kind: int, symbols: list[int]) -> tuple[bytes, Codes]:
    """A DHT segment with codes of random lengths, none of them all ones, and the codes."""
    room = (1 << _LONGEST) - 1
    lengths = []
    for left in range(len(symbols) - 1, -1, -1):
        length = next(n for n in range(chance.randrange(1, 17), 17) if room - (1 << _LONGEST - n) >= left)
        room -= 1 << _LONGEST - length
        lengths.append(length)
    lengths.sort()
    chance.shuffle(symbols)
    codes, code, before = {}, 0, 0
    for symbol, length in zip(symbols, lengths, strict=True):
        code <<= length - before
        codes[symbol] = format(code, f"0{length}b")
        code, before = code + 1, length
    counts = bytes(lengths.count(n) for n in range(1, 17))
    return segment(0xC4, bytes((kind,)) + counts + bytes(symbols)), codes


def _value(value: int) -> str:
    size = abs(value).bit_length()
    return format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") if size else ""


def _block(chance: random.Random, difference: int, dc: Codes, ac: Codes) -> str:
    bits = [dc[abs(difference).bit_length()], _value(difference)]
    place, fill = 1, chance.choice((0.1, 0.7, 0.97, 1.0))
    while place < 64:
        zeros = chance.choice((0, 0, 0, 1, 2, chance.randrange(16)))
        if chance.random() > fill or place + zeros > 63:
            return "".join([*bits, ac[0]])
        if zeros == 15 and chance.random() < 0.5:
            bits.append(ac[0xF0])
        else:
            value = chance.choice((1, -1)) * chance.randrange(1, 1 << chance.randrange(1, 11))
            bits += [ac[zeros << 4 | abs(value).bit_length()], _value(value)]
        place += zeros + 1
    return "".join(bits)


@dataclass(frozen=True, slots=True)
class Scan:
    """What a random scan is of. `interval`: MCUs between restart markers. `fill`: bytes 0xFF before each marker."""

    size: tuple[int, int] = (93, 61)
    factors: Factors = ((2, 2), (1, 1), (1, 1))
    interval: int = 0
    fill: int = 0


def random_jpeg(seed: int, scan: Scan) -> bytes:
    """A valid one that looks like noise, if at all."""
    chance = random.Random(seed)
    tables = [(_table(chance, n, [*_DC]), _table(chance, 0x10 | n, [*_AC])) for n in (0, 1)]
    codes = [(dc[1], ac[1]) for dc, ac in tables]
    factors = scan.factors if len(scan.factors) > 1 else ((1, 1),)
    across, down = (8 * max(one[side] for one in factors) for side in (0, 1))
    count = -(-scan.size[0] // across) * -(-scan.size[1] // down)
    data, bits, last = bytearray(), "", [0] * len(factors)
    for mcu in range(count):
        if scan.interval and mcu and mcu % scan.interval == 0:
            data += packed(bits) + b"\xff" * scan.fill + bytes((0xFF, 0xD0 + (mcu // scan.interval - 1) % 8))
            bits, last = "", [0] * len(factors)
        for number, (width, height) in enumerate(factors):
            for _ in range(width * height):
                dc = chance.randrange(-1024, 1024)
                bits += _block(chance, dc - last[number], *codes[min(number, 1)])
                last[number] = dc
    frame = struct.pack(">BHHB", 8, scan.size[1], scan.size[0], len(factors))
    frame += b"".join(bytes((n + 1, h << 4 | v, 0)) for n, (h, v) in enumerate(scan.factors))
    head = (
        bytes((len(factors),)) + b"".join(bytes((n + 1, 0x11 * min(n, 1))) for n in range(len(factors))) + b"\0\x3f\0"
    )
    quantisation = segment(0xDB, bytes((0, *(chance.randrange(1, 256) for _ in range(64)))))
    huffman = b"".join(table for pair in tables for table, _ in pair)
    restart = segment(0xDD, struct.pack(">H", scan.interval)) if scan.interval else b""
    jfif = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
    header = b"\xff\xd8" + jfif + quantisation + segment(0xC0, frame) + huffman + restart + segment(0xDA, head)
    return header + bytes(data) + packed(bits) + b"\xff" * scan.fill + b"\xff\xd9"
