"""Ranges: what a header asks for is what slicing the bytes gives."""

from hypothesis import given
from hypothesis import strategies as st

from appliance.domain.errors import RangeNotSatisfiable
from appliance.http.byte_ranges import byte_range


@given(size=st.integers(1, 300), first=st.integers(0, 400), last=st.none() | st.integers(0, 400))
def test_ranges_from_a_byte_are_python_slices(size: int, first: int, last: int | None) -> None:
    data = bytes(number % 251 for number in range(size))
    expected = data[first:] if last is None else data[first : last + 1]
    check(f"bytes={first}-{'' if last is None else last}", data, expected, ignored=last is not None and last < first)


@given(size=st.integers(1, 300), suffix=st.integers(0, 400))
def test_ranges_of_the_last_bytes_are_python_slices(size: int, suffix: int) -> None:
    data = bytes(number % 251 for number in range(size))
    check(f"bytes=-{suffix}", data, data[max(0, size - suffix) :], ignored=False)


def check(asked: str, data: bytes, expected: bytes, *, ignored: bool) -> None:
    try:
        found = byte_range(asked, len(data))
    except RangeNotSatisfiable as fault:
        assert expected == b""
        assert fault.limit == len(data)
        return
    if ignored:
        assert found is None
        return
    assert found is not None
    start, length = found
    assert data[start : start + length] == expected
    assert length == len(expected) > 0


@given(st.text(alphabet="bytes=-0123456789, \t", max_size=30), st.integers(1, 100))
def test_no_header_leads_outside_of_the_file(asked: str, size: int) -> None:
    try:
        found = byte_range(asked, size)
    except RangeNotSatisfiable:
        return
    if found is not None:
        start, length = found
        assert 0 <= start < start + length <= size
