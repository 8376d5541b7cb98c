"""Large files pass through the server without staying in its memory, and nobody beside them notices."""

import asyncio
import os
import shutil
from pathlib import Path

import aiohttp
import pytest

from tests.support.images import pictures
from tests.support.images.large_files import MB, LargeFile
from tests.support.procfs import forget_peak, peak_rss_bytes, read_bytes, rss_bytes
from tests.support.server_process import ServerProcess, on_minio, serving
from tests.support.servers import minio_server
from tests.support.tus_client import BYTES, UPLOADS, VERSION
from tests.support.uploaders import upload
from tests.support.waiting import until

MOST_GROWTH_BYTES = 64 * MB
MOST_READ_BYTES = 100 * MB  # of small uploads beside it, mostly
SEARCHED_BYTES = 512 * 1024 * 1024  # so much of what follows a JPEG's pixels is looked at for private data


async def send(session: aiohttp.ClientSession, url: str, file: LargeFile, way: str) -> str:
    """The sha256 that the server tells."""
    address = f"{url}/api/v1/images"
    if way == "tus":
        return await send_by_tus(session, url, file)
    if way == "raw":
        request = session.post(
            address,
            params={"filename": "large.jpg"},
            data=file.blocks(),
            headers={"Content-Length": str(file.size)},
        )
    else:
        kind = {"Content-Type": "multipart/form-data; boundary=a-boundary"}
        request = session.post(address, data=file.form("a-boundary"), headers=kind)
    async with request as reply:
        assert reply.status == 201, await reply.text()
        return str((await reply.json())["sha256"])


async def send_by_tus(session: aiohttp.ClientSession, url: str, file: LargeFile) -> str:
    """In one PATCH, as clients do that set no chunk size."""
    async with session.post(url + UPLOADS, headers=VERSION | {"Upload-Length": str(file.size)}) as reply:
        assert reply.status == 201, await reply.text()
        where = url + reply.headers["Location"]
    headers = VERSION | BYTES | {"Upload-Offset": "0", "Content-Length": str(file.size)}
    async with session.patch(where, data=file.blocks(), headers=headers) as reply:
        assert reply.status == 204, await reply.text()
    async with session.get(where) as reply:
        state = await reply.json()
    assert state["state"] == "done", "the verdict was not there with the reply"
    async with session.get(state["image"]["url"].replace(state["image"]["url"].partition("/i/")[0], url)) as page:
        assert page.status == 200
    return str(state["image"]["sha256"])


def bytes_read(served: ServerProcess) -> int:
    """What the server and its workers have read from files so far; sockets do not count."""
    return sum(read_bytes(pid) for pid in (served.pid, *served.workers()))


async def passes_through(tmp_path: Path, size: int, way: str, **environment: str) -> None:
    file = LargeFile(size)
    timeout = aiohttp.ClientTimeout(total=1800)
    async with serving(tmp_path / "data", **environment) as served, aiohttp.ClientSession(timeout=timeout) as session:
        for number in range(10):  # what a server that has worked for a while holds anyway
            await upload(session, served.url, pictures.photo(640, 480, seed=number))
        before = rss_bytes(served.pid)
        forget_peak(served.pid)
        read = bytes_read(served)
        sending = asyncio.create_task(send(session, served.url, file, way))
        beside = 0
        while not sending.done():
            status, _ = await upload(session, served.url, pictures.photo(64, 48, seed=beside))
            assert status == 201
            beside += 1
            await asyncio.sleep(0.1)
        assert await sending == await file.sha256()
        await until(lambda: not os.listdir(tmp_path / "data/spool/landed"), "it is shipped", 600)
        growth = peak_rss_bytes(served.pid) - before
        print(f"{size / MB:,.0f} MB, {way}: RSS grew by {growth / MB:.1f} MB at most; {beside} small uploads beside it")
        assert growth < MOST_GROWTH_BYTES
        if not environment:  # the directory store takes the file as it is, so nothing has a reason to read it again
            most = MOST_READ_BYTES + min(size, SEARCHED_BYTES)
            assert bytes_read(served) - read < most, "it was read more than for what is private in it"
        assert beside > 2
        assert await served.stop() == 0


WAYS = ("form", "raw", "tus")


@pytest.mark.parametrize("way", WAYS)
async def test_300_mb_leave_the_memory_of_the_server_as_it_was_and_are_read_for_what_is_private_alone(
    tmp_path: Path, way: str
) -> None:
    await passes_through(tmp_path, 300 * MB, way)


async def test_shipping_300_mb_to_minio_leaves_it_as_it_was_too(tmp_path: Path) -> None:
    with minio_server(tmp_path / "minio") as minio:
        await passes_through(tmp_path, 300 * MB, "raw", **on_minio(minio))


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
async def test_10_gb_leave_the_memory_of_the_server_as_it_was_and_are_read_for_what_is_private_alone(
    tmp_path: Path, way: str
) -> None:
    try:
        await passes_through(tmp_path, 10_000 * MB, way)
    finally:
        shutil.rmtree(tmp_path / "data", ignore_errors=True)


@pytest.mark.long
async def test_shipping_10_gb_to_minio_leaves_it_as_it_was_too(tmp_path: Path) -> None:
    """Needs 30 GB of disk: the spool's file, and a MinIO that keeps as much again for the loss of two drives."""
    try:
        with minio_server(tmp_path / "minio") as minio:
            await passes_through(tmp_path, 10_000 * MB, "raw", **on_minio(minio))
    finally:
        shutil.rmtree(tmp_path / "minio", ignore_errors=True)
        shutil.rmtree(tmp_path / "data", ignore_errors=True)
