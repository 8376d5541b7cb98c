"""The upload programs that people use, each with its own habits: their files come back whole, whatever breaks."""

import asyncio
from pathlib import Path

import aiohttp

from tests.support.images.noise import padded
from tests.support.programs import node_clients
from tests.support.server_process import ServerProcess
from tests.support.tus_client import sha256
from tests.support.upload_programs import CLIENTS, through_an_ordeal

BYTES = 5_000_000
KILLS = 4
PATIENCE_S = 300


async def test_every_client_brings_its_file_through_cut_connections_and_kills(tmp_path: Path, jpeg: bytes) -> None:
    node_clients()
    sent = {client: padded(BYTES + number, number) for number, client in enumerate(CLIENTS)}
    files = [tmp_path / f"{number}.jpg" for number in range(len(CLIENTS))]
    for file, data in zip(files, sent.values(), strict=True):
        file.write_bytes(data)
    served = ServerProcess(tmp_path / "data")
    try:
        await served.start()
        async with asyncio.timeout(PATIENCE_S):
            ordeal = await through_an_ordeal(served, CLIENTS, files, kills=KILLS, seed=11)
        for brought in ordeal.brought:
            assert brought.sha256 == sha256([sent[brought.client]]), brought.client
            image = brought.state["image"]
            assert (image["filename"], image["title"]) == ("cat.jpg", brought.client)
        assert ordeal.kills == KILLS
        assert ordeal.cuts > KILLS
        async with aiohttp.ClientSession(served.url) as session:
            for brought in ordeal.brought:
                async with session.get(f"/i/{brought.state['image']['slug']}/original") as reply:
                    assert sha256([await reply.read()]) == brought.sha256
        assert await served.stop() == 0
        assert "Traceback" not in served.log.read_text()
    finally:
        served.abandon()
