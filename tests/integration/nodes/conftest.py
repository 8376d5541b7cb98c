"""Two nodes of one host, whose store can be away."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from appliance.domain.errors import StoreUnavailable
from tests.support.nodes import NodeHost, two_nodes
from tests.support.postgres import new_schema
from tests.support.servers import Server

OPERATIONS = ("check", "put", "put_bytes", "delete", "stat", "fetch", "open")
Nodes = tuple[NodeHost, NodeHost]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nodes(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> AsyncIterator[Nodes]:
    """Two nodes for a module's tests, which run on its loop; their clock only moves on."""
    async with two_nodes(tmp_path_factory.mktemp("nodes"), new_schema(postgres)) as both:
        yield both


@pytest.fixture
def store_away(nodes: Nodes) -> Iterator[None]:
    """The store fails for both nodes."""

    async def fail(*_arguments: object, **_more: Any) -> None:
        raise StoreUnavailable("The store is away.")

    with pytest.MonkeyPatch.context() as patch:
        for node in nodes:
            for operation in OPERATIONS:
                patch.setattr(node.appliance.store, operation, fail)
        yield
