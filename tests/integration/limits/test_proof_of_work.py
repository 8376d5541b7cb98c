"""Proof of work: while very much is uploaded, who has no key solves a challenge, or waits in the slow lane."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientResponse

from appliance.config.model import LimitsConfig
from appliance.domain.renditions import Priority
from appliance.http.authentication import PROOF_HEADER
from appliance.http.transport.start_limiter import StartLimiter
from appliance.workers.fairness import QueueTicket
from tests.support.access import BY_HEADER, Way, api_form, form, minted, raw
from tests.support.host import Host, OpenHost, bearer, problem
from tests.support.images import pictures
from tests.support.invites import guest, invited, token_of
from tests.support.proofs import solution
from tests.support.tus_client import Tus

OpenLimited = Callable[..., Awaitable[Host]]
ONE, NEIGHBOUR, OTHER = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2", "198.51.100.1"))
SLOW = 6


def image(number: int = 0) -> bytes:
    return pictures.png(9, 9 + number)


@pytest.fixture
async def asking(open_limited: OpenLimited) -> Host:
    """A host that asks everybody, whose slow lane this network has used."""
    host = await open_limited(proof_of_work="always")
    assert [(await raw(host, image(), ONE)).status for _ in range(SLOW + 1)] == [201] * SLOW + [428]
    return host


async def challenged(host: Host, headers: dict[str, str] = ONE) -> dict[str, Any]:
    body = await problem(await raw(host, image(), headers), "proof-required")
    return dict(body["challenge"])


def solved(challenge: dict[str, Any]) -> dict[str, str]:
    """The header with the solution."""
    return {PROOF_HEADER: solution(challenge)}


async def proof(host: Host, headers: dict[str, str] = ONE) -> dict[str, str]:
    return headers | solved(await challenged(host, headers))


@pytest.mark.parametrize("way", BY_HEADER)
async def test_every_way_to_upload_asks_and_takes_a_solution_once(asking: Host, way: Way) -> None:
    assert (await way(asking, image(), ONE)).status == 428
    proven = await proof(asking)
    assert (await way(asking, image(1), proven)).status < 300
    assert (await way(asking, image(2), proven)).status == 428


async def test_the_problem_has_a_challenge_and_says_when_to_try_again(asking: Host) -> None:
    refused = await raw(asking, image(), ONE)
    body = await problem(refused, "proof-required")
    assert body["challenge"]["parameters"]["data"]["network"] == "192.0.2.0/24"
    assert refused.headers["Retry-After"] == str(body["retry_after_s"])
    asking.clock.forward(body["retry_after_s"])
    assert [(await raw(asking, image(), ONE)).status for _ in range(2)] == [201, 428]


async def test_a_solution_is_for_the_network_alone_that_was_asked(asking: Host) -> None:
    proven = solved(await challenged(asking))
    for _ in range(SLOW):
        await raw(asking, image(), OTHER)
    refused = await problem(await raw(asking, image(), OTHER | proven), "proof-required")
    assert "not valid" in refused["detail"]
    assert (await raw(asking, image(), NEIGHBOUR | proven)).status == 201


async def test_who_solved_a_challenge_starts_before_others_who_wait(
    asking: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    proven, first = await proof(asking), list[bool]()

    async def wait_for_turn(_self: StartLimiter, _client: str, goes_first: Callable[[], bool]) -> None:
        first.append(goes_first())

    monkeypatch.setattr(StartLimiter, "wait_for_turn", wait_for_turn)
    for headers in (ONE, proven, ONE | {PROOF_HEADER: "forged"}, proven):
        await raw(asking, image(), headers)
    assert first == [False, True, False, False]


async def test_of_many_uploads_with_one_solution_one_comes_in(asking: Host) -> None:
    proven = await proof(asking)
    replies = await asyncio.gather(*(raw(asking, image(number), proven) for number in range(5)))
    assert sorted(reply.status for reply in replies) == [201, 428, 428, 428, 428]


async def test_a_solution_expires(asking: Host) -> None:
    proven = await proof(asking)
    asking.clock.forward(600)
    for _ in range(SLOW):
        await raw(asking, image(), ONE)
    await problem(await raw(asking, image(), proven), "proof-required")


async def test_keys_need_none_in_the_head_or_in_a_form(asking: Host) -> None:
    key = await minted(asking)
    assert (await raw(asking, image(), ONE | bearer(key))).status == 201
    sent = await asking.client.post("/api/v1/images", data=form(image(), key=key), headers=ONE)
    assert sent.status == 201
    assert (await api_form(asking, image(), ONE)).status == 428


async def test_guests_are_asked_like_everybody(asking: Host) -> None:
    key = bearer(await minted(asking))
    image_by_key = await (await raw(asking, image(), key)).json()
    made = await asking.client.post("/api/v1/albums", json={"images": [image_by_key["slug"]]}, headers=key)
    album = await made.json()
    invite = await invited(asking, album)
    headers = guest(invite) | ONE
    assert (await raw(asking, image(), headers)).status == 428
    assert (await raw(asking, image(1), headers | await proof(asking))).status == 201
    page = await asking.client.get(f"/c/{token_of(invite)}", headers=ONE | {"Accept": "text/html"})
    assert " data-proof>" in await page.text()


async def test_who_continues_an_upload_needs_none(asking: Host) -> None:
    client = Tus(asking)
    where = await client.created(await client.post(len(image()), headers=await proof(asking)))
    assert (await client.patch(where, 0, image())).status == 204


async def test_a_busy_network_is_asked_and_others_are_not(open_limited: OpenLimited) -> None:
    host = await open_limited(prefix_uploads=160, proof_of_work="auto")
    statuses = [(await raw(host, image(), ONE)).status for _ in range(10 + SLOW + 1)]
    assert statuses == [201] * (10 + SLOW) + [428]
    assert (await raw(host, image(), NEIGHBOUR)).status == 428
    assert (await raw(host, image(), OTHER)).status == 201
    host.clock.forward(60)
    assert (await raw(host, image(), ONE)).status == 201


async def test_everybody_is_asked_when_all_together_are_busy(open_limited: OpenLimited) -> None:
    host = await open_limited(anonymous_uploads=160, proof_of_work="auto")
    clients = [{"X-Forwarded-For": f"198.51.{number}.1"} for number in range(10)]
    assert [(await raw(host, image(), client)).status for client in clients] == [201] * 10
    assert [(await raw(host, image(), ONE)).status for _ in range(SLOW + 1)] == [201] * SLOW + [428]
    assert (await raw(host, image(), await proof(host))).status == 201


async def test_it_is_asked_for_as_long_as_a_flood_lasts(open_limited: OpenLimited) -> None:
    host = await open_limited(anonymous_uploads=160, proof_of_work="auto")
    statuses = [(await raw(host, image(), ONE)).status for _ in range(10 + SLOW + 20)]
    assert statuses == [201] * (10 + SLOW) + [428] * 20
    host.clock.forward(3)
    assert (await raw(host, image(), ONE)).status == 428
    host.clock.forward(10)
    assert (await raw(host, image(), ONE)).status == 201


async def test_several_images_in_one_form_count_one_by_one(asking: Host) -> None:
    several = form(image(1))
    several.add_field("file", image(2), filename="b.png")
    headers = await proof(asking) | {"Accept": "text/html"}
    page: ClientResponse = await asking.client.post("/", data=several, headers=headers)
    text = await page.text()
    assert page.status == 201
    assert "The server is receiving a lot of uploads." in text


async def test_a_page_without_a_script_says_what_to_do(asking: Host) -> None:
    sent = await asking.client.post("/", data=form(image()), headers=ONE | {"Accept": "text/html"})
    assert sent.status == 428
    assert "Wait a minute, then try again." in await sent.text()


async def test_by_default_it_is_asked_of_nobody_who_isnt_in_a_flood(open_host: OpenHost) -> None:
    host = await open_host(limits=LimitsConfig(mode="on"))
    assert {(await raw(host, image(), {})).status for _ in range(SLOW + 2)} == {201}


async def test_it_can_be_turned_off(open_limited: OpenLimited) -> None:
    host = await open_limited(prefix_uploads=20)
    assert [(await raw(host, image(), ONE)).status for _ in range(21)] == [201] * 20 + [429]


@pytest.mark.parametrize("way", BY_HEADER)
async def test_who_solved_goes_before_those_of_the_slow_lane(
    asking: Host, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = asking.appliance.workers.queues["inspect"]
    priorities, acquire = list[Priority](), lane.acquire

    async def noted(ticket: QueueTicket) -> Any:
        priorities.append(ticket.priority)
        return await acquire(ticket)

    monkeypatch.setattr(lane, "acquire", noted)
    proven, key = await proof(asking), bearer(await minted(asking))
    for headers, expected in ((OTHER, Priority.PREWARM), (proven, Priority.VIEW), (OTHER | key, Priority.VIEW)):
        priorities.clear()
        assert (await way(asking, image(1), headers)).status < 300
        assert set(priorities) == {expected}
