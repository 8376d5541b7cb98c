"""The benchmarks: `make bench` runs each, or says why not."""

from collections import Counter

import pytest

from benchmarks.__main__ import LONG, ROOT, SHORT, ProgramResult, run_program, summarise
from benchmarks.load.flooder import BROKEN, WAITING
from benchmarks.rate_limit_overhead import verdict
from benchmarks.upload_flood import Flood


def programs() -> set[str]:
    folder = ROOT / "benchmarks"
    return {path.stem for path in folder.glob("[a-z]*.py") if "\nif __name__" in path.read_text()}


def test_every_program_is_in_the_short_set_or_has_its_reason() -> None:
    assert {*SHORT, *LONG} == programs()
    assert not {*SHORT} & {*LONG}


def test_a_program_that_there_is_no_time_for_is_skipped_and_named() -> None:
    ended = run_program("cached_rendition", (), 0.0)
    assert "skipped cached_rendition: no time was left" in summarise([ended], 1.0)


def test_a_program_that_fails_is_told_apart_from_one_that_lacks_something() -> None:
    told = summarise(
        [
            ProgramResult("cached_rendition", 1.0, skipped="wrk: Debian package wrk"),
            ProgramResult("all_sizes", 1.0, failed="no answer"),
        ],
        2,
    )
    assert "skipped cached_rendition: wrk: Debian package wrk" in told
    assert "FAILED all_sizes: no answer" in told
    for name, why in LONG.items():
        assert f"skipped {name}: {why}" in told


def test_uploads_of_a_flood_that_got_no_response_are_not_answered() -> None:
    assert Flood(Counter({"428": 6, "201": 1, BROKEN: 10, WAITING: 100})).answered == 7


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.97, 1.01, 1.03), "met"),
        ((1.04, 1.05, 1.10), "missed"),
        ((0.75, 0.92, 1.05), "met by the median, within the noise of ±15.0%"),
        ((1.00, 1.05, 1.06), "missed by the median, within the noise of ±3.0%"),
    ],
)
def test_the_cost_of_limits_has_a_verdict_with_its_noise(ratios: tuple[float, ...], said: str) -> None:
    assert verdict(ratios) == said
