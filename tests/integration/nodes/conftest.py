"""Two nodes of one host, whose store can be away."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from appliance.domain.errors import StoreUnavailable
from tests.support.nodes import NodeHost, two_nodes
from tests.support.postgres import new_schema
from tests.support.servers import Server

OPERATIONS = ("check", "put", "put_bytes", "delete", "stat", "fetch", "open")


@pytest.fixture
async def nodes(tmp_path: Path, postgres: Server) -> AsyncIterator[tuple[NodeHost, NodeHost]]:
    async with two_nodes(tmp_path, new_schema(postgres)) as both:
        yield both


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lasting(
    tmp_path_factory: pytest.TempPathFactory, postgres: Server
) -> AsyncIterator[tuple[NodeHost, NodeHost]]:
    """Two nodes for a module's tests that stop neither; they run on the module's loop."""
    async with two_nodes(tmp_path_factory.mktemp("nodes"), new_schema(postgres)) as both:
        yield both


@pytest.fixture
def store_away(nodes: tuple[NodeHost, NodeHost], monkeypatch: pytest.MonkeyPatch) -> None:
    """The store fails for both nodes."""

    async def fail(*_arguments: object, **_more: Any) -> None:
        raise StoreUnavailable("The store is away.")

    for node in nodes:
        for operation in OPERATIONS:
            monkeypatch.setattr(node.appliance.store, operation, fail)
