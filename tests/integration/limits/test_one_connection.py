"""Requests that come together in one connection count one by one, whoever they say they are from."""

import re
from collections.abc import Awaitable, Callable

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
