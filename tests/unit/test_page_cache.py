"""Share pages that are shown again: rendered once, and anew as soon as they would say anything else."""

from dataclasses import replace

import pytest

from appliance.delivery import Glimpse
from appliance.http.pages import page_cache as kept_pages
from appliance.http.pages.page_cache import KeptPages
from appliance.http.pages.render import Pages
from tests.support.host import ManualClock
from tests.support.rendered_page import CONFIG, NOW_S, PHOTO

GLIMPSE = Glimpse({"small.jpg": 40_000}, b"a tiny picture")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(float(NOW_S))


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that were rendered."""
    names: list[str] = []
    render = Pages.render

    def counted(pages: Pages, template: str, **values: object) -> str:
        names.append(template)
        return render(pages, template, **values)

    monkeypatch.setattr(Pages, "render", counted)
    return names


def test_a_page_that_is_shown_again_is_not_rendered_again(clock: ManualClock, rendered: list[str]) -> None:
    kept = KeptPages(CONFIG, clock=clock)
    first = kept.share_page(PHOTO, GLIMPSE)
    assert kept.share_page(PHOTO, GLIMPSE) == first
    assert rendered == ["share.html"]
    assert first == Pages(CONFIG, clock=clock).share_page(PHOTO, GLIMPSE)


def test_whatever_a_page_shows_makes_it_another_page(clock: ManualClock) -> None:
    kept = KeptPages(CONFIG, clock=clock)
    shown = [
        kept.share_page(PHOTO, GLIMPSE),
        kept.share_page(replace(PHOTO, title="Kätzchen"), GLIMPSE),
        kept.share_page(PHOTO, Glimpse({"small.jpg": 40_000, "large.jpg": 300_000}, GLIMPSE.placeholder)),
        kept.share_page(PHOTO, Glimpse(GLIMPSE.sizes, b"another")),
    ]
    clock.forward(200 * 86_400)
    shown.append(kept.share_page(PHOTO, GLIMPSE))
    assert len(set(shown)) == len(shown)
    assert shown[-1] == Pages(CONFIG, clock=clock).share_page(PHOTO, GLIMPSE)


def test_the_longest_unused_page_goes_first(
    clock: ManualClock, rendered: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_pages, "LIMIT", 2)
    kept = KeptPages(CONFIG, clock=clock)
    one, two, three = (replace(PHOTO, slug=f"{number}{PHOTO.slug[1:]}") for number in range(3))
    for image in (one, two, one, three, one):
        kept.share_page(image, GLIMPSE)
    assert len(rendered) == 3
    kept.share_page(two, GLIMPSE)
    assert len(rendered) == 4
