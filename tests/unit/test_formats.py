"""The table of formats: every row is whole, and what each format needs besides its row is there."""

from pathlib import Path

import pytest

from appliance.domain.formats import ACCEPTED, FORMATS, HEIC, Format, FormatSpec, OriginalSpec, RenditionSpec
from appliance.imaging.encoders import SAVERS
from appliance.imaging.metadata.scrub import CLEANERS
from appliance.imaging.sniffing import sniff
from appliance.imaging.sources import LOADERS
from tests.support.images import pictures

NAMES_FOR_PAGES = Path(__file__).parents[2] / "web" / "src" / "uploading" / "limits.ts"
SAMPLES = {
    "JPEG": pictures.photo,
    "PNG": pictures.png,
    "GIF": lambda: pictures.animated("gif"),
    "WebP": pictures.webp,
    "TIFF": pictures.tiff,
    "AVIF": pictures.avif,
    "HEIC": pictures.heic,
}


def missing_for(spec: FormatSpec) -> list[str]:
    """What has still to be written for a format of the table."""
    there: dict[str, bool] = {}
    if spec.original is not None:
        there |= {
            "a signature or brands in its row": bool(spec.original.signature or spec.original.brands),
            "a loader in imaging.sources": spec in LOADERS or spec is HEIC,
            "a cleaner in imaging.metadata.scrub": spec in CLEANERS,
            "its name in web/src/uploading/limits.ts": f'"{spec.media_type}": "{spec.name}"' in _names_for_pages(),
            "a sample in this test": spec.name in SAMPLES,
        }
    if spec.rendition is not None:
        there |= {
            "a member of Format": spec.extension in set(Format),
            "a saver in imaging.encoders": any(each.media_type == spec.media_type for each in SAVERS),
        }
    return [what for what, is_there in there.items() if not is_there]


def _names_for_pages() -> str:
    return NAMES_FOR_PAGES.read_text(encoding="utf-8")


@pytest.mark.parametrize("spec", FORMATS, ids=lambda spec: spec.name)
def test_everything_that_a_format_needs_is_there(spec: FormatSpec) -> None:
    assert not (missing := missing_for(spec)), f"{spec.name} lacks {', '.join(missing)}"


def test_what_a_new_format_lacks_is_named() -> None:
    new = FormatSpec(
        "JPEG XL",
        "image/jxl",
        "jxl",
        original=OriginalSpec(decode_ns=10),
        rendition=RenditionSpec(write_ns=100, size_rank=0),
    )
    assert missing_for(new) == [
        "a signature or brands in its row",
        "a loader in imaging.sources",
        "a cleaner in imaging.metadata.scrub",
        "its name in web/src/uploading/limits.ts",
        "a sample in this test",
        "a member of Format",
        "a saver in imaging.encoders",
    ]


def test_the_rest_of_the_code_knows_no_format_that_the_table_lacks() -> None:
    assert {*LOADERS, HEIC} == {*CLEANERS} == {*ACCEPTED}
    assert {each.value for each in Format} == {spec.extension for spec in FORMATS if spec.rendition is not None}
    assert {*SAVERS} == {*Format}


def test_no_two_formats_are_named_alike() -> None:
    for names in (
        [spec.name for spec in FORMATS],
        [spec.media_type for spec in FORMATS],
        [spec.extension for spec in FORMATS],
        [each.spec.size_rank for each in Format],
    ):
        assert len({*names}) == len(names)


@pytest.mark.parametrize("spec", ACCEPTED, ids=lambda spec: spec.name)
def test_a_file_of_each_accepted_format_is_recognised_by_its_first_bytes(spec: FormatSpec) -> None:
    assert sniff(SAMPLES[spec.name]()) is spec
