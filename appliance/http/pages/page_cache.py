"""A cache of rendered share pages.

Rendering one blocks the event loop for about five milliseconds, as much as dozens of cached views. A page depends on
the image's row, its finished renditions, its remaining time in words and the language; when these are the same, the
page is too. Handlers look up the image before they ask for its page, so an expired one is never shown from here.
"""

from collections.abc import Callable, Hashable

from cachetools import LRUCache

MAX_PAGES = 512  # of about 20 KB each


class PageCache:
    """The most recently used pages, `max_pages` at most. Not thread-safe."""

    def __init__(self, max_pages: int = MAX_PAGES) -> None:
        self._pages: LRUCache[Hashable, str] = LRUCache(max_pages)

    def get_or_render(self, key: Hashable, render: Callable[[], str]) -> str:
        if (page := self._pages.get(key)) is None:
            page = self._pages[key] = render()
        return page
