"""The queue before the workers' slots, where turns of the event loop decide: nobody waits before a free slot."""

import asyncio

from appliance.domain.clients import Clients
from appliance.domain.renditions import Priority
from appliance.workers.lease import Lease
from appliance.workers.limits import ResourceLimits
from appliance.workers.supervised_worker import SupervisedWorker
from appliance.workers.work_queue import WorkQueue


def lane_of_one() -> WorkQueue[SupervisedWorker]:
    return WorkQueue([SupervisedWorker(ResourceLimits(0, 0), lambda _reason: None)], max_waiting=10)


def place(lane: WorkQueue[SupervisedWorker]) -> Lease[SupervisedWorker]:
    return Lease(lane, Priority.VIEW, Clients(), lambda slot: slot)


async def entered(lane: WorkQueue[SupervisedWorker]) -> None:
    async with place(lane):
        """One turn."""


async def test_who_comes_as_another_leaves_gets_the_free_slot() -> None:
    lane = lane_of_one()
    holder = place(lane)
    await holder.__aenter__()
    leaving = asyncio.create_task(entered(lane))
    await asyncio.sleep(0)
    coming = asyncio.create_task(entered(lane))  # runs before the one that leaves has heard of it
    leaving.cancel()
    await holder.__aexit__(None, None, None)
    async with asyncio.timeout(5):
        await coming
        await entered(lane)
    assert (lane.busy, lane.waiting) == (0, 0)


async def test_a_slot_granted_to_one_who_leaves_goes_to_the_next() -> None:
    lane = lane_of_one()
    holder = place(lane)
    await holder.__aenter__()
    leaving, staying = asyncio.create_task(entered(lane)), asyncio.create_task(entered(lane))
    await asyncio.sleep(0)
    await holder.__aexit__(None, None, None)
    leaving.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(leaving, staying, return_exceptions=True)
        await entered(lane)
    assert (lane.busy, lane.waiting) == (0, 0)
