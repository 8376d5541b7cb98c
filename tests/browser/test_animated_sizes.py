"""Animated sizes show in a browser, frame by frame, what the original shows there."""

import itertools

import pytest

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site
from tests.support.images.gif_writer import BACKGROUND, KEEP, PREVIOUS, Frame, gif

SIZE = (64, 48)
_DISTANCES = """async ([one, other]) => {
    const frames = async address => {
        const reply = await fetch(address);
        const decoder = new ImageDecoder({data: await reply.arrayBuffer(), type: reply.headers.get("Content-Type")});
        await decoder.tracks.ready;
        await decoder.completed;
        const count = decoder.tracks.selectedTrack.frameCount;
        return Promise.all(Array.from({length: count}, (_, frameIndex) => decoder.decode({frameIndex})));
    };
    const onWhite = ({image}) => {
        const context = new OffscreenCanvas(image.displayWidth, image.displayHeight).getContext("2d");
        context.fillStyle = "white";
        context.fillRect(0, 0, image.displayWidth, image.displayHeight);
        context.drawImage(image, 0, 0);
        return context.getImageData(0, 0, image.displayWidth, image.displayHeight).data;
    };
    const [ours, theirs] = [await frames(one), await frames(other)];
    return theirs.map((frame, number) => {
        const [left, right] = [onWhite(ours[number]), onWhite(frame)];
        return left.reduce((sum, value, at) => sum + Math.abs(value - right[at]), 0) / left.length;
    });
}"""
"""How far each frame of one file is from the other's, as a mean over all samples."""


def animation(first: tuple[int, int, int, int], see_through: int | None) -> bytes:
    """Every way to dispose of a frame after every other one, on a small canvas."""
    ways = (BACKGROUND, KEEP, PREVIOUS, BACKGROUND, BACKGROUND, PREVIOUS, PREVIOUS, KEEP, KEEP, BACKGROUND, 0, KEEP)
    frames = [
        Frame((number % 5 * 8, number % 3 * 12, 28, 20), 1 + number % 3, way, see_through, other=(number + 2) % 4)
        for number, way in enumerate(ways)
    ]
    return gif(SIZE, Frame(first, 1, BACKGROUND, see_through, other=3), *frames)


@pytest.mark.parametrize(
    ("first", "see_through"), [*itertools.product([(0, 0, *SIZE), (8, 12, 36, 28)], [None, 0])], ids=str
)
async def test_frames_leave_what_they_leave_in_a_browser(
    site: Site, open_page: OpenPage, first: tuple[int, int, int, int], see_through: int | None
) -> None:
    image = await site.upload(animation(first, see_through), "moving.gif")
    address = f"/i/{image['slug']}"
    page = await open_page(address)
    for ending, off in (("gif", 1), ("webp", 8)):  # WebP has half as many colours across as pixels
        distances = await page.evaluate(_DISTANCES, [f"{address}/small.{ending}", f"{address}/original"])
        assert len(distances) == image["frames"] == 13
        assert max(distances) < off
