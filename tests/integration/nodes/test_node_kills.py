"""Nodes that are killed with -9 at random moments under load: no view fails, no promise breaks, all uploads go on.

Every other one comes back without its disk.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.support.node_front import Front
from tests.support.node_load import Load
from tests.support.nodes import node_process
from tests.support.postgres import new_schema
from tests.support.server_process import ServerProcess, on_minio
from tests.support.servers import Server, minio_server

NODES = ("box-1", "box-2", "box-3")
PEOPLE = 8
MEASURED_S = 3.0
MOMENTS_S = (0.1, 1.0)


@pytest.fixture
def minio(tmp_path: Path) -> Iterator[Server]:
    with minio_server(tmp_path / "minio") as server:
        yield server


@pytest.fixture
async def nodes(tmp_path: Path, postgres: Server, minio: Server) -> AsyncIterator[Sequence[ServerProcess]]:
    """Three nodes, whose promise doesn't depend on how long uploads wait for the store elsewhere."""
    database, store = new_schema(postgres), on_minio(minio, APPLIANCE_UPLOADS_ACK_BUDGET_S="0")
    made = [node_process(tmp_path, name, database, **store) for name in NODES]
    try:
        for node in made:
            await node.start()
        yield made
    finally:
        for node in made:
            node.abandon()


@asynccontextmanager
async def half_loaded(nodes: Sequence[ServerProcess], seed: int) -> AsyncIterator[Load]:
    """As long as the block lasts, all nodes together have half of the load that one held alone."""
    choose = random.Random(seed)
    async with aiohttp.ClientSession() as session:
        alone = Load(Front(session, nodes[:1], choose), choose)
        a_second = await alone.held_a_second(PEOPLE, MEASURED_S) / 2
        load = Load(Front(session, nodes, choose), choose, alone.living, alone.deleted, alone.faults)
        loading = asyncio.create_task(load.keep_on(a_second))
        try:
            yield load
        finally:
            loading.cancel()
        await load.finish()


@pytest.mark.parametrize("rounds", [5, pytest.param(100, marks=pytest.mark.long)])
async def test_nodes_that_are_killed_cost_nothing_but_connections(nodes: Sequence[ServerProcess], rounds: int) -> None:
    """In so many rounds, and more until at least one kill has cut a connection: some come just after a reply."""
    seed = secrets.randbits(32)
    moments = random.Random(seed)
    async with half_loaded(nodes, seed) as load:
        for number in range(5 * rounds):
            if number >= rounds and load.front.cut > 0:
                break
            print(f"seed {seed}, round {number}", flush=True)
            await asyncio.sleep(moments.uniform(*MOMENTS_S))
            node = moments.choice(nodes)
            await load.front.kill_in_the_middle(node)
            await asyncio.sleep(moments.uniform(*MOMENTS_S))
            await load.front.restart(node, with_disk=number % 2 == 0)
            assert not load.faults, f"seed {seed}, round {number}: {load.faults[:5]}"
    assert not load.faults, f"seed {seed}, {load.done}: {load.faults[:5]}"
    assert load.front.cut > 0
    assert min(load.done[what] for what in ("view", "upload", "resume", "delete")) > 0
    print(f"seed {seed}: {dict(load.done)}, {load.front.cut} connections cut")
