"""Which of the regions that wait for one image go into the next decode."""

import asyncio
import tempfile
from contextlib import AbstractContextManager
from typing import Any

import pytest

from appliance.delivery.region_renderer import RegionRenderer, in_turns
from appliance.domain.clients import Clients
from appliance.domain.errors import CannotResize, Stopping
from appliance.domain.regions import Cut, Quality, Region
from appliance.domain.renditions import Format, Priority
from appliance.workers.lease import Lease
from appliance.workers.work_queue import WorkQueue
from tests.support.limits import limits_off
from tests.support.rows import image


def cut(at: int) -> Cut:
    return Cut(Region(at, 0, 100, 100), 100, 100, False, 0, Quality.DEFAULT, Format.JPG)


def test_every_client_has_its_first_region_made_before_anybodys_second() -> None:
    asked = [*((at, ("flood",)) for at in range(5)), (5, ("other",)), (6, ("flood", "third")), (7, ("other",))]
    wanted = {cut(at): Clients(*clients) for at, clients in asked}
    assert [each.region.x for each in in_turns(wanted)] == [0, 5, 6, 1, 7, 2, 3, 4]


class FailsOnce:
    """Stands for the originals, the workers and what is remembered: the first original can't be read."""

    def __init__(self) -> None:
        self.remembering, self.remembered = asyncio.Event(), asyncio.Event()
        self.turns: list[tuple[str, ...]] = []
        self.queue = WorkQueue([1], max_waiting=10)

    def renderer(self) -> RegionRenderer:
        return RegionRenderer(
            heavy_memory_bytes=10**10,
            workers=self,  # type: ignore[arg-type]
            originals=self,  # type: ignore[arg-type]
            failures=self,  # type: ignore[arg-type]
            processor_budget=limits_off().processor,
        )

    async def file(self, _image: Any, clients: Clients) -> AbstractContextManager[Any]:
        self.turns.append(tuple(clients))
        if len(self.turns) == 1:
            fault = CannotResize("It is damaged.")
            fault.final = True
            raise fault
        return tempfile.TemporaryFile()

    async def remember(self, _image: Any, _fault: Any) -> None:
        self.remembering.set()
        await self.remembered.wait()

    def lease(self, _facts: Any, priority: Priority, clients: Clients, **_: Any) -> Lease["FailsOnce"]:
        return Lease(self.queue, priority, clients, lambda _slot: self)

    async def cut(self, _fd: int, _facts: Any, _material: Any, cuts: tuple[Cut, ...]) -> list[bytes]:
        return [b"a file"] * len(cuts)


async def test_a_decode_after_a_fault_is_not_in_the_turn_of_those_who_had_the_fault() -> None:
    parts = FailsOnce()
    renderer = parts.renderer()
    first = asyncio.create_task(renderer.render(image(), cut(1), Clients("gone")))
    async with asyncio.timeout(5):
        await parts.remembering.wait()
    second = asyncio.create_task(renderer.render(image(), cut(2), Clients("other")))
    await asyncio.sleep(0)
    parts.remembered.set()
    with pytest.raises(CannotResize):
        await first
    assert await second == b"a file"
    assert parts.turns == [("gone",), ("other",)]


class NeverDone(FailsOnce):
    """Every original can be read, and no decode ends by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()

    async def file(self, _image: Any, _clients: Clients) -> AbstractContextManager[Any]:
        return tempfile.TemporaryFile()

    async def cut(self, *_: Any) -> list[bytes]:
        self.begun.set()
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def test_stopping_answers_the_regions_of_the_decode_that_runs_and_of_the_next() -> None:
    parts = NeverDone()
    renderer = parts.renderer()
    running = asyncio.create_task(renderer.render(image(), cut(1), Clients("one")))
    async with asyncio.timeout(5):
        await parts.begun.wait()
    waiting = asyncio.create_task(renderer.render(image(), cut(2), Clients("other")))
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await renderer.close()
        ends = await asyncio.gather(running, waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [Stopping, Stopping]
    with pytest.raises(Stopping):
        await renderer.render(image(), cut(3), Clients("late"))
