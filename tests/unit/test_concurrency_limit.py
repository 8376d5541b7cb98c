"""The concurrency limit: who gets a permit, and whose transfer ends for it."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from appliance.domain.errors import Busy
from appliance.shared.concurrency_limit import ConcurrencyLimit, Permit
from tests.support.waiting import until


async def held(limit: ConcurrencyLimit, client: str, entered: list[Permit]) -> str:
    """How holding a permit for ever ends."""
    try:
        async with limit.permit(client) as permit:
            entered.append(permit)
            await asyncio.Event().wait()
    except Busy as fault:
        return fault.detail
    return "never"


async def taken(limit: ConcurrencyLimit, client: str, count: int) -> tuple[list["asyncio.Task[str]"], list[Permit]]:
    entered: list[Permit] = []
    tasks = [asyncio.create_task(held(limit, client, entered)) for _ in range(count)]
    await until(lambda: len(entered) == count)
    return tasks, entered


async def test_the_slowest_of_the_address_with_most_ends_for_one_that_has_none() -> None:
    limit = ConcurrencyLimit("things are under way", 12, 5)
    many, their_permits = await taken(limit, "many", 8)
    few, _ = await taken(limit, "few", 4)
    now_s = asyncio.get_running_loop().time()
    for number, permit in enumerate(their_permits):
        permit.began_s = now_s - 100
        permit.moved(1000 if number == 5 else 100_000)
    async with limit.permit("none"):
        (ended,), _ = await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
        assert ended is many[5]
        assert "let another one in" in await ended
        assert limit.in_use == 12
    assert not any(task.done() for task in few)
    for task in [*many, *few]:
        task.cancel()
    await asyncio.gather(*many, *few, return_exceptions=True)
    assert limit.in_use == 0


async def test_a_transfer_too_young_to_tell_stays_while_an_older_one_is_there() -> None:
    limit = ConcurrencyLimit("things are under way", 8, 5)
    many, their_permits = await taken(limit, "many", 8)
    their_permits[3].began_s -= 100
    their_permits[3].moved(1_000_000)
    async with limit.permit("none"):
        (ended,), _ = await asyncio.wait(many, return_when=asyncio.FIRST_COMPLETED)
        assert ended is many[3]
    for task in many:
        task.cancel()
    await asyncio.gather(*many, return_exceptions=True)


async def test_no_transfer_ends_for_a_client_that_would_then_hold_as_many() -> None:
    limit = ConcurrencyLimit("things are under way", 2, 5)
    async with limit.permit("one"), limit.permit("other"):
        with pytest.raises(Busy) as told:
            limit.check("third")
        assert (told.value.limit, told.value.actual) == (2, 2)


async def test_an_address_has_its_share_at_most() -> None:
    limit = ConcurrencyLimit("things are under way", 100, 5)
    async with AsyncExitStack() as stack:
        for _ in range(25):
            await stack.enter_async_context(limit.permit("one"))
        with pytest.raises(Busy) as told:
            limit.check("one")
        assert told.value.limit == 25
        limit.check("other")


async def test_transfers_of_this_host_itself_never_end_for_a_client() -> None:
    limit = ConcurrencyLimit("things are under way", 3, 5)
    tasks, _ = await taken(limit, "", 3)
    with pytest.raises(Busy):
        limit.check("one")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_timeout_of_the_transfer_itself_stays_one() -> None:
    limit = ConcurrencyLimit("things are under way", 1, 5)
    with pytest.raises(TimeoutError):
        async with limit.permit("one"), asyncio.timeout(0):
            await asyncio.Event().wait()
    assert limit.in_use == 0
