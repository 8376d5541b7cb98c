"""The largest file: asked of whatever filesystem the tests run on."""

import os
from pathlib import Path

import pytest

from appliance.config.model import Config, Uploads
from appliance.shared.filesystem import MAX_FILE_BYTES, largest_file_bytes


def test_a_file_may_grow_to_the_limit_and_no_further(tmp_path: Path) -> None:
    limit = largest_file_bytes(tmp_path)
    file = tmp_path / "file"
    with file.open("wb") as opened:
        opened.seek(limit)
        if limit < MAX_FILE_BYTES:
            with pytest.raises(OSError, match="Invalid argument"):
                os.lseek(opened.fileno(), limit + 1, os.SEEK_SET)
    assert list(tmp_path.iterdir()) == [file], "asking leaves nothing behind"


def test_a_folder_that_is_not_made_yet_is_answered_for_by_the_one_above(tmp_path: Path) -> None:
    assert largest_file_bytes(tmp_path / "not" / "yet") == largest_file_bytes(tmp_path)


@pytest.mark.parametrize(("wished", "in_force"), [(0, 1000), (999, 999), (1000, 1000), (1001, 1000)])
def test_uploads_take_what_is_wished_for_as_far_as_it_can_be_kept(wished: int, in_force: int) -> None:
    assert Config(uploads=Uploads(max_bytes=wished)).limited_to(1000).uploads.max_bytes == in_force
