"""A fault of our own in cleaning: the file is not called clean, and the worker lives."""

import struct
from collections.abc import Callable
from typing import NoReturn

import pytest

from appliance.domain import formats
from appliance.imaging.metadata import scrub
from appliance.imaging.metadata.cleaning import Cleaning
from tests.support.images import private_pictures
from tests.support.metadata import found_in


@pytest.mark.parametrize("fault", [OverflowError, struct.error, IndexError, ValueError, LookupError, KeyError])
def test_a_fault_of_our_own_gives_what_was_found_and_is_logged_once(
    fault: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(scrub.CLEANERS, formats.JPEG, failing(fault))
    scrub.log_once.cache_clear()
    found = [found_in(private_pictures.jpeg()) for _ in range(3)]
    assert [(len(each.edits), each.complete) for each in found] == [(1, False)] * 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert fault.__name__ in caplog.text


def test_a_worker_without_memory_says_so_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scrub.CLEANERS, formats.JPEG, failing(MemoryError))
    with pytest.raises(MemoryError):
        found_in(private_pictures.jpeg())


def failing(fault: type[Exception]) -> Callable[[Cleaning], NoReturn]:
    def clean(cleaning: Cleaning) -> NoReturn:
        cleaning.fill(100, 1, 0xAB)
        raise fault("as if")

    return clean
