"""JPEGs written code by code: whole ones, odd ones that libjpeg reads silently, damaged ones of which it warns."""

import random
import struct
from collections.abc import Iterable

from tests.imaging.fast_jpeg.jpeg_bytes import packed, segment

SIDE = 64
_INTERVAL = 8
_END = b"\xff\xd9"
_DC = {size: f"{size:05b}" for size in range(16)}
_AC = {symbol: f"{number:04b}" for number, symbol in enumerate((0x00, 0xF0, 0x01, 0x0F, 0xF1))}
_END_OF_BLOCK, _SIXTEEN_ZEROS = _AC[0x00], _AC[0xF0]
_ONE, _SIXTEENTH_ONE, _LARGE = _AC[0x01] + "1", _AC[0xF1] + "1", _AC[0x0F] + "1" * 15
_MEAN = _DC[4] + "1000"
_BLOCK = _MEAN + _END_OF_BLOCK
"""13 bits: those of 64 blocks are whole bytes."""
_NO_CODE = "1" * 16
_LONG_BITS = 16 + 63 * 31
"""Of a block in the longest codes: 16 bits each, and 15 of a value."""


def _table(kind: int, length: int, symbols: Iterable[int]) -> bytes:
    """A Huffman table, all of whose codes have this length."""
    symbols = bytes(symbols)
    return segment(0xC4, bytes((kind, *(len(symbols) if n == length else 0 for n in range(1, 17)))) + symbols)


_QUANTISATION = segment(0xDB, bytes((0, *range(8, 72))))
_DC_TABLE, _AC_TABLE = _table(0x00, 5, _DC), _table(0x10, 4, _AC)
_TABLES = _QUANTISATION + _DC_TABLE + _AC_TABLE
_LONG_TABLES = _QUANTISATION + _table(0x00, 16, (0,)) + _table(0x10, 16, (0x0F,))
_GREY, _TEN_BLOCKS = b"\1\x11\0", b"\1\x42\0\2\x11\0\3\x11\0"
_GREY_SCAN, _COLOUR_SCAN = segment(0xDA, b"\1\1\0\0\x3f\0"), segment(0xDA, b"\3\1\0\2\0\3\0\0\x3f\0")


def _jpeg(
    scan: bytes,
    *,
    side: int = SIDE,
    frame: int = 0xC0,
    components: bytes = _GREY,
    tables: bytes = _TABLES,
    interval: int = 0,
    head: bytes = _GREY_SCAN,
    end: bytes = _END,
) -> bytes:
    restart = segment(0xDD, struct.pack(">H", interval)) if interval else b""
    sides = struct.pack(">BHHB", 8, side, side, len(components) // 3)
    return b"\xff\xd8" + tables + segment(frame, sides + components) + restart + head + scan + end


def _with(bits: str) -> bytes:
    """These codes in the place of one of 64 blocks."""
    return _jpeg(packed(_BLOCK * 20 + bits + _BLOCK * 43))


def _parted(*parts: bytes) -> bytes:
    return _jpeg(b"".join(parts), interval=_INTERVAL)


def _long(mcus: int) -> bytes:
    """Of eight MCUs of ten blocks, so many are there."""
    return _jpeg(bytes(mcus * 10 * _LONG_BITS // 8), tables=_LONG_TABLES, components=_TEN_BLOCKS, head=_COLOUR_SCAN)


def dense(scan_bytes: int) -> bytes:
    """With so many bytes in the scan, some 32,000, before any are stuffed."""
    chance, blocks, large = random.Random(scan_bytes), 256, 51
    ones = (8 * scan_bytes - blocks * len(_DC[0] + _LARGE * large + _END_OF_BLOCK)) // len(_ONE)
    bits = ""
    for block in range(blocks):
        values = "".join(_AC[0x0F] + format(chance.getrandbits(15), "015b") for _ in range(large))
        bits += _DC[0] + values + _ONE * ((block + 1) * ones // blocks - block * ones // blocks) + _END_OF_BLOCK
    return _jpeg(packed(bits), side=128)


def gradients(factors: tuple[tuple[int, int], ...], side: int) -> bytes:
    """One in each component, from corner to corner; `factors`: how many blocks of it an MCU has across and down."""
    across, down = (max(pair) for pair in zip(*factors, strict=True))
    steps, last, bits = (100, 60, -60), [0] * len(factors), ""
    for mcu in range(-(-side // (8 * across)) * -(-side // (8 * down))):
        row, column = divmod(mcu, -(-side // (8 * across)))
        for number, (wide, high) in enumerate(factors):
            for block in range(wide * high):
                x, y = (column + block % wide / wide) * across, (row + block // wide / high) * down
                mean = round(steps[number] * ((x + y) * 8 / side - 1))
                bits += _mean(mean - last[number]) + _END_OF_BLOCK
                last[number] = mean
    components = b"".join(bytes((n + 1, h << 4 | v, 0)) for n, (h, v) in enumerate(factors))
    return _jpeg(packed(bits), side=side, components=components, head=_COLOUR_SCAN)


def _mean(difference: int) -> str:
    size = abs(difference).bit_length()
    value = difference if difference > 0 else difference + (1 << size) - 1
    return _DC[size] + (format(value, f"0{size}b") if size else "")


_SCAN = packed(_BLOCK * 64)
_PART = packed(_BLOCK * _INTERVAL)
_PARTS = [*(_PART + bytes((0xFF, 0xD0 + number)) for number in range(7)), _PART]


def _third(part: bytes) -> bytes:
    """These bytes in the place of the third part and the restart marker behind it."""
    return _parted(*_PARTS[:2], part, *_PARTS[3:])


WHOLE: dict[str, bytes] = {
    "plain": _jpeg(_SCAN),
    "restart markers": _parted(*_PARTS),
    "all places of a block": _with(_MEAN + _ONE * 63),
    "sixteen zeros at a block's end": _with(_MEAN + _ONE * 47 + _SIXTEEN_ZEROS),
    "values of fifteen bits": _with(_MEAN + _LARGE * 63),
    "the longest codes": _long(8),
    "padding of zeros": _jpeg(packed(_BLOCK * 63 + _MEAN + _ONE + _END_OF_BLOCK, fill="0")),
    "fill bytes before the end": _jpeg(_SCAN, end=b"\xff\xff\xff" + _END),
    "bytes after the end": _jpeg(_SCAN) + b"\x12\x34\xff\xd8" * 9,
    "extended sequential": _jpeg(_SCAN, frame=0xC1),
    **{f"{count} bytes": dense(count) for count in range(32766, 32771)},
}
ODD: dict[str, bytes] = {
    "a value beyond the block's end": _with(_MEAN + _ONE * 60 + _SIXTEENTH_ONE),
    "zeros beyond the block's end": _with(_MEAN + _ONE * 60 + _SIXTEEN_ZEROS),
    "a mean beyond 16 bits": _with(_DC[15] + "1" * 15 + _END_OF_BLOCK),
    "a stuffed byte after a fill byte": _with(_MEAN + _LARGE + _END_OF_BLOCK).replace(b"\xff\0", b"\xff\xff\0"),
    "a byte left over": _jpeg(_SCAN + b"\x55"),
    "a restart marker before the end": _jpeg(_SCAN, end=b"\xff\xd0" + _END),
    "a comment before the end": _jpeg(_SCAN, end=segment(0xFE, b"hi") + _END),
    "a number of lines before the end": _jpeg(_SCAN, end=segment(0xDC, b"\0\x40") + _END),
}
DAMAGED: dict[str, bytes] = {
    "cut within a block": _jpeg(_SCAN[:-1]),
    "cut within a block, without an end": _jpeg(_SCAN[:-1], end=b""),
    "a block too few": _jpeg(packed(_BLOCK * 63)),
    "an MCU of the longest codes too few": _long(7),
    "no blocks": _jpeg(b""),
    "no blocks, of the longest codes": _long(0),
    "nothing after the header": _jpeg(b"", end=b""),
    "blocks left over": _jpeg(packed(_BLOCK * 84)),
    "bytes left over": _jpeg(_SCAN + b"\x55" * 40),
    "no end": _jpeg(_SCAN, end=b""),
    "half an end": _jpeg(_SCAN, end=b"\xff"),
    "a mean of no code": _with(_NO_CODE),
    "a value of no code": _with(_MEAN + _NO_CODE),
    "no code at a block's last place": _with(_MEAN + _ONE * 62 + _NO_CODE),
    "a comment inside": _jpeg(_SCAN[:50] + segment(0xFE, b"hi") + _SCAN[50:]),
    "an end inside": _jpeg(_SCAN[:50] + _END + _SCAN[50:]),
    "a restart marker where there are none": _jpeg(_SCAN[:50] + b"\xff\xd0" + _SCAN[50:]),
    "a restart marker missing": _third(_PART),
    "a wrong restart marker": _third(_PART + b"\xff\xd5"),
    "a restart marker twice": _third(_PART + b"\xff\xd2\xff\xd2"),
    "a restart marker too early": _third(packed(_BLOCK * (_INTERVAL - 1)) + b"\xff\xd2"),
    "a restart marker too late": _third(packed(_BLOCK * (_INTERVAL + 1)) + b"\xff\xd2"),
    "bytes before a restart marker": _third(_PART + b"\x55" * 40 + b"\xff\xd2"),
    "two parts exchanged": _parted(*_PARTS[:2], _PARTS[3], _PARTS[2], *_PARTS[4:]),
    "a part missing": _parted(*_PARTS[:2], *_PARTS[3:]),
    "the first part missing": _parted(*_PARTS[1:], _PART),
    "the last part missing": _parted(*_PARTS[:-1]),
    "another scan": _jpeg(_SCAN, end=_GREY_SCAN + _SCAN + _END),
    "an unknown marker before the end": _jpeg(_SCAN, end=b"\xff\x02" + _END),
    "lossless": _jpeg(_SCAN, frame=0xC3),
    "differential": _jpeg(_SCAN, frame=0xC5),
    "arithmetic": _jpeg(_SCAN, frame=0xC9),
    "a scan of some coefficients": _jpeg(_SCAN, head=segment(0xDA, b"\1\1\0\0\x0a\0")),
    "a scan of some bits": _jpeg(_SCAN, head=segment(0xDA, b"\1\1\0\0\x3f\1")),
    "no quantisation table": _jpeg(_SCAN, tables=_DC_TABLE + _AC_TABLE),
    "no Huffman table of that number": _jpeg(_SCAN, head=segment(0xDA, b"\1\1\x22\0\x3f\0")),
    "a Huffman table without codes": _jpeg(_SCAN, tables=_QUANTISATION + _DC_TABLE + _table(0x10, 1, ())),
    "a Huffman table with a code of ones": _jpeg(_SCAN, tables=_QUANTISATION + _table(0, 4, range(16)) + _AC_TABLE),
    "a mean of sixteen bits": _jpeg(_SCAN, tables=_QUANTISATION + _table(0, 5, range(17)) + _AC_TABLE),
    **{f"{count} bytes less one": dense(count)[:-3] + _END for count in range(32766, 32771)},
}
