"""Requests that come together in one connection count one by one, whoever they say they are from."""

import re
from collections.abc import Awaitable, Callable

import pytest

from appliance.http.keys import WRONG_TOKEN_DELAY
from appliance.http.transport.start_limiter import StartLimiter
from appliance.uploads.admission import AdmissionRequest
from tests.support.host import Host
from tests.support.wire import wires

OpenLimited = Callable[..., Awaitable[Host]]


async def answers(host: Host, requests: list[bytes]) -> list[str]:
    """The statuses of what is sent at once; the last request ends the connection."""
    async with wires(host.port, 1) as [wire]:
        await wire.send(b"".join(requests))
        return re.findall(r"HTTP/1\.1 ([0-9]{3})", (await wire.rest()).decode(errors="replace"))


def upload(data: bytes, client: str, *lines: str) -> bytes:
    head = ["POST /api/v1/images HTTP/1.1", "Host: x", f"X-Forwarded-For: {client}", f"Content-Length: {len(data)}"]
    return "\r\n".join([*head, *lines, "", ""]).encode() + data


async def test_uploads_that_are_sent_without_waiting_count_one_by_one(open_limited: OpenLimited, jpeg: bytes) -> None:
    host = await open_limited(address_uploads=2)
    one = upload(jpeg, "192.0.2.1")
    assert await answers(host, [one, one, upload(jpeg, "192.0.2.1", "Connection: close")]) == ["201", "201", "429"]


async def test_each_upload_in_a_connection_counts_for_its_own_address(open_limited: OpenLimited, jpeg: bytes) -> None:
    host = await open_limited(address_uploads=1, prefix_uploads=2)
    hopping = [upload(jpeg, f"192.0.2.{number}") for number in range(3)]
    last = upload(jpeg, "198.51.100.1", "Connection: close")
    assert await answers(host, [*hopping, last]) == ["201", "201", "429", "201"]


async def test_none_of_those_that_wait_to_be_asked_for_their_body_passes(
    open_limited: OpenLimited, jpeg: bytes
) -> None:
    host = await open_limited(address_uploads=1)
    waiting = [upload(jpeg, "192.0.2.1", "Expect: 100-continue"), upload(jpeg, "192.0.2.1", "Connection: close")]
    assert await answers(host, waiting) == ["100", "201", "429"]


async def test_what_waits_to_be_asked_for_its_body_is_refused_and_counted_once(
    open_limited: OpenLimited, jpeg: bytes
) -> None:
    host = await open_limited(address_requests=5, address_uploads=1)
    await answers(host, [upload(jpeg, "192.0.2.1", "Connection: close")])
    waiting = "Expect: 100-continue", "Connection: close"
    assert await answers(host, [upload(jpeg, "192.0.2.1", *waiting)]) == ["429"]
    assert host.counted("limited_total", limit="address-uploads") == 1
    guess = f"X-API-Key: imgk_{0:040}"
    assert await answers(host, [upload(jpeg, "192.0.2.1", guess, *waiting)]) == ["401"]
    failures = host.client.app[WRONG_TOKEN_DELAY].failures_of("192.0.2.1")
    assert failures is not None
    assert failures.count == 1


async def test_an_overridden_method_is_refused_before_its_body_is_asked_for(open_limited: OpenLimited) -> None:
    host = await open_limited(address_requests=1)
    assert (await host.get("/api/v1/limits", X_Forwarded_For="192.0.2.1")).status == 200
    head = [
        *(f"POST /api/v1/uploads/{'x' * 22} HTTP/1.1", "Host: x", "X-Forwarded-For: 192.0.2.1"),
        *("X-HTTP-Method-Override: PATCH", "Tus-Resumable: 1.0.0", "Upload-Offset: 0", "Content-Length: 100000"),
        *("Expect: 100-continue", "Connection: close"),
    ]
    assert await answers(host, ["\r\n".join([*head, "", ""]).encode()]) == ["429"]


async def test_what_waits_to_be_asked_for_its_body_waits_for_its_turn_first(
    open_limited: OpenLimited, jpeg: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, steps = await open_limited(address_uploads=1), list[str]()
    check = host.appliance.admission.check

    async def wait_for_turn(_self: StartLimiter, _client: str, _goes_first: object = None) -> None:
        steps.append("turn")

    async def checked(request: AdmissionRequest) -> None:
        steps.append("admission")
        await check(request)

    monkeypatch.setattr(StartLimiter, "wait_for_turn", wait_for_turn)
    monkeypatch.setattr(host.appliance.admission, "check", checked)
    waiting = upload(jpeg, "192.0.2.1", "Expect: 100-continue", "Connection: close")
    assert await answers(host, [waiting]) == ["100", "201"]
    assert steps == ["turn", "admission"]
