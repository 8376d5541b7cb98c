"""Wrong delete tokens: who sends many waits, and nobody else does."""

import asyncio

import pytest

from appliance.domain.errors import Busy, WrongToken
from appliance.http import wrong_token_delay
from appliance.http.keys import WRONG_TOKENS
from appliance.http.wrong_token_delay import FREE, MAX_WAITING, WrongTokens
from tests.support.host import Host, ManualClock, problem
from tests.support.images import pictures
from tests.support.waiting import until


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited, each time."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds, 3))

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return waited


async def wrong(tokens: WrongTokens, address: str) -> None:
    with pytest.raises(WrongToken):
        async with tokens.patience(address):
            raise WrongToken("no")


async def test_each_wrong_token_beyond_some_doubles_the_pause(pauses: list[float]) -> None:
    tokens = WrongTokens(ManualClock())
    for _ in range(FREE + 9):
        await wrong(tokens, "203.0.113.9")
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    async with tokens.patience("203.0.113.10"):
        pass
    assert len(pauses) == 9


async def test_addresses_are_forgotten(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    tokens = WrongTokens(clock)
    for _ in range(FREE):
        await wrong(tokens, "203.0.113.9")
    clock.forward(601)
    await wrong(tokens, "203.0.113.9")
    assert pauses == []
    monkeypatch.setattr(wrong_token_delay, "MAX_ADDRESSES", 10)
    for number in range(50):
        await wrong(tokens, f"198.51.100.{number}")
    assert len(tokens._addresses) == 10


async def test_only_a_few_of_one_address_wait_at_once() -> None:
    tokens = WrongTokens()
    for _ in range(FREE):
        await wrong(tokens, "203.0.113.9")
    results = await asyncio.gather(*(wrong(tokens, "203.0.113.9") for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(result, Busy) for result in results) == 20 - MAX_WAITING


async def test_a_right_token_is_held_up_by_no_wrong_one_of_its_address(host: Host, jpeg: bytes) -> None:
    """Two people behind one address, or behind a proxy that is not trusted."""
    wronged, own = await host.upload(jpeg), await host.upload(pictures.photo(seed=5))
    for _ in range(FREE):
        await problem(await host.delete(wronged["slug"], "wrong"), "token-wrong")
    waiting = [asyncio.ensure_future(host.delete(wronged["slug"], "wrong")) for _ in range(MAX_WAITING)]
    try:
        site = host.client.app
        assert site is not None
        [known] = site[WRONG_TOKENS]._addresses.values()
        await until(lambda: known.waiting == MAX_WAITING)
        response = await host.patch(own["slug"], own["delete_token"], title="Mine")
        assert response.status == 200
        assert known.waiting > 1, "it did not wait for the others to end"
    finally:
        await asyncio.gather(*waiting)


async def test_the_host_counts_what_is_wrong_on_every_way(host: Host, jpeg: bytes) -> None:
    slug = (await host.upload(jpeg))["slug"]
    await problem(await host.delete(slug, "wrong"), "token-wrong")
    await problem(await host.patch(slug, "wrong", title="Mine"), "token-wrong")
    for fields in ({"action": "delete"}, {"action": "restore"}, {"title": "Mine"}):
        response = await host.client.post(f"/i/{slug}/manage", data={"token": "wrong"} | fields)
        assert response.status == 403
    site = host.client.app
    assert site is not None
    known = site[WRONG_TOKENS]._addresses
    assert [address.failures for address in known.values()] == [5]
