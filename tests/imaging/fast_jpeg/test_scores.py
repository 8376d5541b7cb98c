"""Sizes made from planes score as high as those that libvips makes of the same JPEG."""

import pytest

from appliance.domain.renditions import Target
from appliance.imaging.fast_jpeg.extension import Extension
from benchmarks.verdicts import CAN_SCORE, judged
from tests.imaging.fast_jpeg.test_sizes import TARGETS, files_by_libvips, files_from_planes
from tests.support.images import pictures
from tests.support.programs import require

MAX_LOSS = 1.0
"""SSIMULACRA2 points; nobody sees less than about 2."""
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "a camera's", "a camera's, dense")


def photograph(name: str) -> bytes:
    if not name.startswith("a camera's"):
        return pictures.small_photo(name)
    return pictures.camera_photo(97) if "dense" in name else pictures.camera_photo()


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_no_size_alone_scores_lower_for_more_bytes(
    extension: Extension, name: str, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, a size is made of the photograph at a half or a quarter where that is enough for it."""
    if not CAN_SCORE:
        require("ssimulacra2", "`make test-long` installs it")
    source = photograph(name)
    made = files_from_planes(source, (target,))
    assert made is not None
    [other] = files_by_libvips(source, monkeypatch, (target,)).values()
    ours, theirs = (judged(source, file, ("srgb",)) for file in (made[target], other))
    assert ours.bytes < 1.03 * theirs.bytes
    assert ours.scores[0] > theirs.scores[0] - MAX_LOSS
