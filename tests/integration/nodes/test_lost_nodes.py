"""Nodes that are killed and whose disks are thrown away, under the upload programs that people use."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.support.images.noise import padded
from tests.support.lost_nodes import farm, through_losses
from tests.support.postgres import new_schema
from tests.support.programs import node_clients
from tests.support.servers import Server, minio_server
from tests.support.tus_client import sha256
from tests.support.upload_programs import CLIENTS

BYTES = 5_000_000
PATIENCE_S = 900
FEW = ("tuspy with checksums", "tus-js-client", "tus-js-client parallel")


@pytest.fixture(scope="module")
def minio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with minio_server(tmp_path_factory.mktemp("minio")) as server:
        yield server


@pytest.mark.parametrize(
    ("clients", "losses"), [(FEW, 3), pytest.param(CLIENTS, 12, marks=pytest.mark.long)], ids=["few", "all"]
)
async def test_every_upload_goes_on_when_its_node_and_disk_are_lost(
    tmp_path: Path, postgres: Server, minio: Server, clients: tuple[str, ...], losses: int
) -> None:
    node_clients()
    sent = {client: padded(BYTES + number, number) for number, client in enumerate(clients)}
    files = [tmp_path / f"{number}.jpg" for number in range(len(clients))]
    for file, data in zip(files, sent.values(), strict=True):
        file.write_bytes(data)
    async with farm(tmp_path, new_schema(postgres), minio, f"lost-{losses}", nodes=3, seed=7) as nodes:
        async with asyncio.timeout(PATIENCE_S):
            brought = await through_losses(nodes, clients, files, losses)
        assert nodes.lost == losses
        for one in brought:
            assert one.sha256 == sha256([sent[one.client]]), one.client
            assert (one.state["image"]["filename"], one.state["image"]["title"]) == ("cat.jpg", one.client)
        async with aiohttp.ClientSession(next(iter(nodes.nodes.values())).url) as session:
            for one in brought:
                async with session.get(f"/i/{one.state['image']['slug']}/original") as reply:
                    assert sha256([await reply.read()]) == one.sha256
        assert "Traceback" not in nodes.words()
