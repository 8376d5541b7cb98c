"""Two nodes of one host, whose store can be away."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from appliance.config.model import Config
from appliance.domain.errors import StoreUnavailable
from appliance.lifecycle import original_objects, ship_queue
from appliance.membership import membership
from appliance.nodes import neighbours
from appliance.resumable import finisher, segment_writer, takeover
from tests.support.nodes import NodeHost, node_config, two_nodes
from tests.support.postgres import Databases, database_url, new_schema, replicated_servers
from tests.support.segments import SEGMENT_BYTES
from tests.support.servers import Server

OPERATIONS = ("check", "put", "put_bytes", "delete", "stat", "fetch", "open")
PATIENCE_S = 60.0
Nodes = tuple[NodeHost, NodeHost]


@pytest.fixture
def one(tmp_path: Path, postgres: Server) -> Config:
    return node_config(tmp_path, "box-1", new_schema(postgres))


@pytest.fixture
def two(one: Config, tmp_path: Path) -> Config:
    return node_config(tmp_path, "box-2", one.catalogue.url or "")


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is refused is waited for."""
    monkeypatch.setattr(membership, "DEAD_AFTER_S", 0)
    monkeypatch.setattr(membership, "BEAT_EVERY_S", 1)
    monkeypatch.setattr(membership, "RETRY_S", 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> AsyncIterator[Nodes]:
    """Two nodes for a module's tests, which run on its loop; their clock only moves on."""
    async with two_nodes(tmp_path_factory.mktemp("nodes"), new_schema(postgres)) as both:
        yield both


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def segmented(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> AsyncIterator[Nodes]:
    """Two nodes that store segments of 100,000 bytes."""
    async with two_nodes(tmp_path_factory.mktemp("segmented"), new_schema(postgres), SEGMENT_BYTES, PATIENCE_S) as both:
        yield both


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    with replicated_servers() as both:
        yield both


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def replicated(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> AsyncIterator[Nodes]:
    """Two nodes that know both databases."""
    database = database_url(databases.primary, databases.standby)
    async with two_nodes(tmp_path_factory.mktemp("replicated"), database) as both:
        yield both


@pytest.fixture
def patient_nodes() -> Iterator[None]:
    """Nodes ask each time which others there are, and have time for the store, however busy the machine is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "KNOWN_S", 0.0)
        patch.setattr(takeover, "WAIT_S", PATIENCE_S)
        patch.setattr(segment_writer, "FLUSH_WITHIN_S", PATIENCE_S)
        yield


@pytest.fixture
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is a large one."""
    for module in (ship_queue, original_objects, finisher):
        monkeypatch.setattr(module, "LARGE_BYTES", 1000)


@contextmanager
def away_from(nodes: Nodes) -> Iterator[None]:
    """While the block lasts, the store fails for both nodes."""

    async def fail(*_arguments: object, **_more: Any) -> None:
        raise StoreUnavailable("The store is away.")

    with pytest.MonkeyPatch.context() as patch:
        for node in nodes:
            for operation in OPERATIONS:
                patch.setattr(node.appliance.store, operation, fail)
        yield


@pytest.fixture
def store_away(nodes: Nodes) -> Iterator[None]:
    """The store fails for both nodes."""
    with away_from(nodes):
        yield
