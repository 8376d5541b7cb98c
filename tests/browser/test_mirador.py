"""Mirador 4 opens our manifests: the whole image is on the screen, whatever sizes its arithmetic expects."""

import io

import pytest
from PIL import Image, ImageChops, ImageFilter, ImageStat
from playwright.async_api import Page

from tests.support.browser.chromium import OpenPage
from tests.support.browser.pages import Site, met
from tests.support.browser.viewer import UNEVEN
from tests.support.images import pictures
from tests.support.programs import mirador_bundle
from tests.support.waiting import until

pytestmark = pytest.mark.long
PAGE = """<!doctype html><html lang="en"><title>Mirador</title>
<style>#viewer { position: absolute; inset: 0 }</style><div id="viewer"></div></html>"""
OPEN = """manifestId => Mirador.viewer({
    id: "viewer", windows: [{ manifestId }], workspaceControlPanel: { enabled: false },
})"""
HIGH = {"width": 700, "height": 1100}
"""A screen on which nothing of Mirador's lies over a picture that is wider than high."""


@pytest.mark.parametrize("shape", UNEVEN)
async def test_mirador_shows_the_whole_image(site: Site, open_page: OpenPage, shape: tuple[int, int]) -> None:
    original = pictures.quarters(*shape)
    image = await site.upload(pictures.saved(original, "jpeg", quality=90))
    page = await open_page(viewport=HIGH)
    await page.route("**/mirador", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    await page.goto(f"{site.url}/mirador")
    await page.add_script_tag(path=mirador_bundle())
    await page.evaluate(OPEN, f"{site.url}/iiif/presentation/3/{image['slug']}/manifest.json")

    async def is_whole() -> bool:
        shown = await picture_in(page)
        return abs(shown.width / shown.height - shape[0] / shape[1]) < 0.01 and apart(shown, original) < 3

    await page.locator(".openseadragon-canvas").wait_for()
    await until(is_whole, "the whole image")
    met(page).clear()  # Mirador's own words about React


async def picture_in(page: Page) -> Image.Image:
    """What has colour on Mirador's canvas, but for lines as thin as those of letters."""
    canvas = Image.open(io.BytesIO(await page.locator(".openseadragon-canvas").screenshot())).convert("RGB")
    coloured = canvas.convert("HSV").getchannel("S").point(lambda value: 255 if value > 100 else 0)
    fields = coloured.filter(ImageFilter.MinFilter(5)).filter(ImageFilter.MaxFilter(5))
    return canvas.crop(fields.getbbox() or (0, 0, 1, 1))


def apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference, of 255."""
    difference = ImageChops.difference(one, other.resize(one.size, Image.Resampling.BOX))
    return sum(ImageStat.Stat(difference).mean) / 3
