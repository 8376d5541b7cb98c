"""What an upload announces holds nobody else's share, and who shows a key in its form counts as that key."""

import asyncio
import io
from collections.abc import Awaitable, Callable

import pytest

from appliance.access.keys import NewKey
from appliance.config.model import MB
from appliance.domain.access_keys import KeyLimits
from appliance.domain.clock import DAY_S
from tests.support.access import form, minted
from tests.support.host import Host, bearer, problem
from tests.support.images import pictures
from tests.support.waiting import until

OpenLimited = Callable[..., Awaitable[Host]]
ONE, OTHER = "192.0.2.1", "198.51.100.1"


def padded(count: int) -> bytes:
    """A picture of so many bytes."""
    picture = pictures.photo(64, 48)
    return picture + bytes(count - len(picture))


def as_(client: str) -> dict[str, str]:
    return {"X-Forwarded-For": client}


async def announced(host: Host, length: int, client: str) -> asyncio.StreamWriter:
    """An upload that is let in, and of which only the beginning comes."""
    _, writer = await asyncio.open_connection("127.0.0.1", host.port)
    head = f"POST /api/v1/images HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\nContent-Length: {length}\r\n\r\n"
    before = host.appliance.admission.in_progress
    writer.write(head.encode() + bytes(1000))
    await until(lambda: host.appliance.admission.in_progress == before + 1)
    return writer


def used(host: Host, client: str, policy: str) -> int:
    return next(
        one.quota - left for one, left in host.appliance.limits.day_budgets.left_of(client) if one.name == policy
    )


@pytest.mark.parametrize("setting", ["anonymous_day_bytes", "anonymous_minute_bytes"])
async def test_what_is_announced_and_not_sent_keeps_nobody_else_out(open_limited: OpenLimited, setting: str) -> None:
    host = await open_limited(**{setting: 2 * MB})
    writers = [await announced(host, MB, f"192.0.{number}.1") for number in range(4)]
    refused = await host.client.post("/api/v1/images", data=io.BytesIO(padded(MB)), headers=as_(OTHER))
    assert refused.status == 201
    for writer in writers:
        writer.close()


async def test_what_was_announced_yesterday_is_not_given_back_to_today(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB)
    host.clock.forward(DAY_S - host.clock() % DAY_S - 10)
    writer = await announced(host, 2 * MB, ONE)
    assert used(host, ONE, "address-day-bytes") == 2 * MB
    host.clock.forward(20)
    assert (await host.client.post("/api/v1/images", data=padded(MB), headers=as_(ONE))).status == 201
    writer.close()
    await until(lambda: not host.appliance.admission.in_progress)
    assert used(host, ONE, "address-day-bytes") == MB


async def test_uploads_that_were_let_in_together_end_where_the_day_of_all_does(open_limited: OpenLimited) -> None:
    host = await open_limited(anonymous_day_bytes=2 * MB)
    replies = await asyncio.gather(
        *(
            host.client.post("/api/v1/images", data=io.BytesIO(padded(MB - 1000)), headers=as_(f"192.0.{number}.1"))
            for number in range(5)
        ),
        return_exceptions=True,
    )
    statuses = [0 if isinstance(reply, BaseException) else reply.status for reply in replies]
    assert set(statuses) <= {0, 201, 429}  # 0: the connection ends with the day
    assert 429 in statuses
    assert statuses.count(201) <= 2
    assert MB < used(host, ONE, "anonymous-day-bytes") <= 2 * MB, "all were let in, and most of the day was used"


@pytest.mark.parametrize("name", ["key", "api_key"])
async def test_a_key_in_a_field_of_the_form_counts_and_the_address_does_not(
    open_limited: OpenLimited, name: str
) -> None:
    host = await open_limited(key_day_bytes=10 * MB, address_day_bytes=10 * MB, anonymous_day_bytes=40 * MB)
    body = form(padded(MB), **{name: await minted(host)})
    reply = await host.client.post("/api/v1/images", data=body, headers=as_(ONE))
    assert reply.status == 201, await reply.text()
    assert [left for _, left in host.appliance.limits.day_budgets.left_of(ONE)] == [40 * MB, 10 * MB]
    [(key, _)] = await host.appliance.access_keys.all()
    [(_, left)] = host.appliance.limits.day_budgets.left_of(f"key:{key.id}")
    assert 8 * MB < left <= 9 * MB


async def test_a_key_in_a_field_has_its_own_day_and_what_it_refuses_counts_for_nobody_else(
    open_limited: OpenLimited,
) -> None:
    host = await open_limited(key_day_bytes=3 * MB, address_day_bytes=100 * MB)
    text = await minted(host)
    statuses = [
        (await host.client.post("/api/v1/images", data=form(padded(2 * MB), key=text), headers=as_(ONE))).status
        for _ in range(2)
    ]
    assert statuses == [201, 429]
    assert used(host, ONE, "address-day-bytes") == 0


async def test_what_no_day_has_room_for_is_not_put_off_until_tomorrow(open_limited: OpenLimited) -> None:
    host = await open_limited(prefix_day_bytes=100 * MB, anonymous_day_bytes=10 * MB)
    for length, limit in ((11 * MB, 10 * MB), (4 * MB, 3 * MB)):
        response = await host.client.post("/api/v1/uploads", headers=as_(ONE) | tus(length))
        body = await problem(response, "too-large")
        assert (body["limit"], "Retry-After" in response.headers) == (limit, False)
    assert (await host.client.post("/api/v1/uploads", headers=as_(ONE) | tus(3 * MB))).status == 201


async def test_a_file_that_fits_no_day_is_too_large_even_when_the_day_of_all_is_used_up(
    open_limited: OpenLimited,
) -> None:
    host = await open_limited(address_day_bytes=MB, anonymous_day_bytes=MB)
    assert (await host.client.post("/api/v1/images", data=padded(MB - 1000), headers=as_(OTHER))).status == 201
    await problem(await host.client.post("/api/v1/uploads", headers=as_(ONE) | tus(2 * MB)), "too-large")


async def test_a_file_that_fits_no_day_is_not_told_to_wait_for_a_minute(open_limited: OpenLimited) -> None:
    host = await open_limited(address_day_bytes=2 * MB, address_minute_bytes=MB)
    assert (await host.client.post("/api/v1/images", data=padded(MB), headers=as_(ONE))).status == 201
    await problem(await host.client.post("/api/v1/uploads", headers=as_(ONE) | tus(3 * MB)), "too-large")
    refused = await problem(await host.client.post("/api/v1/images", data=padded(MB), headers=as_(ONE)), "rate-limited")
    assert "accepts 1 MB a minute from one address. Continue in " in refused["detail"]


async def test_more_than_a_key_may_upload_in_a_day_is_too_large(open_limited: OpenLimited) -> None:
    host = await open_limited()
    _, text = await host.appliance.access_keys.add(NewKey("small", limits=KeyLimits(max_bytes_a_day=MB)))
    refused = await host.client.post("/api/v1/uploads", headers=bearer(text) | tus(MB + 1))
    assert (await problem(refused, "too-large"))["limit"] == MB


def tus(length: int) -> dict[str, str]:
    return {"Tus-Resumable": "1.0.0", "Upload-Length": str(length)}
