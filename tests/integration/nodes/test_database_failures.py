"""A database that restarts, or fails over to its standby, under load: what people notice of it, and what is left."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import psycopg
import pytest

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from tests.integration.nodes.conftest import Nodes
from tests.support.nodes import NodeHost
from tests.support.postgres import Databases, database_url, new_schema, promote
from tests.support.uploaders import Uploaders, broken_promises
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
MANY = 5
WITHIN_S = 180.0
"""Longer than a lost commit is looked for."""
WAITS = b"SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
END_WAITING = b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
SEED = 7


def url_of(node: NodeHost) -> str:
    return str(node.client.make_url("/")).rstrip("/")


@asynccontextmanager
async def uploaders(nodes: Nodes) -> AsyncIterator[list[Uploaders]]:
    """People who upload to both nodes. What they were promised by either must be there at both afterwards."""
    async with AsyncExitStack() as stack:
        people = [
            await stack.enter_async_context(Uploaders(url_of(node), SEED + place).at_work(2))
            for place, node in enumerate(nodes)
        ]
        yield people
    promises = [promise for those in people for promise in those.promises]
    async with aiohttp.ClientSession() as session:
        for node in nodes:
            assert await broken_promises(session, url_of(node), promises) == []
    assert {fault for those in people for fault in those.faults} == {"503 catalogue-unavailable"}
    assert sum(those.broken for those in people) == 0


async def views(nodes: Nodes, slug: str) -> list[int]:
    return [(await node.get(f"/i/{slug}{rest}")).status for node in nodes for rest in ("", "/original", "/small.jpg")]


async def until_many(people: list[Uploaders]) -> None:
    """Each node has accepted some uploads since."""
    before = [len(those.promises) for those in people]
    await until(
        lambda: all(len(those.promises) >= count + MANY for those, count in zip(people, before, strict=True)),
        "uploads",
        WITHIN_S,
    )


async def test_a_change_that_the_standby_does_not_have_is_not_confirmed(databases: Databases) -> None:
    """Not even if its session is ended while it waits, when the primary alone has it and shows it."""
    async with PostgresCatalogue(new_schema(databases.primary)) as catalogue:
        await asyncio.to_thread(databases.standby.stop)
        try:
            setting = asyncio.create_task(catalogue.notes.set("standby", "has it"))
            with psycopg.connect(database_url(databases.primary), autocommit=True) as connection:
                for _ in range(2):
                    await until(lambda: connection.execute(WAITS).fetchone() is not None, "a commit that waits")
                    connection.execute(END_WAITING)
                await until(lambda: connection.execute(WAITS).fetchone() is not None, "a commit that waits")
            assert await catalogue.notes.get("standby") == "has it"
            assert not setting.done()
        finally:
            await asyncio.to_thread(databases.standby.start)
        await setting


@pytest.mark.parametrize("is_failover", [False, True], ids=["restart", "failover"])
async def test_uploads_get_a_clear_refusal_and_views_go_on_until_the_database_is_back(
    replicated: Nodes, databases: Databases, jpeg: bytes, is_failover: bool
) -> None:
    nodes = replicated
    back: Callable[[], object] = (lambda: promote(databases.standby)) if is_failover else databases.primary.start
    slug = (await nodes[0].upload(jpeg))["slug"]
    async with uploaders(nodes) as people:
        await until_many(people)
        assert await views(nodes, slug) == [200] * 6
        await asyncio.to_thread(databases.primary.stop, signal.SIGQUIT)
        assert await views(nodes, slug) == [200] * 6
        await until(lambda: all(those.faults for those in people), "refusals", WITHIN_S)
        await asyncio.to_thread(back)
        await until_many(people)

    async def are_ready() -> bool:
        return {(await node.get("/readyz")).status for node in nodes} == {200}

    await until(are_ready, "both nodes")
