"""Limits hold for all nodes together: what a client used at one, it can't use at another."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from appliance.nodes import neighbours
from tests.support.images.noise import padded
from tests.support.limits import only
from tests.support.nodes import NodeHost, RunningClock, node, node_config, node_process
from tests.support.postgres import new_schema
from tests.support.server_process import ServerProcess
from tests.support.servers import Server
from tests.support.tus_client import Tus
from tests.support.waiting import until

MB = 1_000_000
LIMIT_MB = 1
MANY_MB = 5
"""So much that a client waits for minutes afterwards."""
SETTINGS = {
    "APPLIANCE_LIMITS_MODE": "on",
    "APPLIANCE_LIMITS_ADDRESS_MINUTE_BYTES": str(LIMIT_MB * MB),
    "APPLIANCE_LIMITS_ADDRESS_DAY_BYTES": str(10 * MB),
    "APPLIANCE_LIMITS_PROOF_OF_WORK": "never",
    "APPLIANCE_SERVER_TRUSTED_PROXIES": "127.0.0.1",
}
Three = tuple[ServerProcess, ServerProcess, ServerProcess]


@pytest.fixture
async def three(tmp_path: Path, postgres: Server) -> AsyncIterator[Three]:
    """Three nodes behind one proxy, which says who their clients are."""
    database = new_schema(postgres)
    one, two, three = (node_process(tmp_path, f"box-{number}", database, **SETTINGS) for number in (1, 2, 3))
    try:
        await one.start()  # alone, because it makes the tables
        await asyncio.gather(two.start(), three.start())
        yield one, two, three
    finally:
        for each in (one, two, three):
            each.abandon()


class Client:
    """Somebody at an address, who is passed on to any node."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._headers = {"X-Forwarded-For": address}

    async def upload(self, to: ServerProcess, data: bytes) -> tuple[int, str | None]:
        """The status, and the limit that it has met."""
        body = io.BytesIO(data)
        async with self._session.post(f"{to.url}/api/v1/images", data=body, headers=self._headers) as reply:
            return reply.status, (await reply.json()).get("policy")

    async def left(self, at: ServerProcess, name: str) -> int:
        """How much of a quota is left at a node."""
        async with self._session.get(f"{at.url}/api/v1/me", headers=self._headers) as reply:
            me: dict[str, Any] = await reply.json()
        return next(int(quota["left"]) for quota in me["quotas"] if quota["name"] == name)

    async def is_known(self, at: ServerProcess) -> bool:
        """Whether the node knows that the client has used its minute and half of its day."""
        left = await self.left(at, "address-minute-bytes"), await self.left(at, "address-day-bytes")
        return left[0] == 0 and left[1] <= 5 * MB


async def test_what_one_node_let_in_the_others_refuse_also_while_one_is_down(three: Three) -> None:
    one, two, third = three
    many = padded(MANY_MB * MB, 1)
    refused = 429, "address-minute-bytes"
    async with aiohttp.ClientSession() as session:
        first, second, last = (Client(session, f"198.51.100.{number}") for number in (1, 2, 3))
        assert (await first.upload(one, many))[0] == 201
        for other in (two, third):
            await until(lambda other=other: first.is_known(other), "a report")  # type: ignore[misc]
            assert await first.upload(other, many) == refused
            assert await second.left(other, "address-minute-bytes") == LIMIT_MB * MB
        third.kill()
        assert (await second.upload(two, many))[0] == 201
        await until(lambda: second.is_known(one), "a report")
        assert await second.upload(one, many) == refused
        await third.start()
        assert (await last.upload(one, many))[0] == 201
        await until(lambda: last.is_known(third), "a report to the node that is back")
        assert await last.upload(third, many) == refused


async def test_a_request_that_is_passed_on_counts_once(tmp_path: Path, postgres: Server) -> None:
    database, clock, limits = new_schema(postgres), RunningClock(0), only(address_requests=100)
    configs = [replace(node_config(tmp_path, name, database), limits=limits) for name in ("box-1", "box-2")]
    async with node(configs[0], clock) as one, node(configs[1], clock) as two:
        where = await Tus(one).create(5)
        for _ in range(20):
            assert await Tus(two).offset(where) == 0
        [(_, left)] = one.appliance.limits.requests.left_of("127.0.0.1")
    assert left >= 99


async def uploads_of_all(at: NodeHost) -> int:
    """What `/api/v1/limits` says, once the node has looked which others are alive."""
    assert at.appliance.calls is not None
    await at.appliance.limits.follow_machines(at.appliance.calls.usage)
    return int((await (await at.get("/api/v1/limits")).json())["clients"]["anonymous_uploads"])


async def test_everybody_together_may_upload_what_the_machines_bear_whose_nodes_are_alive(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "KNOWN_S", 0.0)
    database, clock, limits = new_schema(postgres), RunningClock(0), only(anonymous_uploads=None)
    configs = [replace(node_config(tmp_path, name, database), limits=limits) for name in ("box-1", "box-2")]
    async with node(configs[0], clock) as one, node(configs[1], clock) as two:
        of_one_machine = await uploads_of_all(one)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("UPDATE nodes SET url = 'http://10.0.0.9:8090' WHERE name = 'box-2'")
        assert await uploads_of_all(one) == 2 * of_one_machine
        async with two.lost():
            assert await uploads_of_all(one) == of_one_machine
