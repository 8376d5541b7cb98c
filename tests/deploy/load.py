"""Load, and an account of it: some clients upload and view through the front without a pause, and count what fails.

A closed loop of a few clients on loopback: each waits for its answer, and a little longer, before it asks again.
"""

import asyncio
import hashlib
import random
import re
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.support.uploaders import any_picture

HOST = "img.test"
URL = f"https://{HOST}"
HERE = "127.0.0.1"
UPLOADERS, VIEWERS = 2, 4
PAUSE_S = 0.1
PATIENCE_S = 120.0
KEPT_WORDS = 20
REFUSED = re.compile(r"^(/\S* )?503\b")
BROKEN_OFF = ("ClientPayloadError", "ServerDisconnectedError", "ClientOSError", "ClientConnectionResetError")
CUT = re.compile(rf"^502\b|^(/\S* )?({'|'.join(BROKEN_OFF)})\b")  # a view that gets 502 could have been asked again
VERSIONS = ("original", "thumbnail.jpg", "small.webp", "medium.jpg", "")


class Only(AbstractResolver):
    """Every name leads to one address."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(
                hostname=host,
                host=self._address,
                port=port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is open."""


def session(authority: Path, patience_s: float = PATIENCE_S, front: str = HERE) -> aiohttp.ClientSession:
    """A client that trusts the authority of the front at that address, and nobody else."""
    trust = ssl.create_default_context(cafile=str(authority))
    connector = aiohttp.TCPConnector(ssl=trust, resolver=Only(front), limit=0)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=patience_s))


@dataclass
class Account:
    """What was asked and how it ended. `promises` are uploads that got their 201: slug to sha256.

    `refused` are those of the failed that were answered 503: nothing is lost, and they may be repeated. `cut` are those
    whose server went away after it had begun to receive or to answer, so that nobody could ask another one.
    """

    clients: int = 0
    sent: int = 0
    failed: int = 0
    refused: int = 0
    cut: int = 0
    slowest_s: float = 0.0
    words: list[str] = field(default_factory=list)
    promises: dict[str, str] = field(default_factory=dict)
    by_kind: Counter[str] = field(default_factory=Counter)
    failed_by_kind: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, took_s: float, fault: str | None) -> None:
        self.sent += 1
        self.by_kind[kind] += 1
        self.slowest_s = max(self.slowest_s, took_s)
        if fault is not None:
            self.failed += 1
            self.failed_by_kind[kind] += 1
            self.refused += bool(REFUSED.search(fault))
            self.cut += bool(CUT.search(fault))
            if len(self.words) < KEPT_WORDS:
                self.words.append(f"{kind}: {fault}")


class Load:
    """The clients, on a thread of their own between `start` and `stop`, or as a context."""

    def __init__(self, authority: Path, *, seed: int = 1, front: str = HERE) -> None:
        self.account = Account(clients=UPLOADERS + VIEWERS)
        self._front = front
        self._authority = authority
        self._seed = seed
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._work()), daemon=True)

    def __enter__(self) -> Account:
        self._thread.start()
        until = time.monotonic() + PATIENCE_S
        while len(self.account.promises) < 3 and time.monotonic() < until:  # so that there is something to view
            time.sleep(0.05)
        return self.account

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(PATIENCE_S)

    async def _work(self) -> None:
        async with session(self._authority, front=self._front) as client, asyncio.TaskGroup() as tasks:
            for number in range(UPLOADERS):
                tasks.create_task(self._upload_on(client, random.Random(f"{self._seed}/{number}")))
            for number in range(VIEWERS):
                tasks.create_task(self._view_on(client, random.Random(f"{self._seed}/v{number}")))

    async def _upload_on(self, client: aiohttp.ClientSession, choose: random.Random) -> None:
        while not self._over.is_set():
            data = any_picture(choose)
            began = time.monotonic()
            fault, answer = await _posted(client, data)
            self.account.note("upload", time.monotonic() - began, fault)
            if answer is not None:
                self.account.promises[answer["slug"]] = hashlib.sha256(data).hexdigest()
            await asyncio.sleep(PAUSE_S)

    async def _view_on(self, client: aiohttp.ClientSession, choose: random.Random) -> None:
        while not self._over.is_set():
            if self.account.promises:
                slug = choose.choice(list(self.account.promises))
                began = time.monotonic()
                fault = await _looked(client, f"/i/{slug}/{choose.choice(VERSIONS)}".rstrip("/"))
                self.account.note("view", time.monotonic() - began, fault)
            await asyncio.sleep(PAUSE_S)


async def _posted(client: aiohttp.ClientSession, data: bytes) -> tuple[str | None, dict[str, Any] | None]:
    try:
        async with client.post(f"{URL}/api/v1/images?filename=load.jpg", data=data) as reply:
            answer: dict[str, Any] = await reply.json(content_type=None) or {}  # the front's own errors are empty
            return (None, answer) if reply.status == 201 else (f"{reply.status} {answer.get('code')}", None)
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as fault:
        return repr(fault), None


async def _looked(client: aiohttp.ClientSession, path: str) -> str | None:
    try:
        async with client.get(f"{URL}{path}") as reply:
            await reply.read()
            return None if reply.status == 200 else f"{path} {reply.status}"
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        return f"{path} {fault!r}"


async def broken_promises(authority: Path, promises: dict[str, str], front: str = HERE) -> list[str]:
    """Uploads whose original is not there, or not the same, byte for byte."""
    broken = []
    async with session(authority, front=front) as client:
        for slug, digest in promises.items():
            async with client.get(f"{URL}/i/{slug}/original") as reply:
                if reply.status != 200 or hashlib.sha256(await reply.read()).hexdigest() != digest:
                    broken.append(f"{slug}: {reply.status}")
    return broken
