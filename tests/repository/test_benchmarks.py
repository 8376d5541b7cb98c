"""The benchmarks: `make bench` runs each, or says why not."""

from benchmarks.__main__ import LONG, ROOT, SHORT, ProgramResult, run_program, summarise


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
