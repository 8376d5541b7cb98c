"""One lock for each key: held by one at a time, and forgotten when nobody wants it."""

import asyncio

from appliance.shared.keyed_locks import KeyedLocks


async def test_a_key_is_held_by_one_at_a_time_however_many_wait() -> None:
    locks, held, most = KeyedLocks(), [], []

    async def hold(name: int) -> None:
        async with locks.holding("a"):
            held.append(name)
            most.append(len(held))
            await asyncio.sleep(0)
            held.remove(name)

    await asyncio.gather(*map(hold, range(5)), *map(hold, range(5, 10)))
    assert most == [1] * 10
    assert "a" not in locks


async def test_other_keys_do_not_wait() -> None:
    locks = KeyedLocks()
    async with locks.holding("a"), locks.holding("b"):
        assert "a" in locks
        assert "b" in locks
        assert "c" not in locks


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    locks = KeyedLocks()

    async def hold() -> None:
        async with locks.holding("a"):
            pass

    async with locks.holding("a"):
        waiting = asyncio.create_task(hold())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert "a" in locks
    assert "a" not in locks
