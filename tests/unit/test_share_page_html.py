"""The share page without a script: the image, its sizes, what it says, and what link previews read."""

from dataclasses import replace

import pytest

from appliance.config.model import Renditions
from appliance.delivery import RenditionSummary
from appliance.domain.renditions import Format
from appliance.http.pages.localized_pages import LocalizedPages
from tests.support.rendered_page import CONFIG, PHOTO, SLUG, Page
from tests.support.rows import changed

PANORAMA = changed(PHOTO, media_type="image/tiff", original_only="It has 4.2 gigapixels; 1 gigapixel is the limit.")


def test_the_share_page_shows_the_image_in_its_sizes(pages: LocalizedPages) -> None:
    image = Page(pages.images.share_page(changed(PHOTO, alt="A cat"))).one("img", id="shown")
    # drawn as large as the screen has room, up to the original's size
    assert (image["width"], image["height"], image["alt"]) == ("2725", "2225", "A cat")
    assert image["srcset"] == ", ".join(
        f"/i/{SLUG}/{name}.jpg {width}w"
        for name, width in (("thumbnail", 256), ("small", 512), ("medium", 1024), ("large", 2048))
    )


def test_lighter_formats_are_named_once_they_are_made(pages: LocalizedPages) -> None:
    def sources(*names: str) -> list[dict[str, str]]:
        summary = RenditionSummary(dict.fromkeys(names, 1000))
        return Page(pages.images.share_page(PHOTO, summary)).all("source")

    assert sources("large.avif", "thumbnail.avif") == []  # too large for a phone, too small for a desk
    (phone,) = sources("medium-large.avif", "thumbnail.avif")
    assert (phone["type"], phone["media"]) == ("image/avif", "(max-width: 768px) and (min-resolution: 1.5dppx)")
    assert phone["srcset"] == f"/i/{SLUG}/thumbnail.avif 256w, /i/{SLUG}/medium-large.avif 1536w"
    avif, webp = sources("medium.avif", "medium-large.avif", "large.avif", "medium-large.webp")
    assert (avif["media"], webp["type"]) == ("(min-width: 512px), (min-resolution: 1.5dppx)", "image/webp")


def test_an_image_of_few_pixels_has_no_equal_rows_of_sizes(pages: LocalizedPages) -> None:
    page = pages.images.share_page(changed(PHOTO, width=16, height=16))
    assert page.count('<tr><th scope="row">') == 2  # one size, and the original


@pytest.mark.parametrize(("media_type", "offered"), [("image/heic", True), ("image/avif", True), ("image/png", False)])
def test_what_many_programs_cannot_open_is_offered_as_a_jpeg(
    pages: LocalizedPages, media_type: str, offered: bool
) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, media_type=media_type)))
    assert bool(page.all("a", href=f"/iiif/3/{SLUG}/full/max/0/default.jpg")) == offered


def test_a_small_image_is_listed_once_for_each_width(pages: LocalizedPages) -> None:
    image = Page(pages.images.share_page(changed(PHOTO, width=300, height=200))).one("img", id="shown")
    assert image["srcset"] == f"/i/{SLUG}/thumbnail.jpg 256w, /i/{SLUG}/small.jpg 300w"


@pytest.mark.parametrize(
    ("width", "srcset"),
    [
        (250, f"/i/{SLUG}/small.jpg 250w"),
        (900, f"/i/{SLUG}/small.jpg 512w, /i/{SLUG}/medium.jpg 900w"),
    ],
)
def test_no_part_of_a_tall_image_stands_for_all_of_it(pages: LocalizedPages, width: int, srcset: str) -> None:
    """Its thumbnail shows the top alone."""
    image = Page(pages.images.share_page(changed(PHOTO, width=width, height=3000))).one("img", id="shown")
    assert image["srcset"] == srcset


def test_the_share_page_links_every_size_and_the_original(pages: LocalizedPages) -> None:
    targets = {link["href"] for link in Page(pages.images.share_page(PHOTO)).all("a")}
    assert {
        f"/i/{SLUG}/{preset}.{ending}"
        for preset in ("thumbnail", "small", "medium", "medium-large", "large")
        for ending in ("jpg", "webp", "avif")
    } <= targets
    assert {f"/i/{SLUG}/original", f"/i/{SLUG}/original?download"} <= targets


def test_formats_that_are_not_configured_are_not_linked() -> None:
    config = replace(CONFIG, renditions=Renditions(formats=(Format.JPG, Format.WEBP)))
    assert ".avif" not in LocalizedPages(config).images.share_page(PHOTO)


def test_an_animated_image_says_so_and_is_linked_in_animated_formats(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, media_type="image/gif", frames=24)))
    assert "animated, 24 frames" in page.text
    targets = {link["href"] for link in page.all("a")}
    assert {f"/i/{SLUG}/small.webp", f"/i/{SLUG}/small.gif"} <= targets
    assert f"/i/{SLUG}/small.jpg" not in targets


def test_the_share_page_says_size_format_and_expiry_in_words(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(PHOTO))
    assert "2725 × 2225 pixels · 829 KB · JPEG" in page.text
    assert "23 November 2027 (in 12 months)" in page.text
    assert page.one("time")["datetime"] == "2027-11-23T16:02:08Z"


def test_the_share_page_has_metadata_for_link_previews(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, title="Cat", alt="A grey cat")))
    assert page.meta("og:title") == "Cat"
    assert page.meta("og:url") == page.one("link", rel="canonical")["href"] == f"https://pics.example/i/{SLUG}"
    assert page.meta("og:image") == f"https://pics.example/i/{SLUG}/preview.jpg"
    assert (page.meta("og:image:width"), page.meta("og:image:height")) == ("1024", "836")
    assert page.meta("og:image:type") == "image/jpeg"
    assert page.meta("og:image:alt") == page.meta("twitter:image:alt") == "A grey cat"
    assert page.meta("og:site_name") == "pics.example"
    assert page.meta("twitter:card") == "summary_large_image"
    assert page.one("link", type="application/json+oembed")["href"].startswith("https://pics.example/oembed?url=https")


@pytest.mark.parametrize("size", [(1080, 12_000), (200, 150)])
def test_a_small_preview_has_a_small_card(pages: LocalizedPages, size: tuple[int, int]) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, width=size[0], height=size[1])))
    assert page.meta("twitter:card") == "summary"


def test_an_original_only_page_says_why_and_offers_the_download(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(PANORAMA))
    assert "It has 4.2 gigapixels; 1 gigapixel is the limit." in page.text
    assert not page.all("img", id="shown")
    assert page.all("a", href=f"/i/{SLUG}/original?download")
    assert not [m for m in page.all("meta") if m.get("property") == "og:image"]


def test_a_click_on_what_browsers_cannot_show_leads_to_the_largest_size(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, media_type="image/heic")))
    assert page.one("a", id="frame")["href"] == f"/i/{SLUG}/large.jpg"


def test_names_in_any_script_keep_their_direction(pages: LocalizedPages) -> None:
    page = Page(pages.images.share_page(changed(PHOTO, title="قطة")))
    assert page.one("h1")["dir"] == "auto"
    assert page.one("input", name="title")["dir"] == "auto"
