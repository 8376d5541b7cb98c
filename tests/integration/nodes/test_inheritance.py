"""Unfinished uploads of a process that runs no more, of which this node has the files."""

from pathlib import Path

import pytest
import pytest_asyncio

from appliance.domain.nodes import Node
from appliance.domain.resumable_uploads import Upload
from appliance.resumable.inheritance import INHERITED, Inheritance, folder_for
from appliance.spool.resumed import MARK
from tests.integration.nodes.conftest import Nodes
from tests.support.nodes import NodeHost
from tests.support.segments import id_of
from tests.support.tus_client import Tus

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("patient_nodes")]
FORMER = Node("box-1-3", "http://127.0.0.1:1", "home-3", "1.0")
OLD, NEW = b"old", b"newer"


async def begun_at(node: NodeHost, name: str | None) -> Upload:
    """An upload with the bytes `NEW` at the node, of which the row says that it is at the one with this name."""
    where = await Tus(node).create(10)
    await Tus(node).patch(where, 0, NEW)
    uploads = node.appliance.catalogue.uploads
    row = await uploads.get(id_of(where))
    assert row is not None
    assert await uploads.move(row, name or node.name)
    return row


async def inherited(node: NodeHost, upload: Upload) -> Path:
    """The file of the upload, once the former process's one was claimed."""
    container = node.appliance
    path = folder_for(container.config.spool_dir, FORMER.home) / upload.id_hash
    path.parent.mkdir(parents=True)
    path.write_bytes(OLD + b" and what was never verified")
    path.with_name(path.name + MARK).write_text(str(len(OLD)))
    folder = container.config.spool_dir / INHERITED
    await Inheritance(
        folder, uploads=container.spool.uploads, catalogue=container.catalogue, this_node=container.this_node
    ).claim()
    assert not folder.exists()
    return container.spool.uploads.path(upload.id_hash)


@pytest_asyncio.fixture(loop_scope="module")
async def node(nodes: Nodes) -> NodeHost:
    catalogue = nodes[0].appliance.catalogue
    membership = nodes[0].appliance.membership
    assert membership is not None
    await catalogue.nodes.join(FORMER, membership._secret_proof)
    await catalogue.nodes.leave(FORMER.name)
    return nodes[0]


@pytest.mark.parametrize("name", [FORMER.name, "forgotten"])
async def test_an_upload_that_its_process_had_is_this_nodes(node: NodeHost, name: str) -> None:
    upload = await begun_at(node, name)
    path = await inherited(node, upload)
    assert path.read_bytes() == OLD
    row = await node.appliance.catalogue.uploads.get(upload.id_hash)
    assert row is not None
    assert row.node == node.name


async def test_an_upload_that_this_node_took_over_keeps_its_bytes(node: NodeHost) -> None:
    path = await inherited(node, await begun_at(node, None))
    assert path.read_bytes() == NEW
