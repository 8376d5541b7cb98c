"""How often the rendition cache looks at its disk, counted by its calls to threads."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from appliance.cache import Cache, Rendition
from tests.support.gates import gated
from tests.support.spool import slug
from tests.unit.test_cache import admit, has, on_disk

__all__ = ["on_disk"]


@pytest.fixture
def looks(on_disk: Cache, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls to threads of the cache's disk."""
    made: list[str] = []
    run = on_disk._disk._threads.run

    async def counted_run(call: Callable[..., Any], *arguments: Any) -> Any:
        made.append(call.__name__)
        return await run(call, *arguments)

    monkeypatch.setattr(on_disk._disk._threads, "run", counted_run)
    return made


async def test_the_disk_is_looked_at_once_for_an_image_that_it_has_nothing_of(on_disk: Cache, looks: list[str]) -> None:
    for name in ("small.jpg", "small.jpg", "large.jpg"):
        assert not await has(on_disk, 1, name)
    assert await on_disk.names(slug(1)) == frozenset()
    assert looks == ["_read"]
    assert await admit(on_disk, 1)
    assert await has(on_disk, 1)
    assert await on_disk.names(slug(1)) == {"small.jpg"}


async def test_an_image_whose_first_rendition_is_kept_during_a_look_is_not_taken_for_absent(
    on_disk: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = gated(monkeypatch, on_disk._disk._threads, "run", after=True)
    found = asyncio.ensure_future(on_disk.get(slug(1), "small.jpg"))
    await look.reached.wait()
    await admit(on_disk, 1)
    look.open()
    await found
    assert await has(on_disk, 1)


async def test_renditions_of_one_order_are_written_in_one_go(on_disk: Cache, looks: list[str]) -> None:
    ticket = on_disk.begin(slug(1))
    made = {f"{number}.jpg": Rendition.of(bytes(number)) for number in (1, 2, 3)}
    assert await on_disk.admit_all(ticket, made)
    on_disk.end(ticket)
    assert looks == ["_write_drafts"]
    assert [await on_disk.get(slug(1), name) for name in made] == list(made.values())
