"""How many requests begin in one turn of the event loop, of one client and of all."""

import asyncio

from appliance.http.transport.start_limiter import MAX_READS_PER_TURN, MAX_STARTS_PER_TURN, StartLimiter


async def begun_after(turns: int, tasks: list[asyncio.Task[None]]) -> int:
    for _ in range(turns):
        await asyncio.sleep(0)
    return sum(task.done() for task in tasks)


async def test_a_client_begins_a_few_in_each_turn_in_their_order() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    begun: list[int] = []

    async def one(number: int) -> None:
        await limiter.wait_for_turn("many")
        begun.append(number)

    tasks = [asyncio.create_task(one(number)) for number in range(10 * MAX_STARTS_PER_TURN)]
    assert await begun_after(1, tasks) == MAX_STARTS_PER_TURN
    assert await begun_after(3, tasks) <= 4 * MAX_STARTS_PER_TURN
    await asyncio.gather(*tasks)
    assert begun == sorted(begun)


async def test_another_client_does_not_wait_for_them() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    many = [asyncio.create_task(limiter.wait_for_turn("many")) for _ in range(1000)]
    other = asyncio.create_task(limiter.wait_for_turn("other"))
    assert await begun_after(1, [other]) == 1
    assert await begun_after(0, many) <= MAX_STARTS_PER_TURN
    await asyncio.gather(*many)


async def test_one_that_went_away_takes_nobodys_turn() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    tasks = [asyncio.create_task(limiter.wait_for_turn("many")) for _ in range(3 * MAX_STARTS_PER_TURN)]
    await asyncio.sleep(0)
    gone, left = tasks[MAX_STARTS_PER_TURN : 2 * MAX_STARTS_PER_TURN], tasks[2 * MAX_STARTS_PER_TURN :]
    for task in gone:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*left), 5)
    assert all(task.cancelled() for task in gone)


async def test_nothing_is_remembered_of_clients_that_have_begun() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    await asyncio.gather(*(limiter.wait_for_turn(f"client {number % 7}") for number in range(100)))
    await begun_after(3, [])
    assert limiter.clients == 0


async def test_of_many_clients_a_few_begin_in_each_turn() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    tasks = [asyncio.create_task(limiter.wait_for_turn(f"client {number}")) for number in range(4 * MAX_READS_PER_TURN)]
    assert await begun_after(1, tasks) == MAX_READS_PER_TURN
    await asyncio.gather(*tasks)


async def test_clients_that_wait_go_in_turns() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    begun: list[str] = []

    async def one(client: str) -> None:
        await limiter.wait_for_turn(client)
        begun.append(client)

    many = [f"client {number}" for number in range(MAX_READS_PER_TURN) for _ in range(100)]
    tasks = [asyncio.create_task(one(client)) for client in (*many, "late")]
    await asyncio.gather(*tasks)
    assert begun.index("late") < len(begun) // 4


async def test_clients_that_went_away_keep_nobody_waiting() -> None:
    limiter = StartLimiter(MAX_READS_PER_TURN)
    tasks = [asyncio.create_task(limiter.wait_for_turn(f"client {number}")) for number in range(4 * MAX_READS_PER_TURN)]
    await asyncio.sleep(0)
    for task in tasks[MAX_READS_PER_TURN:-1]:
        task.cancel()
    await asyncio.wait_for(tasks[-1], 5)


async def test_those_that_go_first_wait_for_none_that_came_before_them() -> None:
    limiter = StartLimiter(MAX_STARTS_PER_TURN)
    begun: list[str] = []

    async def one(client: str, is_first: bool) -> None:
        await limiter.wait_for_turn(client, lambda: is_first)
        begun.append(client)

    tasks = [asyncio.create_task(one(f"client {number}", is_first=False)) for number in range(100)]
    await asyncio.sleep(0)
    tasks.append(asyncio.create_task(one("first", is_first=True)))
    await asyncio.gather(*tasks)
    assert begun.index("first") <= 3 * MAX_STARTS_PER_TURN


async def test_those_that_go_first_keep_nobody_out() -> None:
    """One solution may come with very many requests at once: it counts as solved until the first of them spends it."""
    limiter = StartLimiter(MAX_STARTS_PER_TURN)
    others = [asyncio.create_task(limiter.wait_for_turn("before")) for _ in range(MAX_STARTS_PER_TURN)]
    many: list[asyncio.Task[None]] = []
    for _ in range(20):
        many += [asyncio.create_task(limiter.wait_for_turn("many", lambda: True)) for _ in range(MAX_STARTS_PER_TURN)]
        others.append(asyncio.create_task(limiter.wait_for_turn("other")))
        await asyncio.sleep(0)
    assert others[MAX_STARTS_PER_TURN].done()
    await asyncio.gather(*others, *many)


async def test_few_are_asked_in_a_turn_whether_they_go_first() -> None:
    limiter, asked = StartLimiter(MAX_STARTS_PER_TURN), list[int]()

    def goes_first() -> bool:
        asked.append(len(asked))
        return False

    tasks = [asyncio.create_task(limiter.wait_for_turn(f"client {number}", goes_first)) for number in range(100)]
    await asyncio.sleep(0)
    assert len(asked) == MAX_STARTS_PER_TURN
    await asyncio.gather(*tasks)
