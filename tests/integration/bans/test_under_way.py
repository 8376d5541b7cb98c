"""A ban ends what is under way: no byte is kept after it, and no image is made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import ClientError

from appliance.access.bans import NewBan
from appliance.config.model import Config, LimitsConfig, Server
from appliance.domain.tokens import hash_secret
from tests.support.access import minted
from tests.support.gates import Gate
from tests.support.host import DAY_S, Host, ManualClock, OpenHost, bearer, problem, running
from tests.support.tus_client import Tus
from tests.support.waiting import until

BANNED = {"X-Forwarded-For": "192.0.2.1"}
ADDRESS, KEY = "192.0.2.0/24", "scanner"


OTHER = {"X-Forwarded-For": "203.0.113.9"}
BEHIND_PROXY = Server(trusted_proxies=("127.0.0.1",))
"""So that a test can be many clients."""


@pytest.fixture
def limited(config: Config) -> Config:
    """With limits, so that there is a key of the day."""
    return replace(config, server=BEHIND_PROXY, limits=LimitsConfig(mode="on"))


@pytest.fixture
async def proxied(open_host: OpenHost) -> Host:
    return await open_host(server=BEHIND_PROXY)


async def ban(host: Host, whom: str) -> None:
    await host.appliance.bans.add(NewBan(whom))


async def nothing_is_left(host: Host) -> bool:
    return not await host.appliance.catalogue.images.page() and not host.files("spool/landed")


@pytest.mark.parametrize("whom", [ADDRESS, KEY])
async def test_an_upload_ends_with_the_next_byte_that_comes(proxied: Host, jpeg: bytes, whom: str) -> None:
    key = bearer(await minted(proxied))

    async def body() -> AsyncIterator[bytes]:
        yield jpeg[:1000]
        await until(lambda: proxied.appliance.admission.in_progress == 1)
        await ban(proxied, whom)
        yield jpeg[1000:]

    with suppress(ClientError):  # the reply may come while the client still sends
        refused = await proxied.client.post("/api/v1/images", data=body(), headers=BANNED | key)
        await problem(refused, "banned")
    assert await nothing_is_left(proxied)


@pytest.mark.parametrize("whom", [ADDRESS, KEY])
async def test_what_has_come_makes_no_image(
    proxied: Host, jpeg: bytes, whom: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(proxied.appliance.workers, "examine", after=True)
    monkeypatch.setattr(proxied.appliance.workers, "examine", gate)
    headers = BANNED | bearer(await minted(proxied))
    reply = asyncio.create_task(proxied.client.post("/api/v1/images", data=jpeg, headers=headers))
    await gate.reached.wait()
    await ban(proxied, whom)
    gate.open()
    await problem(await reply, "banned")
    assert await nothing_is_left(proxied)


async def continued(host: Host, where: str, offset: int, data: bytes, headers: dict[str, str]) -> int:
    return (await Tus(host).patch(where, offset, data, headers)).status


@pytest.mark.parametrize("whom", [ADDRESS, KEY])
async def test_a_resumable_upload_is_not_continued(proxied: Host, jpeg: bytes, whom: str) -> None:
    headers = BANNED | bearer(await minted(proxied))
    where = await Tus.created(await Tus(proxied).post(len(jpeg), headers=headers))
    assert await continued(proxied, where, 0, jpeg[:1000], headers) == 204
    await ban(proxied, whom)
    without_key = OTHER if whom == KEY else BANNED
    for sent in (headers, without_key):
        assert await continued(proxied, where, 1000, jpeg[1000:], sent) == 403
    assert await nothing_is_left(proxied)


async def test_another_address_makes_no_image_of_what_a_banned_one_began(proxied: Host, jpeg: bytes) -> None:
    where = await Tus.created(await Tus(proxied).post(len(jpeg), headers=BANNED))
    await ban(proxied, ADDRESS)
    assert await continued(proxied, where, 0, jpeg, OTHER) == 403
    assert await nothing_is_left(proxied)
    assert (await proxied.client.head(where, headers={"Tus-Resumable": "1.0.0"})).status == 410
    assert proxied.files("spool/uploads") == []


async def test_after_a_restart_an_upload_still_belongs_to_the_address_that_began_it(
    limited: Config, jpeg: bytes
) -> None:
    clock = ManualClock()
    async with running(limited, clock) as host:
        where = await Tus.created(await Tus(host).post(len(jpeg), headers=BANNED))
    async with running(limited, clock) as host:
        assert await continued(host, where, 0, jpeg[:1000], OTHER) == 204
        await ban(host, ADDRESS)
        assert await continued(host, where, 1000, jpeg[1000:], OTHER) == 403
        assert await nothing_is_left(host)
        assert (await host.client.head(where, headers={"Tus-Resumable": "1.0.0"})).status == 410


async def test_what_was_complete_at_a_crash_makes_no_image_once_its_address_is_banned(
    limited: Config, jpeg: bytes
) -> None:
    clock = ManualClock()
    async with running(limited, clock) as host:
        banned = await Tus.created(await Tus(host).post(len(jpeg), headers=BANNED))
        other = await Tus.created(await Tus(host).post(len(jpeg), headers=OTHER))
        await ban(host, ADDRESS)
    for where in (banned, other):  # all bytes, as a crash leaves them
        (limited.data_dir / "spool/uploads" / hash_secret(where.rpartition("/")[2])).write_bytes(jpeg)
    async with running(limited, clock) as host:
        await host.appliance.upload_janitor.run()

        async def is_there() -> bool:
            return len(await host.appliance.catalogue.images.page()) == 1

        async def is_given_up() -> bool:
            return (await host.client.head(banned, headers={"Tus-Resumable": "1.0.0"})).status == 410

        await until(is_there)
        await until(is_given_up)
        await until(lambda: host.files("spool/uploads") == [])
        assert await is_there()
        assert (await host.client.head(other, headers={"Tus-Resumable": "1.0.0"})).status == 200


async def test_on_another_day_an_upload_belongs_to_the_address_that_continues_it(limited: Config, jpeg: bytes) -> None:
    """What the row has of the address that began it can no longer be read."""
    clock = ManualClock()
    async with running(limited, clock) as host:
        where = await Tus.created(await Tus(host).post(len(jpeg), headers=OTHER))
        assert await continued(host, where, 0, jpeg[:500], OTHER) == 204
        refused = await Tus.created(await Tus(host).post(len(jpeg), headers=BANNED))
        assert await continued(host, refused, 0, jpeg[:1], BANNED) == 204
    clock.forward(DAY_S - clock() % DAY_S)
    async with running(limited, clock) as host:
        assert await continued(host, where, 500, jpeg[500:1000], BANNED) == 204
        await ban(host, ADDRESS)
        assert await continued(host, refused, 1, jpeg[1:], BANNED) == 403
        assert await continued(host, where, 1000, jpeg[1000:], OTHER) == 403
        assert await nothing_is_left(host)
        assert (await host.client.head(where, headers={"Tus-Resumable": "1.0.0"})).status == 410
