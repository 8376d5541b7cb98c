"""Viewers of large images: the view that a link names, and how much of `pictures.quarters()` is on the screen."""

import io

from PIL import Image
from playwright.async_api import Page

from tests.support.images import pictures

UNEVEN = [(4160, 3120), (4000, 3000), (6000, 4500), (3073, 3073)]
"""Shapes of which viewers cut off an edge when a size isn't what their arithmetic expects."""
_NEAR = 30


def region(address: str) -> list[int]:
    return [int(each) for each in address.partition("#xywh=")[2].split(",")]


async def shows_both_halves(page: Page, across: bool) -> bool:
    """Whether `quarters()` is on the screen with both halves as large, in width or in height."""
    runs = _runs(Image.open(io.BytesIO(await page.screenshot())).convert("RGB"), across)
    return min(runs) > 100 and abs(runs[0] - runs[1]) <= 4


def _runs(shown: Image.Image, across: bool) -> list[int]:
    """How many pixels the two colours have that meet in the middle, along a row or a column."""
    wanted = (pictures.RED, pictures.GREEN) if across else (pictures.RED, pictures.BLUE)
    places = [(x, y) for x in range(0, shown.width, 8) for y in range(0, shown.height, 8)]
    red = [place for place in places if _is_near(shown, place, pictures.RED)]
    if not red:  # nothing has come yet
        return [0, 0]
    x, y = red[len(red) // 2]
    line = [(each, y) for each in range(shown.width)] if across else [(x, each) for each in range(shown.height)]
    return [sum(_is_near(shown, place, colour) for place in line) for colour in wanted]


def _is_near(image: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    found = image.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(one - other) < _NEAR for one, other in zip(found, colour, strict=True))
