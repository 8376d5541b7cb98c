"""Files made to do harm: each ends in a named error or in a picture, and the workers go on."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.domain.errors import ApplianceError, NotAnImage
from appliance.domain.renditions import Facts, Format
from appliance.workers import Workers
from tests.support.images import hostile, pictures
from tests.support.workers import ENDS, boxed, goes_on, inspected, outcome, rendered

pytestmark = pytest.mark.asyncio(loop_scope="session")

WHOLE: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.photo(400, 300),
    "progressive jpeg": lambda: pictures.photo(400, 300, progressive=True),
    "cmyk jpeg": pictures.cmyk_jpeg,
    "png": pictures.png,
    "interlaced png": pictures.interlaced_png,
    "alpha png": pictures.alpha_png,
    "gif": lambda: pictures.animated("gif"),
    "webp": pictures.webp,
    "animated webp": lambda: pictures.animated("webp"),
    "tiff": pictures.tiff,
    "avif": pictures.avif,
}
LIARS: dict[str, Callable[[int, int], bytes]] = {
    "jpeg": hostile.jpeg_claiming,
    "png": hostile.png_claiming,
    "gif": hostile.gif_claiming,
    "webp": hostile.webp_claiming,
    "tiff": hostile.tiff_claiming,
}


@pytest.mark.parametrize("name", list(WHOLE))
async def test_a_truncated_file_ends_in_an_error_or_a_picture(workers: Workers, name: str) -> None:
    deaths = workers.deaths
    outcomes = {await outcome(workers, part) for part in hostile.truncated(WHOLE[name]())}
    assert outcomes <= ENDS
    assert workers.deaths == deaths
    await goes_on(workers)


async def test_a_truncated_heic_ends_in_an_error_or_a_picture(workers: Workers) -> None:
    outcomes = {await outcome(workers, part) for part in hostile.truncated(pictures.heic())}
    assert outcomes <= ENDS
    await goes_on(workers)


async def test_the_first_half_of_a_jpeg_is_shown(workers: Workers) -> None:
    data = pictures.photo(800, 600)
    assert await outcome(workers, data[: len(data) // 2]) == "picture"


@pytest.mark.parametrize("name", list(LIARS))
async def test_a_header_that_claims_too_much_is_refused_before_decoding(workers: Workers, name: str) -> None:
    facts = None
    try:
        facts = await inspected(workers, LIARS[name](hostile.HUGE, hostile.HUGE))
    except ApplianceError as error:
        assert error.code == "unreadable-image"
    assert facts is None or facts.refusal is not None
    await goes_on(workers)


@pytest.mark.parametrize("name", list(LIARS))
async def test_a_lie_within_the_limits_costs_only_its_own_request(workers: Workers, name: str) -> None:
    assert await outcome(workers, LIARS[name](5000, 4000)) in ("picture", "cannot-resize", "unreadable-image")
    await goes_on(workers)


@pytest.mark.parametrize("name", list(LIARS))
async def test_facts_that_were_wrong_do_not_let_a_giant_through(workers: Workers, name: str) -> None:
    facts = Facts("image/png", 100, 100)
    assert await outcome(workers, LIARS[name](20_000, 20_000), facts) in ("picture", "cannot-resize")
    await goes_on(workers)


async def test_a_bomb_is_made_small_or_refused(workers: Workers) -> None:
    bomb = hostile.png_bomb()
    assert len(bomb) < 1_000_000
    assert (await inspected(workers, bomb)).refusal is None  # 900 million pixels are within the limit
    assert await outcome(workers, bomb) in ("picture", "cannot-resize")
    await goes_on(workers)


@pytest.mark.parametrize("polyglot", [hostile.gif_and_html, hostile.jpeg_and_zip])
async def test_what_is_appended_to_a_picture_is_not_in_its_renditions(
    workers: Workers, polyglot: Callable[[], bytes]
) -> None:
    for made in await rendered(workers, polyglot(), *(boxed(64, format) for format in Format)):
        assert b"<script>" not in made.data
        assert b"PK\x03\x04" not in made.data


async def test_random_bytes_behind_every_signature_are_survived(workers: Workers) -> None:
    chance = random.Random(20260101)
    for name, whole in WHOLE.items():
        for head in (12, 64, 200):
            outcomes = await outcome(workers, whole()[:head] + chance.randbytes(4000))
            assert outcomes in ENDS, name
    await goes_on(workers)


async def test_flipped_bits_are_survived(workers: Workers) -> None:
    chance = random.Random(7)
    for whole in WHOLE.values():
        for _ in range(6):
            data = bytearray(whole())
            for _ in range(10):
                data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            assert await outcome(workers, bytes(data)) in ENDS
    await goes_on(workers)


async def test_descriptors_do_not_leak(workers: Workers) -> None:
    async def round_trip() -> None:
        await outcome(workers, pictures.small_photo())
        await outcome(workers, pictures.webp()[:300])

    await round_trip()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(80):  # more than a worker may have open
        await round_trip()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_a_rendition_of_what_is_no_image_is_refused_by_name(workers: Workers) -> None:
    with pytest.raises(NotAnImage):
        await rendered(workers, b"no image", boxed(64, Format.JPG), facts=Facts("image/jpeg", 10, 10))
