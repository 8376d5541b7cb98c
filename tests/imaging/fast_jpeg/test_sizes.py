"""Sizes made from planes, compared with those that libvips makes of the same JPEG."""

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

import pytest
from PIL import Image, ImageOps

from appliance.config.model import Renditions
from appliance.domain import formats
from appliance.domain.renditions import Facts, Format, Target, shape
from appliance.imaging import inspection, profiles
from appliance.imaging.fast_jpeg import rendering
from appliance.imaging.fast_jpeg.extension import Extension
from appliance.imaging.matrices import D65, P3_XY
from appliance.imaging.profiles import Space
from appliance.imaging.render import render
from tests.support.images import pictures
from tests.support.images.distance import distance
from tests.support.images.private_pictures import segment
from tests.support.workers import MAX_PIXELS, in_memory

TARGETS = tuple(Target(preset, Format.JPG) for preset in Renditions().presets)
SAME = 2.5
"""Of 255: JPEG rounds otherwise, and libvips brings colours to the full size before it resizes them."""
OTHER_GAMMA = profiles.rgb_profile(P3_XY, D65, profiles.gamma_curve(1.8))


def photo(size: tuple[int, int] = (1501, 1001), mode: str = "RGB", **options: Any) -> bytes:
    picture = pictures.opened(pictures.small_photo("coffee")).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    return pictures.saved(picture.convert(mode), "jpeg", **({"quality": 92} | options))


def turned(orientation: int, size: tuple[int, int] = (1501, 1001)) -> bytes:
    exif = Image.Exif()
    exif[0x112] = orientation
    return photo(size, exif=exif)


def grey(factors: int, size: tuple[int, int] = (1501, 1001)) -> bytes:
    """With these sampling factors of its only component, for which they mean nothing (T.81, A.2.2)."""
    jpeg = bytearray(photo(size, mode="L"))
    jpeg[jpeg.index(b"\xff\xc0") + 11] = factors
    return bytes(jpeg)


def of_12_bits() -> bytes:
    jpeg = bytearray(photo())
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 1], jpeg[frame + 4] = 0xC1, 12
    return bytes(jpeg)


@contextmanager
def opened(data: bytes) -> Iterator[tuple[int, Facts]]:
    fd = in_memory(data)
    try:
        yield fd, inspection.inspect(fd, max_pixels=MAX_PIXELS, max_memory_bytes=2**31, animation_bytes=2**20)
    finally:
        os.close(fd)


def files_from_planes(data: bytes, targets: tuple[Target, ...]) -> dict[Target, bytes] | None:
    with opened(data) as (fd, facts):
        stills = {target: shape(facts.width, facts.height, target.preset) for target in targets}
        return rendering.made_from_planes(fd, formats.JPEG, stills)


def from_planes(data: bytes, targets: tuple[Target, ...] = TARGETS) -> dict[Target, Image.Image] | None:
    made = files_from_planes(data, targets)
    return None if made is None else {target: pictures.opened(file) for target, file in made.items()}


def files_by_libvips(data: bytes, patch: pytest.MonkeyPatch, targets: tuple[Target, ...]) -> dict[Target, bytes]:
    patch.setattr(rendering, "loaded", lambda: "switched off")
    with opened(data) as (fd, facts):
        return {one.target: one.data for one in render(fd, facts, targets, frozenset())}


def by_libvips(
    data: bytes, patch: pytest.MonkeyPatch, targets: tuple[Target, ...] = TARGETS
) -> dict[Target, Image.Image]:
    return {target: pictures.opened(file) for target, file in files_by_libvips(data, patch, targets).items()}


CASES: dict[str, Callable[[], bytes]] = {
    "a photograph": photo,
    "larger than every size": lambda: photo((4100, 3000)),
    "smaller than most": lambda: photo((300, 200)),
    "odd sides": lambda: photo((1333, 777)),
    "wide": lambda: photo((5000, 30)),
    "4:4:4": lambda: photo(subsampling="4:4:4"),
    "4:2:2": lambda: photo(subsampling="4:2:2"),
    "grey": lambda: photo(mode="L"),
    "grey that says 2 x 2": lambda: grey(0x22),
    "progressive": lambda: photo(progressive=True),
    "restart markers": lambda: photo(restart_marker_rows=1),
    "Display P3": lambda: photo(icc_profile=profiles.compact(Space.P3)),
    "grey that says Display P3": lambda: photo(mode="L", icc_profile=profiles.compact(Space.P3)),
    "grey that says Adobe RGB": lambda: photo(mode="L", icc_profile=profiles.compact(Space.ADOBE)),
    **{f"orientation {number}": partial(turned, number) for number in range(1, 9)},
    **{f"orientation {number}, even": partial(turned, number, (1600, 1200)) for number in (3, 6)},
}


def check(data: bytes, targets: tuple[Target, ...], patch: pytest.MonkeyPatch) -> None:
    made = from_planes(data, targets)
    assert made is not None
    for target, expected in by_libvips(data, patch, targets).items():
        assert (made[target].size, made[target].mode) == (expected.size, expected.mode)
        assert made[target].info.get("icc_profile") == expected.info.get("icc_profile")
        assert distance(made[target], expected) < SAME


@pytest.mark.parametrize("case", CASES)
def test_files_are_no_larger_than_those_of_libvips(
    extension: Extension, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = files_from_planes(CASES[case](), TARGETS)
    assert made is not None
    for target, other in files_by_libvips(CASES[case](), monkeypatch, TARGETS).items():
        assert len(made[target]) < 1.03 * len(other)


@pytest.mark.parametrize("case", CASES)
def test_sizes_look_as_libvips_makes_them(extension: Extension, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check(CASES[case](), TARGETS, monkeypatch)


@pytest.mark.parametrize("case", [case for case in CASES if case != "wide"])  # which has two rows then
def test_the_smallest_size_looks_so_when_it_is_made_alone(
    extension: Extension, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(CASES[case](), TARGETS[:1], monkeypatch)


def test_both_quantise_alike(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> None:
    made = from_planes(photo())
    assert made is not None
    for target, other in by_libvips(photo(), monkeypatch).items():
        assert vars(made[target])["quantization"] == vars(other)["quantization"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiny_image_is_turned(extension: Extension, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    data = pictures.saved(pictures.quarters(37, 23), "jpeg", quality=95, subsampling="4:4:4", exif=exif)
    made = from_planes(data)
    assert made is not None
    upright = ImageOps.exif_transpose(pictures.opened(data))
    assert all(distance(one, upright) < 15 for one in made.values())  # turned otherwise, it is over 40


@pytest.mark.parametrize("side", [1, 2, 7, 8, 9, 16, 17])
def test_a_few_pixels_are_enough(extension: Extension, side: int) -> None:
    red = Image.new("RGB", (side, 1), (200, 30, 40))
    made = from_planes(pictures.saved(red, "jpeg"))
    assert made is not None
    assert all(distance(one, red) < 2 for one in made.values())


LEFT: dict[str, Callable[[], bytes]] = {
    "CMYK": pictures.cmyk_jpeg,
    "a profile that is none of ours": lambda: photo(icc_profile=OTHER_GAMMA),
    "RGB without a transform": lambda: photo(keep_rgb=True),
    "12 bits": of_12_bits,
    "grey that says 4 x 4": lambda: grey(0x44),
    "cut short": lambda: photo()[:-20_000],
    "a damaged scan": lambda: photo()[:60_000] + b"\xff\x00\xff\xd3" * 20 + photo()[60_080:],
    "tall, of which the thumbnail shows the top": lambda: photo((300, 2000)),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_unusual_or_damaged_is_left_to_libvips(extension: Extension, case: str) -> None:
    assert from_planes(LEFT[case]()) is None


def no_memory(*_: object, **__: object) -> NoReturn:
    raise MemoryError


@pytest.mark.parametrize(("owner", "name"), [(Extension, "render"), (ctypes, "string_at")])
def test_where_memory_is_short_libvips_makes_them(
    extension: Extension, owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, name, no_memory)
    with opened(photo()) as (fd, facts):
        assert [one.target for one in render(fd, facts, TARGETS, frozenset())] == [*TARGETS]


def test_a_photo_with_a_gain_map_is_left_to_libvips_only_where_a_size_can_show_it(extension: Extension) -> None:
    plain = photo()
    hdr = plain[:2] + segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)) + plain[2:]
    thumbnail, small = TARGETS[:2]
    webp = Target(small.preset, Format.WEBP)
    assert files_from_planes(hdr, (thumbnail, webp)) is not None
    assert files_from_planes(hdr, (thumbnail, small)) is None


def test_other_formats_are_left_to_libvips(extension: Extension) -> None:
    with opened(photo()) as (fd, facts):
        stills = {target: shape(facts.width, facts.height, target.preset) for target in TARGETS}
        avif = Target(TARGETS[0].preset, Format.AVIF)
        assert rendering.made_from_planes(fd, formats.JPEG, stills | {avif: stills[TARGETS[0]]}) is None
        assert rendering.made_from_planes(fd, formats.PNG, stills) is None
