"""Challenges ahead of an upload: while a proof of work is asked for, its first request brings one and isn't refused."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from appliance.http.authentication import PROOF_HEADER
from appliance.http.transport.start_limiter import StartLimiter
from tests.support.access import BY_HEADER, Way, minted, raw
from tests.support.host import Host, bearer, problem
from tests.support.images import pictures
from tests.support.proofs import solution
from tests.support.tus_client import Tus

OpenLimited = Callable[..., Awaitable[Host]]
ONE, OTHER = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "198.51.100.1"))
HOT, SLOW = 10, 6


def image(number: int = 0) -> bytes:
    return pictures.png(9, 9 + number)


async def ahead(host: Host, headers: dict[str, str] = ONE) -> dict[str, Any]:
    reply = await host.client.get("/api/v1/challenge", headers=headers)
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    return dict(await reply.json())


async def proven(host: Host, headers: dict[str, str] = ONE) -> dict[str, str]:
    """The headers of an upload with the solution of a challenge that was fetched ahead."""
    return headers | {PROOF_HEADER: solution((await ahead(host, headers))["challenge"])}


@pytest.fixture
async def quiet(open_limited: OpenLimited) -> Host:
    """A host that asks a network once it has uploaded ten images at once."""
    return await open_limited(prefix_uploads=16 * HOT, proof_of_work="auto")


@pytest.fixture
async def hot(quiet: Host) -> Host:
    """The same, where one network has done so, and used its slow lane too."""
    assert [(await raw(quiet, image(), ONE)).status for _ in range(HOT + SLOW)] == [201] * (HOT + SLOW)
    return quiet


async def test_there_is_none_while_nothing_is_hot(quiet: Host) -> None:
    assert await ahead(quiet) == {"challenge": None, "valid_s": 600}


async def test_it_is_for_those_alone_who_are_asked(hot: Host) -> None:
    assert (await ahead(hot))["challenge"]["parameters"]["data"]["network"] == "192.0.2.0/24"
    assert (await ahead(hot, OTHER))["challenge"] is None
    assert (await ahead(hot, ONE | bearer(await minted(hot))))["challenge"] is None


@pytest.mark.parametrize("way", BY_HEADER)
async def test_the_first_request_comes_in_with_its_solution(hot: Host, way: Way) -> None:
    assert (await way(hot, image(1), await proven(hot))).status < 300


async def test_it_counts_once(hot: Host) -> None:
    headers = await proven(hot)
    assert (await raw(hot, image(1), headers)).status == 201
    await problem(await raw(hot, image(2), headers), "proof-required")


async def test_it_expires(hot: Host) -> None:
    headers = await proven(hot)
    hot.clock.forward((await ahead(hot))["valid_s"])
    for _ in range(HOT + SLOW):
        await raw(hot, image(), ONE)
    refused = await problem(await raw(hot, image(1), headers), "proof-required")
    assert "not valid" in refused["detail"]


async def test_one_that_is_forged_brings_a_challenge_that_isnt(hot: Host) -> None:
    forged = dict((await ahead(hot))["challenge"], signature="0" * 64)
    refused = await problem(await raw(hot, image(1), ONE | {PROOF_HEADER: solution(forged)}), "proof-required")
    assert (await raw(hot, image(1), ONE | {PROOF_HEADER: solution(refused["challenge"])})).status == 201


async def test_the_upload_page_says_whether_to_fetch_one(hot: Host) -> None:
    pages = [await hot.client.get("/", headers=headers | {"Accept": "text/html"}) for headers in (ONE, OTHER)]
    assert [" data-proof>" in await page.text() for page in pages] == [True, False]
    assert [page.headers["Cache-Control"] == "no-store" for page in pages] == [True, False]


async def test_asking_for_one_stands_in_the_queue_of_views(hot: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[StartLimiter]()

    async def wait_for_turn(self: StartLimiter, _client: str, _goes_first: object = None) -> None:
        asked.append(self)

    monkeypatch.setattr(StartLimiter, "wait_for_turn", wait_for_turn)
    await ahead(hot)
    await hot.get("/healthz")
    await raw(hot, image(), ONE)
    challenge, view, upload = asked
    assert challenge is view is not upload


async def test_the_bytes_of_an_upload_that_was_begun_with_a_solution_go_first(
    hot: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    tus, began = Tus(hot), list[bool]()
    with_proof = await tus.created(await tus.post(len(image()), headers=await proven(hot)))
    without = await tus.created(await tus.post(len(image()), headers=OTHER))

    async def wait_for_turn(_self: StartLimiter, _client: str, goes_first: Callable[[], bool]) -> None:
        began.append(goes_first())

    monkeypatch.setattr(StartLimiter, "wait_for_turn", wait_for_turn)
    for where in (with_proof, without, "/api/v1/uploads/nothing"):
        await tus.patch(where, 0, image())
    await tus.patch(with_proof, 0, image())  # it has ended
    assert began == [True, False, False, False]
