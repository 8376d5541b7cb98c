"""Sizes made from planes score as high as those that libvips makes of the same JPEG."""

import pytest

from appliance.imaging.fast_jpeg.extension import Extension
from benchmarks.verdicts import CAN_SCORE, judged
from tests.imaging.fast_jpeg.test_sizes import TARGETS, files_by_libvips, files_from_planes
from tests.support.images import pictures
from tests.support.programs import require

MAX_LOSS = 1.0
"""SSIMULACRA2 points; one whom nobody tells doesn't see less than about 2."""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "a camera's")


def photograph(name: str) -> bytes:
    return pictures.camera_photo() if name == "a camera's" else pictures.small_photo(name)


@pytest.mark.long
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_no_size_scores_lower_for_more_bytes(extension: Extension, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not CAN_SCORE:
        require("ssimulacra2", "`make test-long` installs it")
    source = photograph(name)
    made = files_from_planes(source, TARGETS)
    assert made is not None
    others = files_by_libvips(source, monkeypatch, TARGETS)
    assert made.keys() == others.keys()
    for target, other in others.items():
        ours, theirs = (judged(source, file, ("srgb",)) for file in (made[target], other))
        assert ours.bytes < 1.03 * theirs.bytes, target
        assert ours.scores[0] > theirs.scores[0] - MAX_LOSS, target
