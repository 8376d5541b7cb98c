"""Nodes as processes: one that is killed, and a start that waits for the database."""

import json
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.nodes import node_process
from tests.support.postgres import new_schema
from tests.support.server_process import ServerProcess
from tests.support.servers import Server
from tests.support.waiting import until

WAITING = {"status": "starting", "parts": {"catalogue": "its database doesn't answer"}}


def status_of(node: ServerProcess) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(node.command("status").stdout)
    return found


async def test_a_killed_node_costs_nothing_but_its_connections(tmp_path: Path, postgres: Server, jpeg: bytes) -> None:
    database = new_schema(postgres)
    one, two = (node_process(tmp_path, name, database) for name in ("box-1", "box-2"))
    try:
        await one.start()
        await two.start()
        async with aiohttp.ClientSession() as session:

            async def upload(to: ServerProcess) -> str:
                async with session.post(f"{to.url}/api/v1/images", data=jpeg) as reply:
                    assert reply.status == 201, await reply.text()
                    return str((await reply.json())["slug"])

            async def view(slug: str, on: ServerProcess) -> int:
                async with session.get(f"{on.url}/i/{slug}/small.jpg") as reply:
                    await reply.read()
                    return reply.status

            slugs = [await upload(one), await upload(two)]
            one.kill()
            slugs.append(await upload(two))
            assert [await view(slug, two) for slug in slugs] == [200] * 3
            await one.start()  # at once, and under its name
            assert [await view(slug, one) for slug in slugs] == [200] * 3
        assert [(node["name"], node["state"]) for node in status_of(two)["nodes"]] == [
            ("box-1", "alive"),
            ("box-2", "alive"),
        ]
        assert await one.stop() == 0
        assert [node["state"] for node in status_of(two)["nodes"]] == ["stopped", "alive"]
    finally:
        one.abandon()
        two.abandon()


async def test_a_start_waits_for_its_database_and_says_so(tmp_path: Path, postgres: Server) -> None:
    database = new_schema(postgres)
    node = node_process(tmp_path, "box-1", database)
    postgres.stop()
    try:
        node.launch()
        async with aiohttp.ClientSession() as session:

            async def says_why() -> bool:
                try:
                    async with session.get(f"{node.url}/readyz") as reply:
                        assert (reply.status, await reply.json()) == (503, WAITING)
                except aiohttp.ClientConnectionError:
                    return False
                return True

            await until(says_why, "an answer while it starts")
            async with session.get(f"{node.url}/healthz") as alive:
                assert alive.status == 200
            async with session.get(f"{node.url}/") as page:
                assert page.status == 503
                assert int(page.headers["Retry-After"]) > 0
    finally:
        postgres.start()
    try:
        await node.ready()
        assert "the start waits for the catalogue" in node.words()
    finally:
        node.abandon()
