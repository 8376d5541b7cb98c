"""The edits that clean a file, as a worker sends them."""

import zlib

import pytest

from appliance.domain import file_edits
from appliance.domain.file_edits import Edit


def test_edits_survive_their_journey() -> None:
    some = (Edit(7, 2, b"\0"), Edit(0, 3, b"abc"), Edit(9, 3, b""))
    assert file_edits.unpack(file_edits.pack(some), 12) == some


def test_edits_that_an_earlier_release_has_recorded_are_read() -> None:
    assert file_edits.unpack(b'[[7, 2, "00"], [0, 3, "616263"]]', 12) == (Edit(7, 2, b"\0"), Edit(0, 3, b"abc"))


def test_a_hundred_thousand_edits_have_room() -> None:
    many = tuple(Edit(number * 40, 8, b"\0" * 7 + bytes((number % 256,))) for number in range(100_000))
    packed = file_edits.pack(many)
    assert len(packed) < file_edits.MAX_PACKED_BYTES
    assert file_edits.unpack(packed, 4_000_000) == many


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"{}",
        b"[1]",
        b"[[0, 1]]",
        b'[[0,13,"00"]]',
        b'[[0,12,""]]',
        b'[[3,4,""]]',
        zlib.compress(b"[]")[:-1],
        zlib.compress(b" " * 40_000_000 + b"[]"),
        b'[[-1,1,"00"]]',
        b'[[0,0,""]]',
        b'[[0,3,"0000"]]',
        b'[[0,1,"x"]]',
        b"[" * 100_000,
        b" " * 1_000_001,
    ],
)
def test_what_a_worker_makes_up_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError):
        file_edits.unpack(packed, 12)
