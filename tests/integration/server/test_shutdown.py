"""Stopping in good order: what was taken is answered, nobody is left behind, and the next start finds all of it."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from tests.support.images import pictures
from tests.support.procfs import is_alive
from tests.support.server_process import ServerProcess, serving
from tests.support.uploaders import Uploaders, broken_promises, shows_a_rendition, upload
from tests.support.waiting import until

STEPS = 20


class Viewers:
    """Clients that look at one image's versions, and note replies that began and did not end.

    A server that stops may refuse a connection, or close a kept one on which nothing was under way: that drops nothing.
    """

    def __init__(self, url: str, slug: str) -> None:
        self._address = f"{url}/i/{slug}"
        self.seen = 0
        self.dropped: list[str] = []

    async def look_on(self, *, keep_alive: bool) -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=not keep_alive)) as session:
            for version in itertools.cycle(("original", "thumbnail.jpg", "small.webp", "")):
                try:
                    await self._look(session, f"{self._address}/{version}".rstrip("/"))
                except aiohttp.ClientConnectorError:
                    return
                except (aiohttp.ServerDisconnectedError, ConnectionResetError) as fault:
                    if not keep_alive:
                        self.dropped.append(f"{version}: a connection was taken, and then {fault!r}")
                    return

    async def _look(self, session: aiohttp.ClientSession, address: str) -> None:
        async with session.get(address) as reply:
            try:
                await reply.read()
            except aiohttp.ClientError as fault:
                self.dropped.append(f"{address}: {fault!r}")
                return
        self.seen += 1
        if reply.status != 200:
            self.dropped.append(f"{address}: {reply.status}")


async def slow_body(data: bytes, pause_s: float, begun: asyncio.Event) -> AsyncIterator[bytes]:
    """The bytes in some steps, as over a slow line."""
    step = len(data) // STEPS + 1
    for start in range(0, len(data), step):
        yield data[start : start + step]
        begun.set()
        await asyncio.sleep(pause_s)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_under_load_drops_no_accepted_request(tmp_path: Path, number: int) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        _, image = await upload(session, served.url, pictures.camera_photo())
        viewers = Viewers(served.url, image["slug"])
        uploaders = Uploaders(served.url, seed=random.randrange(10**6))
        looking = [asyncio.create_task(viewers.look_on(keep_alive=number % 2 == 0)) for number in range(10)]
        async with uploaders.at_work():
            await until(lambda: viewers.seen > 50 and len(uploaders.promises) > 10, "some load")
            workers = served.workers()
            assert await served.stop(number) == 0
        await asyncio.gather(*looking)
        assert viewers.dropped == []
        assert uploaders.faults == []
        assert workers
        assert not any(map(is_alive, workers))
        assert not [line for line in served.log_lines() if line["level"] in ("warning", "error", "critical")]

        await served.start()
        assert await broken_promises(session, served.url, uploaders.promises) == []
        assert await shows_a_rendition(session, served.url, image["slug"])
        assert await served.stop() == 0


async def test_an_upload_in_progress_when_the_server_stops_is_accepted(tmp_path: Path) -> None:
    data = pictures.camera_photo()
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        begun = asyncio.Event()
        body = slow_body(data, 0.1, begun)
        sending = asyncio.create_task(session.post(f"{served.url}/api/v1/images?filename=slow.jpg", data=body))
        await begun.wait()
        served.send_signal(signal.SIGTERM)
        async with await sending as reply:
            assert reply.status == 201
            assert reply.headers["Connection"] == "close"
            image = await reply.json()
        assert await served.ended() == 0
        await served.start()
        async with session.get(image["original"]["url"]) as reply:
            assert await reply.read() == data


async def test_who_reads_slowly_gets_the_whole_reply_of_a_server_that_stops(tmp_path: Path) -> None:
    """A reply that was handed to the connection whole is not in the client's hands before it has been read."""
    noise = Image.frombytes("RGB", (1800, 1800), random.Random(1).randbytes(1800 * 1800 * 3))
    data = pictures.saved(noise, "png")
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        _, image = await upload(session, served.url, data)
        async with connected(served) as (reader, writer):
            await ask(writer, f"/i/{image['slug']}/large.png")
            assert await reader.readexactly(1) == b"H"
            ending = asyncio.create_task(served.stop())
            await asyncio.sleep(6)  # longer than the server waits for a connection on which nothing is under way
            _, body = await answered(reader)
            assert len(body) > 8_000_000
        assert await ending == 0


@contextlib.asynccontextmanager
async def connected(served: ServerProcess) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection whose client takes little at a time, so that the rest has to wait with the server."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", served.port))
    reader, writer = await asyncio.open_connection(sock=client)
    try:
        yield reader, writer
    finally:
        writer.close()


async def ask(writer: asyncio.StreamWriter, path: str) -> None:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await writer.drain()


async def answered(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one reply."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    return head, await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))


async def test_a_stopping_server_is_not_ready_and_closes_kept_connections(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        begun = asyncio.Event()
        body = slow_body(pictures.camera_photo(), 0.05, begun)
        sending = asyncio.create_task(session.post(f"{served.url}/api/v1/images", data=body))
        async with connected(served) as (reader, writer):
            await ask(writer, "/readyz")
            head, _ = await answered(reader)
            assert head.startswith(b"http/1.1 200")
            assert b"connection: close" not in head
            await begun.wait()
            served.send_signal(signal.SIGTERM)
            await until(lambda: "stopping" in served.words(), "the server stops")
            await ask(writer, "/readyz")
            head, report = await answered(reader)
            assert head.startswith(b"http/1.1 503")
            assert b"\r\nconnection: close\r\n" in head
            assert json.loads(report)["status"] == "stopping"
            assert await reader.read() == b""
        (await sending).release()
        assert await served.ended() == 0


async def test_a_second_sigterm_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        begun = asyncio.Event()
        body = slow_body(pictures.camera_photo(), 0.1, begun)
        sending = asyncio.create_task(session.post(f"{served.url}/api/v1/images", data=body))
        await begun.wait()
        served.send_signal(signal.SIGTERM)
        await until(lambda: "stopping" in served.words(), "the server stops")
        served.send_signal(signal.SIGTERM)
        async with await sending as reply:
            assert reply.status == 201
        assert await served.ended() == 0


async def test_a_second_ctrl_c_does_not_wait_for_uploads_and_still_ends_cleanly(tmp_path: Path) -> None:
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        begun = asyncio.Event()
        body = slow_body(pictures.camera_photo(), 3.0, begun)  # a minute in all
        sending = asyncio.create_task(session.post(f"{served.url}/api/v1/images", data=body))
        await begun.wait()
        workers = served.workers()
        served.send_signal(signal.SIGINT)
        await until(lambda: "stopping" in served.words(), "the server stops")
        served.send_signal(signal.SIGINT)
        assert await served.ended() == 0
        with pytest.raises(aiohttp.ClientError):
            await sending
        assert not any(map(is_alive, workers))
        assert list((tmp_path / "data/spool/incoming").iterdir()) == []
        assert "Traceback" not in served.words()


async def test_ctrl_c_reaches_the_whole_group_and_still_drops_nothing(tmp_path: Path) -> None:
    """A terminal signals the workers as well; they leave it to the server."""
    async with serving(tmp_path / "data") as served, aiohttp.ClientSession() as session:
        _, image = await upload(session, served.url, pictures.camera_photo())
        before = {pid: _ticks(pid) for pid in served.workers()}
        making = asyncio.create_task(shows_a_rendition(session, served.url, image["slug"]))
        await until(lambda: making.done() or any(_ticks(pid) > before[pid] for pid in before), "a worker is at work")
        for pid in (*served.workers(), served.pid):
            os.kill(pid, signal.SIGINT)
        assert await making
        assert await served.ended() == 0


async def test_a_worker_killed_while_it_resizes_costs_its_own_request_only(tmp_path: Path) -> None:
    async with (
        serving(tmp_path / "data", APPLIANCE_RENDITIONS_WORKERS="2") as served,
        aiohttp.ClientSession() as session,
    ):
        _, giant = await upload(session, served.url, pictures.photo(12_000, 9_000, quality=70), filename="giant.jpg")
        _, other = await upload(session, served.url, pictures.camera_photo())
        before = set(served.workers())
        making = asyncio.create_task(session.get(f"{served.url}/i/{giant['slug']}/large.avif"))
        busy = await _the_busy_one(before)
        os.kill(busy, signal.SIGKILL)
        async with await making as reply:
            assert reply.status == 422
            assert (await reply.json())["code"] == "cannot-resize"
        assert await shows_a_rendition(session, served.url, other["slug"])
        status, _ = await upload(session, served.url, pictures.photo(seed=7))
        assert status == 201
        await until(lambda: len(served.workers()) == len(before), "the dead worker's place is taken")
        assert await served.stop() == 0


async def _the_busy_one(workers: set[int]) -> int:
    """The worker that burns the most processor time over a moment, once one does."""
    before = {pid: _ticks(pid) for pid in workers}
    busy: list[int] = []

    def found() -> bool:
        busy[:] = [pid for pid in workers if _ticks(pid) > before[pid] + 10]
        return bool(busy)

    await until(found, "a worker is at work")
    return busy[0]


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
