"""WebPs made from planes, compared with those that libvips makes of the same JPEG, and what happens without libwebp."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import PIL
import pytest
from PIL import Image

from appliance.config.model import Renditions
from appliance.domain.renditions import PLACEHOLDER, Format, Target
from appliance.imaging.encoders import WEBP_EFFORT, WEBP_QUALITY
from appliance.imaging.fast_jpeg import extension as module
from appliance.imaging.fast_jpeg import rendering
from appliance.imaging.fast_jpeg.extension import LIBRARY, Extension, WantedSize
from appliance.imaging.resizing import Size
from appliance.workers import Workers
from tests.imaging.fast_jpeg.test_sizes import (
    CASES,
    TARGETS,
    by_libvips,
    files_by_libvips,
    files_from_planes,
    from_planes,
    photo,
)
from tests.support.images import pictures
from tests.support.images.distance import distance
from tests.support.programs import require
from tests.support.workers import rendered, target

WEBPS = tuple(Target(preset, Format.WEBP) for preset in Renditions().presets)
MAX_SIDE = 16383
SAME, FEW_BYTES = 0.2, 100


def webp(size: Size) -> WantedSize:
    return WantedSize(size, None, WEBP_QUALITY, WEBP_EFFORT, Format.WEBP)


def made_of(extension: Extension, jpeg: bytes, size: Size) -> list[bytes] | None:
    return extension.render(jpeg, [webp(size)], shrink=1, orientation=1)


def check(jpeg: bytes, webps: tuple[Target, ...], patch: pytest.MonkeyPatch) -> None:
    """Each has the shape, the profile and about the bytes of the one that libvips makes, and is as near to lossless."""
    files = files_from_planes(jpeg, webps)
    assert files is not None
    lossless = {one: replace(one, format=Format.PNG) for one in webps}
    others = files_by_libvips(jpeg, patch, (*webps, *lossless.values()))
    for one, png in lossless.items():
        made, other, exact = (pictures.opened(data) for data in (files[one], others[one], others[png]))
        assert (made.format, made.size, made.mode) == ("WEBP", other.size, other.mode)
        assert made.info.get("icc_profile") == other.info.get("icc_profile")
        assert len(files[one]) < 1.05 * len(others[one]) + FEW_BYTES
        assert distance(made, exact) < distance(other, exact) + SAME


@pytest.mark.parametrize("case", [case for case in CASES if case != "wide"])  # which has two rows then
def test_webps_look_as_libvips_makes_them(extension: Extension, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(CASES[case](), WEBPS[:2], monkeypatch)


def test_every_size_looks_so(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> None:
    check(photo((4100, 3000)), WEBPS, monkeypatch)


@pytest.mark.parametrize("side", [1, 2, 7, 8, 9, 16, 17])
def test_a_few_pixels_are_enough(extension: Extension, side: int) -> None:
    red = Image.new("RGB", (side, 1), (200, 30, 40))
    made = from_planes(pictures.saved(red, "jpeg"), WEBPS)
    assert made is not None
    assert all(one.format == "WEBP" and distance(one, red) < 3 for one in made.values())


@pytest.mark.parametrize("level", [0, 1, 16, 127, 128, 235, 254, 255])
def test_the_range_is_kept_whole(extension: Extension, level: int) -> None:
    grey = Image.new("L", (64, 64), level)
    made = made_of(extension, pictures.saved(grey, "jpeg"), grey.size)
    assert made is not None
    assert distance(pictures.opened(made[0]).convert("L"), grey) <= 1


def test_both_formats_of_a_size_are_made_at_once_and_each_is_what_it_is_alone(extension: Extension) -> None:
    both = files_from_planes(photo(), (*TARGETS[:3], *WEBPS[:3]))
    alone = files_from_planes(photo(), TARGETS[:3])
    assert both is not None
    assert alone is not None
    assert {target: both[target] for target in TARGETS[:3]} == alone
    for jpeg, other in zip(TARGETS[:3], WEBPS[:3], strict=True):
        assert distance(pictures.opened(both[jpeg]), pictures.opened(both[other])) < 5  # both are lossy


@pytest.mark.parametrize("targets", [(PLACEHOLDER,), (*TARGETS, PLACEHOLDER)])
@pytest.mark.parametrize("case", ["a photograph", "Display P3", "grey", "orientation 6"])
def test_a_placeholder_is_made_with_the_sizes_and_is_srgb(
    extension: Extension, case: str, targets: tuple[Target, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = from_planes(CASES[case](), targets)
    assert made is not None
    other = by_libvips(CASES[case](), monkeypatch, targets)[PLACEHOLDER]
    assert "icc_profile" not in made[PLACEHOLDER].info
    assert distance(made[PLACEHOLDER], other) < 6  # that of Display P3 is written twice
    assert all(made[one].info.get("icc_profile") for one in targets[:-1]) or case != "Display P3"


def test_more_files_than_fit_are_left_to_libvips(extension: Extension) -> None:
    assert len(TARGETS + WEBPS) > module.MAX_SIZES
    assert from_planes(photo((4100, 3000)), TARGETS + WEBPS) is None


@pytest.mark.parametrize(("side", "is_made"), [(MAX_SIDE, True), (MAX_SIDE + 1, False)])
def test_webp_ends_at_16383_pixels(extension: Extension, side: int, is_made: bool) -> None:
    jpeg = pictures.saved(Image.new("RGB", (side, 2), (200, 30, 40)), "jpeg")
    assert (made_of(extension, jpeg, (side, 2)) is not None) is is_made


def with_libwebp(library: Path, folder: Path, patch: pytest.MonkeyPatch) -> Extension:
    """A copy of the extension, with this library."""
    patch.setattr(module, "libwebp", lambda: library)
    return Extension(Path(shutil.copy(LIBRARY, folder / "fast_jpeg.so")))


def stand_in(folder: Path, *, fits: bool) -> Path:
    """A library with libwebp's functions that encodes nothing, and has another interface unless it `fits`."""
    if shutil.which("gcc") is None:
        require("gcc", "it compiles a library that stands in for libwebp")
    source, library = folder / "libwebp.c", folder / "libwebp.so"
    starts = f"WebPConfigInitInternal(void) {{ return {fits:d}; }} int WebPPictureInitInternal(void) {{ return 1; }}"
    source.write_text(f"int {starts} int WebPEncode(void) {{ return 0; }}\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


LACKING: dict[str, Callable[[Path], Path]] = {
    "cannot open": lambda folder: folder / "missing.so",
    "no WebPConfigInitInternal": lambda _: LIBRARY,
    "another version": lambda folder: stand_in(folder, fits=False),
}


@pytest.mark.parametrize("words", LACKING)
def test_without_a_libwebp_that_fits_jpegs_are_made_all_the_same(
    extension: Extension, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = with_libwebp(LACKING[words](tmp_path), tmp_path, monkeypatch)
    assert words in str(lacking.lacking_webp)
    assert made_of(lacking, photo(), (300, 200)) is None
    monkeypatch.setattr(rendering, "loaded", lambda: lacking)
    assert from_planes(photo(), WEBPS) is None
    assert from_planes(photo()) is not None


def test_a_pillow_without_a_libwebp_of_its_own_says_so(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pillow.libs").mkdir()
    shutil.copy(module.libjpeg(), tmp_path / "pillow.libs")
    monkeypatch.setattr(PIL, "__path__", [str(tmp_path / "PIL")])
    lacking = Extension(Path(shutil.copy(LIBRARY, tmp_path / "fast_jpeg.so")))
    assert "Pillow brings no libwebp" in str(lacking.lacking_webp)


def test_what_libwebp_does_not_encode_is_left_to_libvips(
    extension: Extension, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = with_libwebp(stand_in(tmp_path, fits=True), tmp_path, monkeypatch)
    assert failing.lacking_webp is None
    monkeypatch.setattr(rendering, "loaded", lambda: failing)
    assert from_planes(photo(), WEBPS[:1]) is None
    assert from_planes(photo(), TARGETS[:1] + WEBPS[:1]) is None


@pytest.mark.asyncio(loop_scope="session")
async def test_workers_make_placeholders_in_srgb(extension: Extension, workers: Workers) -> None:
    (made,) = await rendered(workers, CASES["Display P3"](), PLACEHOLDER)
    assert "icc_profile" not in pictures.opened(made.data).info


@pytest.mark.asyncio(loop_scope="session")
async def test_workers_make_webps_of_it(extension: Extension, workers: Workers) -> None:
    (made,) = await rendered(workers, pictures.camera_photo(), target("medium", Format.WEBP))
    size = webp((made.width, made.height))
    assert [made.data] == extension.render(pictures.camera_photo(), [size], shrink=2, orientation=1)
