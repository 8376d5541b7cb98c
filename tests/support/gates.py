"""Holding a race still at its worst moment: thin wrappers around real parts wait where the other side must pass."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import pytest

from appliance.domain.model import Image
from appliance.domain.renditions import Format, Target
from tests.support.host import Host
from tests.support.waiting import WITHIN_S


class _Reached(asyncio.Event):
    """Is waited for within bounds: a part that takes another way would let the test hang."""

    async def wait(self) -> Literal[True]:
        async with asyncio.timeout(WITHIN_S):
            return await super().wait()


class Gate:
    """Holds the first call of a part's method, before or after the real one, until it is opened."""

    def __init__(self, part: object, method: str, *, after: bool = False) -> None:
        self._real: Callable[..., Any] = getattr(part, method)
        self._after = after
        self.reached = _Reached()
        self._opened = asyncio.Event()

    async def __call__(self, *arguments: Any, **more: Any) -> Any:
        if self.reached.is_set():
            return await self._real(*arguments, **more)
        if self._after:
            result = await self._real(*arguments, **more)
            await self._hold()
            return result
        await self._hold()
        return await self._real(*arguments, **more)

    async def _hold(self) -> None:
        self.reached.set()
        async with asyncio.timeout(WITHIN_S):
            await self._opened.wait()

    def open(self) -> None:
        self._opened.set()


def gated(patch: pytest.MonkeyPatch, part: object, method: str, *, after: bool = False) -> Gate:
    """A gate in the place of a part's method, until the test's end."""
    gate = Gate(part, method, after=after)
    patch.setattr(part, method, gate)
    return gate


async def row(host: Host, slug: str) -> Image:
    found = await host.appliance.catalogue.images.get(slug)
    assert isinstance(found, Image)
    return found


def target(host: Host, preset: str) -> Target:
    found = host.appliance.config.renditions.preset(preset)
    assert found is not None
    return Target(found, Format.JPG)


async def gone_everywhere(host: Host, slug: str) -> None:
    assert [str(path) for path in host.files(".") if slug in str(path) and "tombstones" not in path.parts] == []
    for rest in ("/original", "/small.jpg", "/large.webp", "/thumbnail", ""):
        assert (await host.get(f"/i/{slug}{rest}")).status == 410
