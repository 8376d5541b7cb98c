"""A node that is killed and started again while no commit is confirmed: its former session keeps its name meanwhile."""

import asyncio
from pathlib import Path

import aiohttp

from tests.support.nodes import node_process
from tests.support.postgres import Databases, database_url
from tests.support.server_process import ServerProcess
from tests.support.waiting import until

WAITING = {"status": "starting", "parts": {"catalogue": "its database still serves the former process of this node"}}


async def is_waiting(session: aiohttp.ClientSession, node: ServerProcess) -> bool:
    assert node.is_running, node.words()
    try:
        async with session.get(f"{node.url}/readyz") as reply:
            report = await reply.json()
    except aiohttp.ClientConnectionError:
        return False
    return bool(report == WAITING)


async def writes_in_vain(session: aiohttp.ClientSession, node: ServerProcess, jpeg: bytes) -> None:
    async with session.post(f"{node.url}/api/v1/images", data=jpeg) as reply:
        assert reply.status == 503


async def test_a_node_that_is_killed_while_its_commit_hangs_waits_and_joins_once_it_can(
    tmp_path: Path, databases: Databases, jpeg: bytes
) -> None:
    node = node_process(tmp_path, "box-1", database_url(databases.primary))
    try:
        await node.start()
        async with aiohttp.ClientSession() as session:
            await asyncio.to_thread(databases.standby.stop)
            try:
                await writes_in_vain(session, node, jpeg)
                node.kill()
                node.launch()
                await until(lambda: is_waiting(session, node), "a start that says what it waits for")
            finally:
                await asyncio.to_thread(databases.standby.start)
            await node.ready()
            async with session.post(f"{node.url}/api/v1/images", data=jpeg) as reply:
                assert reply.status in (200, 201), await reply.text()
    finally:
        node.abandon()
