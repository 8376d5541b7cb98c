"""Nodes of one host in this process: a catalogue in PostgreSQL and one directory as the store of all of them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from aiohttp import web
from aiohttp.test_utils import TestClient

from appliance.app import started
from appliance.catalogue import NodeCatalogue
from appliance.config.model import CatalogueConfig, Config, NodeConfig
from appliance.container import Container, nodes_site_of, site_of
from tests.support.host import Host, HostServer, ManualClock, small_config
from tests.support.programs import free_port
from tests.support.server_process import ServerProcess

SECRET = "only the nodes of these tests know it"


SEGMENT_BYTES = NodeConfig().segment_bytes
ACK_BUDGET_S = 0.2
LOST_S = 60
"""Longer than a lost node is silent."""


def node_config(
    folder: Path, name: str, database: str, segment_bytes: int = SEGMENT_BYTES, ack_budget_s: float = ACK_BUDGET_S
) -> Config:
    """A node's configuration. Its store is the one that all nodes below `folder` have."""
    config = small_config(folder / name / "data")
    config.data_dir.mkdir(parents=True)
    (folder / "store").mkdir(exist_ok=True)
    config.store_dir.symlink_to(folder / "store")
    node = NodeConfig(name=name, listen=f"127.0.0.1:{free_port()}", secret=SECRET, segment_bytes=segment_bytes)
    return replace(
        config,
        catalogue=CatalogueConfig(url=database),
        node=node,
        uploads=replace(config.uploads, ack_budget_s=ack_budget_s),
    )


class RunningClock(ManualClock):
    """The real time, moved on by `now_s`: a node whose clock differs from the database's doesn't join."""

    def __call__(self) -> float:
        return time.time() + self.now_s

    def boot_s(self) -> float:
        return self() - self.jumped_s


@dataclass
class NodeHost(Host):
    """A node; `listener` is its server for other nodes."""

    site: web.Application
    listener: HostServer
    heart: "Heart"

    @property
    def name(self) -> str:
        assert self.appliance.this_node.name is not None
        return self.appliance.this_node.name

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """While the block lasts, other nodes get no answer from it."""
        port = self.listener.port
        await self.listener.close()
        try:
            yield
        finally:
            self.listener = listener_of(self.appliance, self.site, port)
            await self.listener.start_server()

    @asynccontextmanager
    async def lost(self) -> AsyncIterator[None]:
        """While the block lasts, it runs, but other nodes have heard nothing of it for a minute."""
        async with self.heart.beating:
            self.heart.is_heard = False
            let_fall_silent(self.appliance.config.catalogue.url or "", self.name)
        try:
            yield
        finally:
            self.heart.is_heard = True
            await self.heart.beat(self.name)


class Heart:
    """A node's rows of nodes, whose heartbeats can be kept from being heard.

    The next heartbeat waits while a test holds `beating`.
    """

    def __init__(self, nodes: NodeCatalogue) -> None:
        self._nodes = nodes
        self.beating = asyncio.Lock()
        self.is_heard = True

    async def beat(self, name: str) -> None:
        async with self.beating:
            if self.is_heard:
                await self._nodes.beat(name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nodes, name)


def let_fall_silent(database: str, name: str, for_s: int = LOST_S) -> None:
    """Move the node's last sign of life back, by the database's clock."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("UPDATE nodes SET seen_s = seen_s - %s WHERE name = %s", (for_s, name))


@asynccontextmanager
async def node(config: Config, clock: ManualClock) -> AsyncIterator[NodeHost]:
    """A node, as long as the block lasts."""
    async with AsyncExitStack() as stack:
        appliance = await stack.enter_async_context(started(config, clock, clock.boot_s))
        site = site_of(appliance)
        breaker, queue = appliance.shipper.store.breaker, appliance.shipper.queue
        breaker.first_pause_s, breaker.max_pause_s, queue.last_retry_s = 0.01, 0.1, 0.1  # a store is away for a moment
        client = await stack.enter_async_context(TestClient(HostServer(site)))
        listener = listener_of(appliance, site, int((config.node.listen or "").rpartition(":")[2]))
        await listener.start_server()
        host = NodeHost(appliance, client, clock, site, listener, _heart_of(appliance))
        try:
            yield host
        finally:
            await host.listener.close()


def _heart_of(appliance: Container) -> Heart:
    assert appliance.membership is not None
    heart = Heart(appliance.catalogue.nodes)
    appliance.membership._nodes = heart
    return heart


def listener_of(appliance: Container, site: web.Application, port: int | None) -> HostServer:
    """The server of a node for other nodes, not started yet."""
    nodes_site = nodes_site_of(appliance, site)
    assert nodes_site is not None
    return HostServer(nodes_site, port=port)


@asynccontextmanager
async def two_nodes(
    folder: Path, database: str, segment_bytes: int = SEGMENT_BYTES, ack_budget_s: float = ACK_BUDGET_S
) -> AsyncIterator[tuple[NodeHost, NodeHost]]:
    """Two nodes of one host."""
    clock = RunningClock(0)
    async with (
        node(node_config(folder, "box-1", database, segment_bytes, ack_budget_s), clock) as one,
        node(node_config(folder, "box-2", database, segment_bytes, ack_budget_s), clock) as two,
    ):
        yield one, two


def node_process(folder: Path, name: str, database: str, **changed: str) -> ServerProcess:
    """A node that is not started yet. Its store is the one that all nodes below `folder` have, unless `changed`."""
    data_dir = folder / name
    data_dir.mkdir()
    (folder / "store").mkdir(exist_ok=True)
    (data_dir / "store").symlink_to(folder / "store")
    return ServerProcess(
        data_dir,
        APPLIANCE_CATALOGUE_URL=database,
        APPLIANCE_NODE_NAME=name,
        APPLIANCE_NODE_LISTEN=f"127.0.0.1:{free_port()}",
        APPLIANCE_NODE_SECRET=SECRET,
        **({"APPLIANCE_LIMITS_MODE": "off"} | changed),
    )
