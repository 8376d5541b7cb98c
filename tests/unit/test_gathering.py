"""When a view waits for views of other sizes: while pages ask for several together, and never on an idle host."""

from appliance.config.model import Renditions
from appliance.delivery.gathering import LATELY_S, TOGETHER_S, Gathering
from appliance.domain.renditions import Format, Target

SMALL, LARGE = (Target(preset, Format.JPG) for preset in Renditions().presets[:2])


class Views:
    """Views that come one after another, on a clock of their own."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.gathering = Gathering(lambda: self.now_s)
        self._images = 0

    def image(self, *targets: Target) -> None:
        """The next image is viewed in these sizes, and then nothing for a second."""
        self._images += 1
        for target in targets:
            self.gathering.note(f"image {self._images}", target)
            self.now_s += TOGETHER_S / 2
        self.now_s += 1


def test_the_first_view_waits_for_nothing() -> None:
    views = Views()
    assert not views.gathering.pays
    views.gathering.note("image", SMALL)
    assert not views.gathering.pays


def test_views_wait_once_a_page_has_asked_for_two_sizes_together() -> None:
    views = Views()
    views.image(SMALL, LARGE)
    assert views.gathering.pays


def test_views_of_single_sizes_end_it() -> None:
    views = Views()
    views.image(SMALL, LARGE)
    views.image(SMALL)
    assert not views.gathering.pays
    for _ in range(8):
        views.image(SMALL, LARGE)
    assert views.gathering.pays


def test_a_lone_view_of_a_host_that_was_idle_waits_for_nothing() -> None:
    views = Views()
    views.image(SMALL, LARGE)
    views.now_s += LATELY_S
    assert not views.gathering.pays


def test_the_same_size_twice_is_no_reason_to_wait() -> None:
    views = Views()
    views.image(SMALL, SMALL)
    assert not views.gathering.pays


def test_a_size_that_comes_later_is_no_reason_to_wait() -> None:
    views = Views()
    views.gathering.note("image", SMALL)
    views.now_s += TOGETHER_S * 2
    views.gathering.note("image", LARGE)
    assert not views.gathering.pays
