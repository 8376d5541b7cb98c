"""Batches: jobs that wait together are done together, and each has one answer however they move between batches."""

import asyncio

import pytest

from appliance.delivery.batches import Batch, Batches
from appliance.domain.clients import Clients
from appliance.domain.errors import Busy, Stopping
from tests.support.rows import image

IMAGE = image()


class Workshop:
    """Does the jobs of a batch when it is told to, `at_once` at most; the rest waits for the next batch."""

    def __init__(self, at_once: int = 100) -> None:
        self.done: list[tuple[str, ...]] = []
        self.frozen = asyncio.Event()
        self.goes_on = asyncio.Event()
        self.faults: list[Exception] = []
        self._at_once = at_once
        self.batches: Batches[str, str, str] = Batches(self._work)

    async def _work(self, batch: Batch[str, str, str]) -> None:
        self.batches.freeze(batch)
        jobs = batch.jobs[: self._at_once]
        self.batches.postpone(batch, batch.jobs[self._at_once :])
        self.frozen.set()
        await self.goes_on.wait()
        if self.faults:
            raise self.faults.pop()
        self.done.append(jobs)
        for job in jobs:
            batch.fulfil(job, job.upper())

    def want(self, job: str, client: str = "client") -> "asyncio.Future[str]":
        return self.batches.want(IMAGE, "kind", job, Clients(client))


async def test_jobs_that_are_wanted_while_one_batch_is_worked_on_share_the_next() -> None:
    shop = Workshop()
    first = shop.want("a")
    await shop.frozen.wait()
    rest = [shop.want(job) for job in ("b", "c", "b")]
    shop.goes_on.set()
    assert await asyncio.gather(first, *rest) == ["A", "B", "C", "B"]
    assert shop.done == [("a",), ("b", "c")]


async def test_a_job_that_is_being_done_is_joined() -> None:
    shop = Workshop()
    first = shop.want("a")
    await shop.frozen.wait()
    assert shop.want("a", "other") is first
    shop.goes_on.set()
    assert await first == "A"
    assert shop.done == [("a",)]


async def test_postponed_jobs_are_done_in_the_turn_of_those_who_want_them() -> None:
    shop = Workshop(at_once=1)
    futures = [shop.want("a", "one"), shop.want("b", "two")]
    await shop.frozen.wait()
    rest = shop.batches.collecting(IMAGE, "kind")
    assert rest is not None
    assert list(rest.clients) == ["two"]
    shop.goes_on.set()
    assert await asyncio.gather(*futures) == ["A", "B"]
    assert shop.done == [("a",), ("b",)]


async def test_a_fault_answers_everyone_in_the_batch_and_nobody_in_the_next() -> None:
    shop = Workshop()
    shop.faults = [Busy("Too many wait.")]
    failing = [shop.want("a"), shop.want("b")]
    await shop.frozen.wait()
    later = shop.want("c")
    shop.goes_on.set()
    ends = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(end) for end in ends] == [Busy, Busy]
    assert await later == "C"


async def test_a_job_that_is_taken_from_another_batch_is_answered_in_both() -> None:
    ahead: Batch[str, str, str] = Batch(IMAGE, "view")
    behind: Batch[str, str, str] = Batch(IMAGE, "prewarm")
    both = [ahead.want("a", Clients("one")), behind.want("a", Clients("two"))]
    moved, left = behind.want("b", Clients("two")), behind.want("c", Clients("two"))
    ahead.take(behind, ["a", "b", "never wanted"])
    assert (ahead.jobs, behind.jobs) == (("a", "b"), ("c",))
    for job in ahead.jobs:
        ahead.fulfil(job, job.upper())
    assert await asyncio.gather(*both, moved) == ["A", "A", "B"]
    assert not left.done()


async def test_closing_answers_those_who_wait_and_takes_no_more() -> None:
    shop = Workshop()
    waiting = [shop.want("a")]
    await shop.frozen.wait()
    waiting.append(shop.want("b"))
    await shop.batches.close()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [Stopping, Stopping]
    with pytest.raises(Stopping):
        shop.want("c")
