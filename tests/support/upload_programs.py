"""Upload programs that people use, sent through a network that cuts them off to a server that is killed meanwhile."""

import asyncio
import contextlib
import io
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed

from tests.support.programs import node_clients
from tests.support.relay import Relay
from tests.support.server_process import ServerProcess
from tests.support.tus_client import UPLOADS

TUSPY = ("tuspy", "tuspy with checksums")
NODE = (
    "tus-js-client",
    "tus-js-client whole",
    "tus-js-client parallel",
    "tus-js-client deferred",
    "tus-js-client with creation",
    "uppy",
)
CLIENTS = (*TUSPY, *NODE)
CHUNK_BYTES = 1_000_000
PAUSE_S = 0.03  # for 64 KB, so that an upload takes long enough to be hit
AGAIN_S = 0.5


@dataclass(frozen=True)
class Brought:
    """An upload that a client called finished. `again`: how often it had given up and was told to go on."""

    client: str
    state: dict[str, Any]
    requests: int
    again: int
    seconds: float

    @property
    def sha256(self) -> str:
        return str(self.state["image"]["sha256"])


@dataclass(frozen=True)
class Ordeal:
    """What happened while the clients were at it."""

    brought: Sequence[Brought]
    kills: int
    cuts: int


async def through_an_ordeal(  # noqa: PLR0917 - what it takes
    served: ServerProcess, clients: Sequence[str], files: Sequence[Path], kills: int, seed: int, share: float = 0.7
) -> Ordeal:
    """Each client uploads its file; connections are cut at random bytes, and the server is killed and started again."""
    choose, killed = random.Random(seed), 0
    relay = Relay(served.port, seed=seed, share=share, most=3 * CHUNK_BYTES, pause_s=PAUSE_S)
    async with relay.listening() as url, asyncio.TaskGroup() as group:
        tasks = [group.create_task(brought(url, client, file)) for client, file in zip(clients, files, strict=True)]
        while killed < kills and not all(task.done() for task in tasks):
            await asyncio.sleep(choose.uniform(0.2, 1.5))
            served.kill()
            killed += 1
            await served.start()
    return Ordeal([task.result() for task in tasks], killed, relay.cut)


async def brought(url: str, client: str, file: Path) -> Brought:
    began_s = time.monotonic()
    bring = _with_tuspy if client in TUSPY else _with_node
    where, requests, again = await bring(url + UPLOADS, client, file)
    state = await _state(url, where.partition(UPLOADS)[2])
    return Brought(client, state, requests, again, time.monotonic() - began_s)


async def _with_node(endpoint: str, client: str, file: Path) -> tuple[str, int, int]:
    process = await asyncio.create_subprocess_exec(
        *node_clients(), client, endpoint, str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, words = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise RuntimeError(f"{client} ended with {process.returncode}: {words.decode()[-2000:]}")
    told = json.loads(out)
    return told["url"], told["requests"], told["again"]


async def _with_tuspy(endpoint: str, client: str, file: Path) -> tuple[str, int, int]:
    uploader = TusClient(endpoint).uploader(
        file_stream=io.BytesIO(file.read_bytes()),
        chunk_size=CHUNK_BYTES // 4,
        upload_checksum=client != "tuspy",
        metadata={"filename": "cat.jpg", "title": client},
        retries=20,
        retry_delay=1,
    )
    again = 0
    while True:
        try:
            await asyncio.to_thread(uploader.upload)
        except (TusCommunicationError, TusUploadFailed, OSError):  # it does not try creations and HEADs again
            again += 1
            await asyncio.sleep(AGAIN_S)
        else:
            return str(uploader.url), 0, again


async def _state(url: str, upload: str) -> dict[str, Any]:
    """What the host says of the upload at last; a small request comes through, but the server may be down."""
    async with aiohttp.ClientSession(headers={"Connection": "close"}) as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                async with session.get(f"{url}{UPLOADS}{upload}") as reply:
                    if reply.status == 200:
                        found: dict[str, Any] = await reply.json()
                        if found["state"] == "done":
                            return found
            await asyncio.sleep(AGAIN_S)
