"""Limits on requests: the client that asks too often waits, and nobody else."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from appliance.domain.access_keys import generate_key
from appliance.domain.errors import UnknownInvite
from tests.support.access import minted
from tests.support.host import Host, problem

OpenLimited = Callable[..., Awaitable[Host]]
ONE, NEIGHBOUR, OTHER = "192.0.2.1", "192.0.2.2", "198.51.100.1"


async def ask(host: Host, client: str, path: str = "/api/v1/limits", **headers: str) -> int:
    return (await host.get(path, X_Forwarded_For=client, **headers)).status


async def asked(host: Host, client: str, times: int) -> list[int]:
    return [await ask(host, client) for _ in range(times)]


async def test_a_client_over_its_limit_is_told_which_and_for_how_long(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60)
    assert set(await asked(host, ONE, 60)) == {200}
    refused = await host.get("/api/v1/limits", X_Forwarded_For=ONE)
    body = await problem(refused, "rate-limited")
    assert (body["limit"], body["actual"], body["policy"], body["retry_after_s"]) == (60, 60, "address-requests", 1)
    assert refused.headers["Retry-After"] == "1"
    assert refused.headers["RateLimit-Policy"] == '"address-requests";q=60;w=60'
    assert refused.headers["RateLimit"] == '"address-requests";r=0;t=1'
    assert await ask(host, NEIGHBOUR) == await ask(host, OTHER) == 200
    assert host.counted("limited_total", limit="address-requests") == 1
    host.clock.forward(1)
    assert await asked(host, ONE, 2) == [200, 429]


async def test_many_addresses_of_one_network_count_together(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60, prefix_requests=60)
    hopping = [f"192.0.2.{number}" for number in range(61)]
    assert [await ask(host, client) for client in hopping].count(429) == 1
    hopping = [f"2001:db8:7:{number:x}::1" for number in range(61)]
    assert [await ask(host, client) for client in hopping].count(429) == 1
    assert await ask(host, OTHER) == await ask(host, "2001:db8:8::1") == 200


async def test_guessed_keys_count_as_requests_of_their_address(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=8)  # fewer than are answered at once
    guesses = [await ask(host, ONE, X_API_Key=generate_key()[1]) for _ in range(9)]
    assert guesses == [401] * 8 + [429]
    assert await ask(host, ONE) == 429
    assert await ask(host, OTHER) == 200


async def test_health_and_static_files_are_not_counted(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60)
    await asked(host, ONE, 61)
    assert await ask(host, ONE, "/healthz") == await ask(host, ONE, "/static/favicon.svg") == 200


async def test_a_page_counts_down_in_the_readers_language(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60)
    await asked(host, ONE, 61)
    refused = await host.get("/", X_Forwarded_For=ONE, Accept="text/html", Accept_Language="de")
    page = await refused.text()
    assert refused.status == 429
    assert 'data-seconds="1"' in page
    assert "Zu viele Anfragen" in page


async def test_the_status_tells_who_is_at_a_limit_by_network_alone(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60)
    await asked(host, ONE, 62)
    refusals = host.appliance.limits.refusals
    assert refusals.report() == {"address-requests": {"clients": 1, "most_refused": {"192.0.2.0/24": 2}}}
    assert host.counted("limited_clients") == 1
    host.clock.forward(61)
    assert refusals.report() == {}


async def test_a_proxy_that_does_not_tell_people_apart_is_not_limited_as_one_of_them(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60)
    assert {(await host.get("/api/v1/limits")).status for _ in range(70)} == {200}


async def test_nothing_is_looked_up_for_an_address_that_is_over_its_limit(
    open_limited: OpenLimited, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, looked_up = await open_limited(address_requests=60), list[str]()

    async def noted(secret: str) -> Any:
        looked_up.append(secret)
        raise UnknownInvite

    monkeypatch.setattr(host.appliance.access_keys, "authenticate", noted)
    monkeypatch.setattr(host.appliance.invites, "find", noted)
    assert await ask(host, ONE, X_Invite="x") == 404
    await asked(host, ONE, 60)
    looked_up.clear()
    for headers in ({"X_Invite": "x"}, {"X_API_Key": f"imgk_{0:040}"}):
        assert await ask(host, ONE, **headers) == 429
        assert await ask(host, ONE, "/static/favicon.svg", **headers) == 200
    assert looked_up == []


async def test_requests_with_a_key_count_for_the_key_and_not_for_the_address(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=60, key_requests=64)
    key = await minted(host)
    assert [await ask(host, ONE, X_API_Key=key) for _ in range(65)] == [200] * 64 + [429]
    assert await asked(host, ONE, 61) == [200] * 60 + [429]
    assert await ask(host, OTHER, X_API_Key=key) == 429
