"""Wrong delete tokens: a client that sends many waits, and nobody else does."""

import asyncio

import pytest

from appliance.domain.errors import Busy, WrongToken
from appliance.http.keys import WRONG_TOKEN_DELAY
from appliance.http.wrong_token_delay import FREE_FAILURES, MAX_WAITING, WrongTokenDelay
from tests.support.host import Host, ManualClock, problem
from tests.support.images import pictures
from tests.support.waiting import until

LOCAL = "127.0.0.1"


class Sleep(list[float]):
    """A sleep that takes no time, and notes the seconds that it was asked for."""

    async def __call__(self, seconds: float) -> None:
        self.append(round(seconds, 3))


async def wrong(tokens: WrongTokenDelay, address: str) -> None:
    with pytest.raises(WrongToken):
        async with tokens.delayed(address):
            raise WrongToken("no")


async def test_each_wrong_token_beyond_some_doubles_the_delay() -> None:
    pauses = Sleep()
    tokens = WrongTokenDelay(ManualClock(), pauses)
    for _ in range(FREE_FAILURES + 9):
        await wrong(tokens, "203.0.113.9")
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    async with tokens.delayed("203.0.113.10"):
        pass
    assert len(pauses) == 9


async def test_addresses_are_forgotten() -> None:
    clock, pauses = ManualClock(), Sleep()
    tokens = WrongTokenDelay(clock, pauses, max_addresses=10)
    for _ in range(FREE_FAILURES):
        await wrong(tokens, "203.0.113.9")
    clock.forward(601)
    await wrong(tokens, "203.0.113.9")
    assert pauses == []
    for number in range(50):
        await wrong(tokens, f"198.51.100.{number}")
    assert len(tokens) == 10


async def test_only_a_few_of_one_address_wait_at_once() -> None:
    tokens = WrongTokenDelay()
    for _ in range(FREE_FAILURES):
        await wrong(tokens, "203.0.113.9")
    results = await asyncio.gather(*(wrong(tokens, "203.0.113.9") for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(result, Busy) for result in results) == 20 - MAX_WAITING


async def test_a_right_token_is_not_delayed_by_wrong_ones_from_its_address(host: Host, jpeg: bytes) -> None:
    """Two people behind one address, or behind a proxy that is not trusted."""
    wronged, own = await host.upload(jpeg), await host.upload(pictures.photo(seed=5))
    for _ in range(FREE_FAILURES):
        await problem(await host.delete(wronged["slug"], "wrong"), "token-wrong")
    waiting = [asyncio.ensure_future(host.delete(wronged["slug"], "wrong")) for _ in range(MAX_WAITING)]
    try:
        site = host.client.app
        assert site is not None
        known = site[WRONG_TOKEN_DELAY].failures_of(LOCAL)
        assert known is not None
        await until(lambda: known.waiting == MAX_WAITING)
        response = await host.patch(own["slug"], own["delete_token"], title="Mine")
        assert response.status == 200
        assert known.waiting > 1, "it did not wait for the others to end"
    finally:
        await asyncio.gather(*waiting)


async def test_a_wrong_token_for_what_is_locked_is_counted(host: Host, jpeg: bytes) -> None:
    image = await host.upload(jpeg, passphrase="a good one")
    path = f"/api/v1/images/{image['slug']}"
    site = host.client.app
    assert site is not None
    assert (await host.get(path)).status == 401
    assert site[WRONG_TOKEN_DELAY].failures_of(LOCAL) is None
    for guessed in (path, f"/i/{image['slug']}/small.jpg"):
        assert (await (await host.get(guessed, Authorization="Bearer wrong")).json())["code"] == "locked"
    known = site[WRONG_TOKEN_DELAY].failures_of(LOCAL)
    assert known is not None
    assert known.count == 2
    assert (await host.get(path, Authorization=f"Bearer {image['delete_token']}")).status == 200
    assert (await host.get(path, Authorization="Bearer wrong", X_Passphrase="a good one")).status == 200
    assert known.count == 2


async def test_wrong_tokens_are_counted_on_every_route(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await problem(await host.delete(slug, "wrong"), "token-wrong")
    await problem(await host.patch(slug, "wrong", title="Mine"), "token-wrong")
    for fields in ({"action": "delete"}, {"action": "restore"}, {"title": "Mine"}):
        response = await host.client.post(f"/i/{slug}/manage", data={"token": "wrong"} | fields)
        assert response.status == 403
    site = host.client.app
    assert site is not None
    known = site[WRONG_TOKEN_DELAY].failures_of(LOCAL)
    assert known is not None
    assert known.count == 5
