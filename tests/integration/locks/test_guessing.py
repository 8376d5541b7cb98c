"""Guessing passphrases: who guesses is refused, and nobody else is kept out by it."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.config.model import Server
from appliance.domain.clients import Client
from appliance.locks import guesses, locksmith
from appliance.locks.guesses import BY_NETWORK_AND_LOCK
from appliance.locks.locksmith import MAX_CALLS
from appliance.shared.client_limiter import MIN_SHARE
from tests.support.host import CODES, Host, OpenHost
from tests.support.limits import only
from tests.support.proofs import solution

PASSPHRASE = "Käse und Brot"
MINE = "203.0.113.7"
HTML = {"Accept": "text/html"}
FEW = 4
BY_NETWORK = 6


@pytest.fixture
async def host(open_host: OpenHost, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A host with small limits on guesses at one lock, and by one network. X-Forwarded-For says who asks."""
    monkeypatch.setattr(guesses, "LOCK", replace(guesses.LOCK, quota=FEW))
    by_network = {"prefix-guesses": BY_NETWORK}
    senders = (replace(policy, quota=by_network.get(policy.name, policy.quota)) for policy in guesses.SENDERS)
    monkeypatch.setattr(guesses, "SENDERS", tuple(senders))
    return await open_host(limits=only(), server=Server(trusted_proxies=("127.0.0.1",)))


@pytest.fixture
async def mine(host: Host, jpeg: bytes) -> dict[str, Any]:
    return await host.upload(jpeg, passphrase=PASSPHRASE)


async def look(host: Host, slug: str, passphrase: str, address: str = MINE, **headers: str) -> ClientResponse:
    sent = {"X-Passphrase": passphrase, "X-Forwarded-For": address} | headers
    return await host.client.get(f"/api/v1/images/{slug}", headers=sent)


async def refusal(reply: ClientResponse, code: str) -> dict[str, Any]:
    body: dict[str, Any] = await reply.json()
    assert (body["code"], reply.status) == (code, CODES[code])
    return body


async def unlock(host: Host, slug: str, address: str = MINE, **fields: str) -> ClientResponse:
    headers = HTML | {"X-Forwarded-For": address}
    return await host.client.post(f"/i/{slug}/unlock", data=fields, headers=headers, allow_redirects=False)


async def guessed(host: Host, slug: str) -> None:
    """Somebody guesses from many networks."""
    for number in range(FEW):
        assert (await look(host, slug, "guess", f"198.51.{number}.1")).status == 403


async def use_free_tries(host: Host, slug: str, address: str = MINE) -> None:
    for _ in range(BY_NETWORK_AND_LOCK):
        await refusal(await look(host, slug, "mistyped", address), "passphrase-wrong")


async def test_guesses_from_many_networks_keep_nobody_out(host: Host, mine: dict[str, Any]) -> None:
    await guessed(host, mine["slug"])
    assert (await look(host, mine["slug"], PASSPHRASE)).status == 200
    page = await host.client.get(f"/i/{mine['slug']}", headers=HTML | {"X-Forwarded-For": MINE})
    assert "data-challenge" not in await page.text()
    assert (await unlock(host, mine["slug"], passphrase=PASSPHRASE)).status == 303
    kept = await host.client.get(f"/i/{mine['slug']}/small.jpg")
    assert kept.status == 200


async def test_a_network_that_guesses_a_guessed_lock_works_for_each_try(host: Host, mine: dict[str, Any]) -> None:
    await guessed(host, mine["slug"])
    await use_free_tries(host, mine["slug"])
    refused = await look(host, mine["slug"], PASSPHRASE)
    body = await refusal(refused, "proof-required")
    assert body["detail"].startswith("Too many wrong passphrases")
    assert refused.headers["Retry-After"] == "200"
    proof = {"Proof-Of-Work": solution(body["challenge"])}
    await refusal(await look(host, mine["slug"], "guess", **proof), "passphrase-wrong")
    again = await refusal(await look(host, mine["slug"], PASSPHRASE, **proof), "proof-required")
    assert "used before" in again["detail"]
    assert (await look(host, mine["slug"], PASSPHRASE, **{"Proof-Of-Work": solution(again["challenge"])})).status == 200
    host.clock.forward(400)
    assert (await look(host, mine["slug"], PASSPHRASE)).status == 200


async def test_its_page_brings_the_challenge_and_its_form_the_proof(
    host: Host, mine: dict[str, Any], jpeg: bytes
) -> None:
    slug = mine["slug"]
    await guessed(host, slug)
    await use_free_tries(host, slug)
    page = await host.client.get(f"/i/{slug}", headers=HTML | {"X-Forwarded-For": MINE})
    assert "data-challenge" in await page.text()
    refused = await unlock(host, slug, passphrase=PASSPHRASE)
    assert refused.status == 428
    assert "Enter yours again" in await refused.text()
    proof = solution((await refusal(await look(host, slug, "guess"), "proof-required"))["challenge"])
    assert (await unlock(host, slug, passphrase=PASSPHRASE, proof=proof)).status == 303
    other = await host.upload(jpeg, passphrase=PASSPHRASE)
    assert (await unlock(host, other["slug"], passphrase=PASSPHRASE)).status == 303


async def test_a_network_is_refused_however_many_addresses_it_has(
    host: Host, mine: dict[str, Any], jpeg: bytes
) -> None:
    other = await host.upload(jpeg, passphrase=PASSPHRASE)
    for number in range(BY_NETWORK):
        slug = (mine, other)[number % 2]["slug"]
        await refusal(await look(host, slug, "guess", f"198.51.100.{number}"), "passphrase-wrong")
    body = await refusal(await look(host, mine["slug"], PASSPHRASE, "198.51.100.250"), "too-many-guesses")
    assert body["limit"] == BY_NETWORK
    assert "prefix-guesses" in host.appliance.limits.refusals.report()
    assert (await look(host, mine["slug"], PASSPHRASE)).status == 200


async def test_a_flood_of_first_tries_leaves_half_of_the_lane_to_those_who_work(
    host: Host, mine: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locksmith, "MAX_UNPROVEN", 0)
    body = await refusal(await look(host, mine["slug"], PASSPHRASE), "proof-required")
    tries = [look(host, mine["slug"], PASSPHRASE, **{"Proof-Of-Work": solution(body["challenge"])}) for _ in range(2)]
    assert sorted(reply.status for reply in await asyncio.gather(*tries)) == [200, 428]


async def test_people_who_set_passphrases_hold_up_nobody_who_has_one(
    host: Host, mine: dict[str, Any], jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(locksmith, "lock_with", lambda _passphrase: gate.wait() and "")
    setters = [
        asyncio.create_task(host.appliance.locksmith.lock("mine", Client(f"198.51.{network}.1")))
        for network in range(MAX_CALLS // MIN_SHARE)
        for _ in range(MIN_SHARE)
    ]
    try:
        assert (await look(host, mine["slug"], PASSPHRASE)).status == 200
        sent = {"X-Passphrase": PASSPHRASE, "X-Forwarded-For": "198.51.0.1"}
        await refusal(await host.client.post("/api/v1/images", data=jpeg, headers=sent), "busy")
    finally:
        gate.set()
        await asyncio.gather(*setters)
