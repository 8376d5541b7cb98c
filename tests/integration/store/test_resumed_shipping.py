"""A giant on its way to MinIO when the server is killed: the next server goes on with what the store has."""

import hashlib
from pathlib import Path

import aiohttp
import pytest

from appliance.domain.slugs import object_key
from tests.support.images.large_files import MB, LargeFile
from tests.support.relay import Relay
from tests.support.server_process import ServerProcess, on_minio
from tests.support.servers import minio_server
from tests.support.stores import looking_into
from tests.support.waiting import until

SIZE = 400 * MB
PART = 64 * 1024 * 1024


async def sent(served: ServerProcess, file: LargeFile) -> str:
    """The slug of an image that is acknowledged."""
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Length": str(file.size)}
        url = f"{served.url}/api/v1/images?filename=giant.jpg"
        async with session.post(url, data=file.blocks(), headers=headers) as reply:
            assert reply.status == 201, await reply.text()
            return str((await reply.json())["slug"])


def waits(served: ServerProcess) -> bool:
    return bool(list((served.data_dir / "spool/landed").iterdir()))


@pytest.mark.parametrize("kills", [pytest.param(1, marks=pytest.mark.long), 2])
async def test_a_large_upload_continues_with_its_parts_after_kill_9(tmp_path: Path, kills: int) -> None:
    file = LargeFile(SIZE)
    with minio_server(tmp_path / "minio") as minio:
        relay = Relay(minio.port, seed=kills, share=0, pause_s=0.0005)
        async with relay.listening() as way:
            endpoint = way.removeprefix("http://")
            served = ServerProcess(tmp_path / "data", **on_minio(minio, APPLIANCE_STORE_ENDPOINT=endpoint))
            try:
                await served.start()
                slug = await sent(served, file)
                for number in range(1, kills + 1):
                    goal = number * int(2.3 * PART)
                    await until(lambda goal=goal: relay.passed_bytes > goal, "it is half there")  # type: ignore[misc]
                    assert waits(served)
                    served.kill()
                    await served.start()
                await until(lambda: not waits(served), "it is shipped", 120)
                assert await served.stop() == 0
            finally:
                served.abandon()
        assert "parts are already in the store" in served.words()
        again = relay.passed_bytes - SIZE
        assert again < kills * 2 * PART + 10 * MB, "more was sent again than was under way at the kill"
        async with looking_into(minio, "images") as store:
            await store.fetch(object_key(slug), tmp_path / "fetched")
            with (tmp_path / "fetched").open("rb") as fetched:
                assert hashlib.file_digest(fetched, "sha256").hexdigest() == await file.sha256()
            assert store.multipart.requests.unfinished(object_key(slug)) == []
        assert list((served.data_dir / "spool/shipping").iterdir()) == []
