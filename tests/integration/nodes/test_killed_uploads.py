"""A resumable upload whose node is killed with -9, as its client at another node sees it."""

import asyncio
import io
from pathlib import Path
from typing import Any

import aiohttp
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed

from tests.support.images.noise import padded
from tests.support.nodes import node_process
from tests.support.postgres import new_schema
from tests.support.servers import Server
from tests.support.tus_client import UPLOADS, sha256

CHUNK_BYTES = 700_000


def sent(uploader: Any) -> int:
    """Send a chunk. 204, or the status of its refusal."""
    try:
        uploader.upload_chunk()
    except TusUploadFailed as fault:
        return int(fault.status_code)
    return 204


async def test_tuspy_goes_on_where_it_was(tmp_path: Path, postgres: Server) -> None:
    database, data = new_schema(postgres), padded(3_000_000, 4)
    one, two = (node_process(tmp_path, name, database) for name in ("box-1", "box-2"))
    try:
        await one.start()
        await two.start()
        uploader: Any = TusClient(one.url + UPLOADS).uploader(
            file_stream=io.BytesIO(data), metadata={"filename": "cat.jpg"}, chunk_size=CHUNK_BYTES
        )
        assert await asyncio.to_thread(sent, uploader) == 204
        where = uploader.url.removeprefix(one.url)
        uploader.url = two.url + where
        assert await asyncio.to_thread(sent, uploader) == 204
        one.kill()
        assert await asyncio.to_thread(sent, uploader) == 503
        await one.start()
        while uploader.offset < len(data):
            assert await asyncio.to_thread(sent, uploader) == 204
        async with aiohttp.ClientSession() as session, session.get(two.url + where) as reply:
            assert (await reply.json())["image"]["sha256"] == sha256([data])
        assert "Traceback" not in two.log.read_text()
    finally:
        one.abandon()
        two.abandon()
