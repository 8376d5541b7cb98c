"""Files of very many parts: the inspectors say at once what they are, and are not held by any of them."""

import pytest

from appliance.domain.errors import UnreadableImage
from appliance.workers import Workers
from tests.support.images import crowded
from tests.support.workers import inspected

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (crowded.tiff(300_000), (16, 8)),
        (crowded.tiff(1000, unknown_tags=900), (16, 8)),
        (crowded.tiff(1, unknown_tags=4000), (16, 8)),
        (crowded.webp(20_000), (8, 8)),
    ],
    ids=["TIFF of 300,000 pages", "TIFF of 900,000 tags", "TIFF of 4,000 tags", "WebP of 20,000 frames"],
)
async def test_a_picture_of_too_many_parts_is_taken_but_not_resized(
    workers: Workers, data: bytes, size: tuple[int, int]
) -> None:
    deaths = workers.deaths
    facts = await inspected(workers, data)
    assert facts.refusal is not None
    assert "too many" in facts.refusal
    assert (facts.width, facts.height) == size
    assert workers.deaths == deaths


@pytest.mark.parametrize(
    "data",
    [crowded.avif(20_000), crowded.avif_of_tracks(300_000), crowded.tiff(1, unknown_tags=5000)],
    ids=["AVIF of 20,000 items", "AVIF of 300,000 tracks", "TIFF of 5,000 tags"],
)
async def test_what_has_more_parts_than_a_picture_is_refused_by_its_header(workers: Workers, data: bytes) -> None:
    deaths = workers.deaths
    with pytest.raises(UnreadableImage, match="It is damaged or incomplete"):
        await inspected(workers, data)
    assert workers.deaths == deaths


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (crowded.tiff(1000), 1000),
        (crowded.tiff(1, unknown_tags=900), 1),
        (crowded.webp(1000), 1000),
        (crowded.avif(500), 1),
        (crowded.gif(500_000), 500_000),
        (crowded.png(100_000), 1),
    ],
    ids=["TIFF pages", "TIFF tags", "WebP frames", "AVIF items", "GIF frames", "PNG texts"],
)
async def test_many_parts_that_are_read_fast_are_no_reason_to_refuse(
    workers: Workers, data: bytes, frames: int
) -> None:
    deaths = workers.deaths
    facts = await inspected(workers, data)
    assert facts.refusal is None
    assert facts.frames == frames
    assert workers.deaths == deaths
