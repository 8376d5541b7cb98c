"""Share pages that are shown again: rendered once, and again as soon as anything on them would change."""

from dataclasses import replace

import pytest

from appliance.delivery import RenditionSummary
from appliance.http.pages.localized_pages import LocalizedPages
from appliance.http.pages.page_cache import PageCache
from tests.support.host import ManualClock
from tests.support.rendered_page import CONFIG, NOW_S, PHOTO

SUMMARY = RenditionSummary({"small.jpg": 40_000}, b"a tiny image")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(float(NOW_S))


def test_a_page_that_is_shown_again_is_not_rendered_again(clock: ManualClock) -> None:
    images = LocalizedPages(CONFIG, clock=clock).images
    first = images.share_page(PHOTO, SUMMARY)
    assert images.share_page(PHOTO, SUMMARY) is first
    assert first == LocalizedPages(CONFIG, clock=clock).images.share_page(PHOTO, SUMMARY)


def test_whatever_a_page_shows_makes_it_another_page(clock: ManualClock) -> None:
    images = LocalizedPages(CONFIG, clock=clock).images
    shown = [
        images.share_page(PHOTO, SUMMARY),
        images.share_page(replace(PHOTO, title="Kätzchen"), SUMMARY),
        images.share_page(PHOTO, RenditionSummary({"small.jpg": 40_000, "large.jpg": 300_000}, SUMMARY.placeholder)),
        images.share_page(PHOTO, RenditionSummary(SUMMARY.sizes, b"another")),
    ]
    clock.forward(200 * 86_400)
    shown.append(images.share_page(PHOTO, SUMMARY))
    assert len(set(shown)) == len(shown)
    assert shown[-1] == LocalizedPages(CONFIG, clock=clock).images.share_page(PHOTO, SUMMARY)


def test_the_longest_unused_page_goes_first(clock: ManualClock) -> None:
    images = LocalizedPages(CONFIG, clock=clock, cache=PageCache(max_pages=2)).images
    one, two, three = (replace(PHOTO, slug=f"{number}{PHOTO.slug[1:]}") for number in range(3))
    first, second = images.share_page(one, SUMMARY), images.share_page(two, SUMMARY)
    assert images.share_page(one, SUMMARY) is first
    images.share_page(three, SUMMARY)
    assert images.share_page(one, SUMMARY) is first
    assert images.share_page(two, SUMMARY) is not second
