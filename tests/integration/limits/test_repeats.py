"""Repeats of an upload with its Idempotency-Key: free for whoever made it, a few times. Others are limited as ever."""

from collections.abc import Awaitable, Callable

from appliance.domain.clients import Client
from appliance.domain.clock import DAY_S
from appliance.limits.repeats import OF_A_NETWORK, OF_AN_UPLOAD, Repeats
from tests.support.access import minted
from tests.support.host import Host, ManualClock, bearer
from tests.support.images import pictures

OpenLimited = Callable[..., Awaitable[Host]]
ONE, NEIGHBOUR, OTHER = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2", "198.51.100.1"))
SLOW = 6


async def send(host: Host, headers: dict[str, str], key: str | None = "known to everybody") -> int:
    known = {} if key is None else {"Idempotency-Key": key}
    return (await host.client.post("/api/v1/images", data=pictures.png(9, 9), headers=known | headers)).status


async def test_a_known_key_brings_no_other_network_past_a_proof_of_work(open_limited: OpenLimited) -> None:
    host = await open_limited(proof_of_work="always")
    assert await send(host, ONE) == 201
    assert [await send(host, OTHER, None) for _ in range(3)] == [201] * 3
    host.clock.forward(10)  # the lane is free for everybody again, and has one place more for this network
    assert [await send(host, OTHER) for _ in range(SLOW)] == [201] * 4 + [428] * 2
    assert await send(host, NEIGHBOUR) == 201


async def test_a_known_key_brings_no_other_network_past_its_uploads_and_its_day(open_limited: OpenLimited) -> None:
    host = await open_limited(prefix_uploads=2, address_day_bytes=10**6)
    assert await send(host, ONE) == 201
    assert [await send(host, OTHER) for _ in range(3)] == [201, 201, 429]
    assert [await send(host, ONE) for _ in range(3)] == [201] * 3
    budgets = host.appliance.limits.day_budgets
    assert budgets.left_of("198.51.100.1")[0][1] < budgets.left_of("192.0.2.1")[0][1]


async def test_an_upload_is_repeated_a_few_times_before_it_counts_again(open_limited: OpenLimited) -> None:
    host = await open_limited(address_uploads=1)
    times = 1 + OF_AN_UPLOAD.quota
    assert [await send(host, ONE) for _ in range(times + 1)] == [201] * times + [429]
    host.clock.forward(30)  # one of twenty in ten minutes
    assert [await send(host, ONE) for _ in range(2)] == [201, 429]


async def test_who_has_the_access_key_repeats_from_anywhere(open_limited: OpenLimited) -> None:
    host = await open_limited(key_uploads=1)
    key = bearer(await minted(host))
    assert [await send(host, headers | key) for headers in (ONE, OTHER, ONE)] == [201] * 3
    assert await send(host, ONE | key, None) == 429


def test_a_network_repeats_a_bounded_number_of_uploads() -> None:
    repeats = Repeats(clock=lambda: 0.0)
    names = [f"{number}" for number in range(OF_A_NETWORK.quota + 1)]
    for name in names:
        repeats.remember(name, Client("192.0.2.1"))
    assert [repeats.take(name, Client("192.0.2.2")) for name in names] == [True] * OF_A_NETWORK.quota + [False]


def test_first_uploads_are_remembered_for_a_day() -> None:
    clock = ManualClock()
    repeats, client = Repeats(clock=clock), Client("192.0.2.1")
    repeats.remember("first", client)
    clock.forward(DAY_S)
    assert repeats.are_free("first", client)
    repeats.remember("second", client)
    assert len(repeats) == 1


def test_first_uploads_are_remembered_in_bounded_memory() -> None:
    repeats, client = Repeats(clock=lambda: 0.0, max_remembered=2), Client("192.0.2.1")
    for name in ("first", "second", "third"):
        repeats.remember(name, client)
    assert len(repeats) == 2
    assert [repeats.are_free(name, client) for name in ("first", "second", "third")] == [False, True, True]
