"""Limits on uploads: compared before the body is read, counted as bytes come, and kept for the day."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import ClientError

from appliance.config.model import MB
from tests.support.host import Host, OpenHost, problem
from tests.support.images import pictures
from tests.support.limits import only
from tests.support.tus_client import Tus, half_sent
from tests.support.waiting import until

OpenLimited = Callable[..., Awaitable[Host]]
ONE, NEIGHBOUR, OTHER = "192.0.2.1", "192.0.2.2", "198.51.100.1"
DAY_S, SMALL = 86_400, 10_000


def as_(client: str) -> dict[str, str]:
    return {"X-Forwarded-For": client}


async def post(host: Host, data: bytes | AsyncIterator[bytes], client: str = ONE) -> tuple[int, str]:
    body = io.BytesIO(data) if isinstance(data, bytes) else data
    response = await host.client.post("/api/v1/images", data=body, headers=as_(client))
    return response.status, (await response.json()).get("code", "")


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65_536):
        yield data[start : start + 65_536]


def padded(count: int) -> bytes:
    """A picture of so many bytes."""
    picture = pictures.photo(64, 48)
    return picture + bytes(count - len(picture))


async def head_only(host: Host, length: int, client: str = ONE) -> bytes:
    """What is answered to the head of an upload that waits to be asked for its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    head = f"POST /api/v1/images HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\nContent-Length: {length}\r\n"
    writer.write(f"{head}Expect: 100-continue\r\n\r\n".encode())
    line = await asyncio.wait_for(reader.readline(), 20)
    writer.close()
    return line


async def test_images_a_minute_are_counted_however_they_come(open_limited: OpenLimited, jpeg: bytes) -> None:
    host = await open_limited(address_uploads=3)
    assert (await post(host, jpeg))[0] == 201
    created = [await Tus(host).post(100, headers=as_(ONE)) for _ in range(4)]
    assert [each.status for each in created] == [201, 201, 429, 429]
    assert await post(host, jpeg) == (429, "rate-limited")
    assert (await post(host, jpeg, OTHER))[0] == 201


async def test_an_upload_over_the_limit_is_refused_before_its_body_is_asked_for(open_limited: OpenLimited) -> None:
    host = await open_limited(address_minute_bytes=MB, address_requests=60)
    assert (await post(host, padded(MB)))[0] == 201
    assert b" 429 " in await head_only(host, 1000)
    assert b" 100 " in await head_only(host, 1000, OTHER)


async def test_everybody_without_a_key_shares_one_budget(open_limited: OpenLimited) -> None:
    host = await open_limited(anonymous_day_bytes=2 * MB)
    assert (await post(host, padded(MB), ONE))[0] == 201
    assert (await post(host, padded(MB), OTHER))[0] == 201
    assert await post(host, padded(SMALL), "203.0.113.1") == (429, "budget-spent")


async def test_no_network_uses_up_what_is_left_of_the_day(open_limited: OpenLimited) -> None:
    host = await open_limited(prefix_day_bytes=100 * MB, anonymous_day_bytes=10 * MB)
    assert [(await post(host, padded(MB), ONE))[0] for _ in range(3)] == [201] * 3
    assert await post(host, padded(SMALL), NEIGHBOUR) == (429, "budget-spent")
    for number in range(20):
        while (await post(host, padded(MB // 4), f"203.0.{number}.1"))[0] == 201:
            pass
    assert (await post(host, padded(SMALL), OTHER))[0] == 201


async def test_of_many_uploads_begun_at_once_no_more_come_in_than_one_by_one(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB)
    replies = await asyncio.gather(*(post(host, padded(MB // 2 + number)) for number in range(8)))
    assert sum(status == 201 for status, _ in replies) == 3
    assert {code for status, code in replies if status != 201} == {"budget-spent"}


async def test_what_was_announced_and_did_not_come_is_given_back(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB)
    reader, writer = await asyncio.open_connection("127.0.0.1", host.port)
    head = f"POST /api/v1/images HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {ONE}\r\nContent-Length: {2 * MB}\r\n\r\n"
    writer.write(head.encode() + bytes(1000))
    await until(lambda: host.appliance.admission.in_progress == 1)
    assert await post(host, padded(SMALL)) == (429, "budget-spent")
    writer.close()
    await until(lambda: host.appliance.admission.in_progress == 0)
    assert (await post(host, padded(2 * MB - SMALL)))[0] == 201
    assert await post(host, padded(SMALL)) == (429, "budget-spent")
    del reader


async def test_bytes_that_nobody_announced_end_where_the_day_ends(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB)
    with contextlib.suppress(ClientError):  # the reply may come while the client still sends
        assert (await post(host, chunks(padded(3 * MB))))[0] == 429
    assert await post(host, padded(2 * MB)) == (429, "budget-spent")
    assert host.files("spool/landed") == []


async def test_a_resumable_upload_over_its_rate_pauses_and_resumes(open_limited: OpenLimited) -> None:
    host = await open_limited(address_minute_bytes=2 * MB, address_day_bytes=20 * MB)
    tus, data = Tus(host), padded(6 * MB)
    created = await tus.post(len(data), headers=as_(ONE))
    where, pauses, offset = created.headers["Location"], 0, 0
    while offset < len(data):
        status = 0
        with contextlib.suppress(ClientError):
            paused = await tus.patch(where, offset, data[offset:], as_(ONE))
            status = paused.status
        offset = await tus.offset(where) if status != 204 else len(data)
        if offset < len(data):
            refused = await tus.patch(where, offset, data[offset:], as_(ONE))
            body = await problem(refused, "rate-limited")
            assert body["policy"] == "address-minute-bytes"
            pauses += 1
            host.clock.forward(int(refused.headers["Retry-After"]))
    assert pauses >= 2
    assert (await tus.state(where))["state"] == "done"


async def test_created_uploads_do_not_spend_the_day_but_their_bytes_do(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=MB)
    tus = Tus(host)
    places = [(await tus.post(MB, headers=as_(ONE))).headers["Location"] for _ in range(5)]
    assert (await tus.patch(places[0], 0, padded(MB), as_(ONE))).status == 204
    refused = await tus.patch(places[1], 0, padded(MB), as_(ONE))
    assert (await problem(refused, "budget-spent"))["policy"] == "address-day-bytes"
    assert await tus.offset(places[1]) == 0
    assert (await tus.post(1000, headers=as_(ONE))).status == 429


async def test_a_repeat_of_what_is_stored_is_answered_at_the_limit(open_limited: OpenLimited) -> None:
    host = await open_limited(
        address_uploads=1, address_minute_bytes=10 * MB, address_day_bytes=MB, proof_of_work="always"
    )

    async def send(data: bytes, key: str) -> tuple[int, dict[str, str]]:
        headers = {"Idempotency-Key": key, "Expect": "100-continue", **as_(ONE)}
        response = await host.client.post("/api/v1/images", data=data, headers=headers)
        return response.status, await response.json()

    first = await send(padded(MB), "the first one's key")
    assert first[0] == 201
    assert [await send(padded(MB), "the first one's key") for _ in range(8)] == [first] * 8
    assert (await send(padded(MB - 1), "the first one's key"))[0] == 422
    assert (await send(padded(SMALL), "the second one's key"))[0] == 429
    assert len(host.files("store/objects")) == 1


async def test_a_known_key_lets_no_other_file_past_the_limits(open_limited: OpenLimited) -> None:
    """Nor do repeats use up the day, of others least of all."""
    host = await open_limited(address_uploads=1, address_day_bytes=2 * MB, anonymous_day_bytes=20 * MB)

    async def send(data: bytes) -> int:
        headers = {"Idempotency-Key": "the one that is known", **as_(ONE)}
        return (await host.client.post("/api/v1/images", data=io.BytesIO(data), headers=headers)).status

    sizes = (SMALL, SMALL, 2 * MB, 2 * MB)
    assert [await send(padded(size)) for size in sizes] == [201, 201, 429, 429]
    for client in (ONE, OTHER):
        assert all(left > policy.quota - MB for policy, left in host.appliance.limits.day_budgets.left_of(client))


async def test_parts_count_once_and_not_again_when_they_are_joined(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=MB)
    tus, data = Tus(host), padded(MB)
    parts = [await tus.part(data[: MB // 2]), await tus.part(data[MB // 2 :])]
    final = await tus.post(headers={"Upload-Concat": f"final;{parts[0]} {parts[1]}", **as_(ONE)})
    assert final.status == 201, await final.text()


async def test_the_day_survives_a_restart_and_ends_at_midnight(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB, prefix_day_bytes=3 * MB)
    assert (await post(host, padded(2 * MB)))[0] == 201
    key = host.appliance.config.day_key_path
    first_key = key.read_bytes()
    await host.appliance.limits.day_budgets.save()
    again = await open_limited(address_day_bytes=2 * MB, prefix_day_bytes=3 * MB)
    assert await post(again, padded(SMALL)) == (429, "budget-spent")
    assert (await post(again, padded(MB), NEIGHBOUR))[0] == 201
    assert await post(again, padded(SMALL), NEIGHBOUR) == (429, "budget-spent")
    again.clock.forward(DAY_S)
    assert (await post(again, padded(2 * MB)))[0] == 201
    await again.appliance.limits.day_budgets.save()
    assert key.read_bytes() != first_key
    assert key.stat().st_mode & 0o077 == 0


async def test_a_clock_that_is_set_back_over_midnight_keeps_the_day(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB)
    host.clock.forward(DAY_S - host.clock() % DAY_S + 60)
    assert (await post(host, padded(2 * MB)))[0] == 201
    await host.appliance.limits.day_budgets.save()
    host.clock.forward(-3600)
    assert await post(host, padded(SMALL)) == (429, "budget-spent")
    again = await open_limited(address_day_bytes=2 * MB)
    again.clock.forward(host.clock() - again.clock())
    await again.appliance.limits.day_budgets.start()
    assert await post(again, padded(SMALL)) == (429, "budget-spent")
    again.clock.forward(3600)
    assert await post(again, padded(SMALL)) == (429, "budget-spent")
    again.clock.forward(DAY_S)
    assert (await post(again, padded(2 * MB)))[0] == 201


async def test_no_address_is_in_what_is_kept_for_the_day(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB)
    await post(host, padded(SMALL))
    await host.appliance.limits.day_budgets.save()
    day = int(host.clock() // DAY_S)
    names = list(await host.appliance.catalogue.day_budgets.load(day, 100))
    assert [len(name) for name in names] == [16]
    assert not any(ONE.encode() in path.read_bytes() for path in host.files(".") if path.name.startswith("catalogue"))


@pytest.mark.parametrize("mode", ["auto", "off"])
async def test_a_host_for_this_machine_alone_limits_nobody(open_host: OpenHost, jpeg: bytes, mode: str) -> None:
    host = await open_host(limits=replace(only(address_uploads=1, address_day_bytes=MB), mode=mode))
    assert [(await post(host, jpeg))[0] for _ in range(3)] == [201, 201, 201]
    assert not host.appliance.config.day_key_path.exists()


async def test_a_half_sent_patch_is_cut_where_the_rate_ends(open_limited: OpenLimited) -> None:
    host = await open_limited(address_minute_bytes=MB)
    tus = Tus(host)
    where = (await tus.post(50 * MB, headers=as_(ONE))).headers["Location"]
    with contextlib.suppress(ConnectionError):
        reader, writer = await half_sent(host.port, where, 0, 50 * MB, bytes(8 * MB), as_(ONE))
        assert b" 429 " in await asyncio.wait_for(reader.readline(), 20)
        writer.transport.abort()
    assert MB <= await tus.offset(where) < 4 * MB
