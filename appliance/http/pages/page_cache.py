"""Share pages that were shown of late: what is shown again as it was is not rendered again.

Rendering one costs the event loop some five milliseconds, as much as dozens of hot views. It shows an image's row, what
there is of its sizes, and how long it stays, in one language: where all of these are the same, so is the page. Whether
the image lives is asked before, on every view.
"""

from collections.abc import Callable
from functools import cached_property, lru_cache

from appliance.delivery import Glimpse
from appliance.domain.model import Image
from appliance.http.pages.render import Pages

Sizes = tuple[tuple[str, int], ...]
LIMIT = 512  # of some 20 KB each


class KeptPages(Pages):
    """As `Pages`; the longest unused share page goes first."""

    def share_page(self, image: Image, glimpse: Glimpse | None = None) -> str:
        """The page behind an image's link."""
        glimpse = glimpse or Glimpse()
        stays = self._words.expiry(image.expires_s, self._clock())
        return self._kept(image, tuple(sorted(glimpse.sizes.items())), glimpse.placeholder, stays)

    @cached_property
    def _kept(self) -> Callable[[Image, Sizes, bytes | None, str], str]:
        return lru_cache(LIMIT)(self._rendered)

    def _rendered(self, image: Image, sizes: Sizes, placeholder: bytes | None, _stays: str) -> str:
        return super().share_page(image, Glimpse(dict(sizes), placeholder))
