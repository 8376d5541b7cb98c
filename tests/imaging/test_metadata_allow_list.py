"""What stays of metadata, judged by exiftool: of thousands of tags those of the allow-list, and no other."""

import pytest
import pyvips

from appliance.domain.model import KeepMetadata
from tests.support.allowed_tags import ALWAYS, CREDITS, listed
from tests.support.images import rich_pictures
from tests.support.metadata import applied, found_in


def pixels(data: bytes) -> bytes:
    memory: bytes = pyvips.Image.new_from_buffer(data, "").write_to_memory()
    return memory


@pytest.mark.parametrize("format", ["jpg", "tif"])
def test_of_thousands_of_tags_exiftool_finds_those_of_the_allow_list_alone(format: str) -> None:
    before = rich_pictures.rich(format)
    assert len(rich_pictures.told(before, format)) > 2000
    for keep, allowed in ((KeepMetadata.NOTHING, listed(ALWAYS)), (KeepMetadata.CREDITS, listed(ALWAYS, CREDITS))):
        found = found_in(before, keep)
        after = applied(before, found)
        told = rich_pictures.told(after, format)
        said = {value for values in told.values() for value in values}
        assert found.complete
        assert set(told) - allowed - {"ExifTool:Warning"} == set()
        assert said & rich_pictures.PROTECTED
        assert pixels(after) == pixels(before)
        assert found_in(after, keep).edits == ()


def test_credits_are_the_makers_the_camera_and_the_dates() -> None:
    before = rich_pictures.rich("tif")
    told = rich_pictures.told(applied(before, found_in(before, KeepMetadata.CREDITS)), "tif")
    for name in ("IFD0:Model", "IFD0:Artist", "ExifIFD:DateTimeOriginal", "ExifIFD:LensModel", "XMP-dc:Creator"):
        assert name in told


def test_what_laws_protect_stays_by_default() -> None:
    before = rich_pictures.rich("tif")
    told = rich_pictures.told(applied(before, found_in(before, KeepMetadata.NOTHING)), "tif")
    said = " ".join(value for values in told.values() for value in values)
    assert [protected for protected in rich_pictures.PROTECTED if protected not in said] == []
