"""Gathering: whether a view waits a moment for views of other sizes, which pages ask for together.

Without a pause the first size is often decoded alone, and the others a second time.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from appliance.domain.renditions import Target

PAUSE_S = 0.003
TOGETHER_S = 0.05
"""Views of two sizes that come within this time belong to one page."""
LATELY_S = 10.0
MAX_IMAGES = 8


@dataclass(slots=True)
class _FirstView:
    target: Target
    at_s: float
    has_company: bool = False


class Gathering:
    """Remembers of the last images to be viewed whether several of their sizes were wanted together."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._recent: OrderedDict[str, _FirstView] = OrderedDict()

    def note(self, slug: str, target: Target) -> None:
        """A size of the image is viewed that has to be made."""
        now_s, first = self._clock(), self._recent.get(slug)
        if first is not None and now_s - first.at_s <= TOGETHER_S:
            first.has_company |= target != first.target
            return
        self._recent[slug] = _FirstView(target, now_s)
        self._recent.move_to_end(slug)
        if len(self._recent) > MAX_IMAGES:
            self._recent.popitem(last=False)

    @property
    def pays(self) -> bool:
        """Whether of the last few seconds' images more were viewed in several sizes than in one."""
        now_s = self._clock()
        recent = [first for first in self._recent.values() if now_s - first.at_s <= LATELY_S]
        lone = [first for first in recent if not first.has_company and now_s - first.at_s > TOGETHER_S]
        return sum(first.has_company for first in recent) > len(lone)

    async def wait(self) -> None:
        """Wait for more sizes, where that pays."""
        if self.pays:
            await asyncio.sleep(PAUSE_S)
