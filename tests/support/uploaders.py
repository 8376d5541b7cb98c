"""Clients that upload without a pause, over real connections, and remember what they were promised."""

import asyncio
import contextlib
import hashlib
import io
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from PIL import Image

from tests.support.images.noise import LEAST_BYTES, padded

PAUSE_S = 0.02


@dataclass(frozen=True)
class Promise:
    """An upload that got its 201."""

    slug: str
    sha256: str
    delete_token: str


@dataclass
class Uploaders:
    """Some clients, half of them with forms and half with raw bodies. `faults` are the answers that were no 201."""

    url: str
    seed: int
    promises: list[Promise] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    broken: int = 0

    @contextlib.asynccontextmanager
    async def at_work(self, how_many: int = 4) -> AsyncIterator["Uploaders"]:
        """They upload while the block runs."""
        async with aiohttp.ClientSession() as session:
            tasks = [asyncio.create_task(self._keep_on(session, number)) for number in range(how_many)]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_on(self, session: aiohttp.ClientSession, number: int) -> None:
        choose = random.Random(f"{self.seed}/{number}")
        while True:
            data = any_picture(choose)
            try:
                status, answer = await upload(session, self.url, data, raw=number % 2 == 1)
            except (aiohttp.ClientError, ConnectionError):
                self.broken += 1
            else:
                self._note(status, answer, data)
            await asyncio.sleep(PAUSE_S)

    def _note(self, status: int, answer: dict[str, Any], data: bytes) -> None:
        if status == 201:
            digest = hashlib.sha256(data).hexdigest()
            assert answer["sha256"] == digest
            self.promises.append(Promise(answer["slug"], digest, answer["delete_token"]))
        else:
            self.faults.append(f"{status} {answer.get('code')}")


async def upload(
    session: aiohttp.ClientSession, url: str, data: bytes, *, raw: bool = False, filename: str = "photo.jpg"
) -> tuple[int, dict[str, Any]]:
    """The status and the document that an upload is answered with."""
    if raw:
        request = session.post(f"{url}/api/v1/images", params={"filename": filename}, data=io.BytesIO(data))
    else:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(data), filename=filename, content_type="application/octet-stream")
        request = session.post(f"{url}/api/v1/images", data=form)
    async with request as reply:
        document: dict[str, Any] = await reply.json(content_type=None)
        return reply.status, document


def any_picture(choose: random.Random) -> bytes:
    """A picture of 1 KB to 3 MB that nobody else has, and that keeps its bytes: most are small."""
    max_bytes = choose.choice((LEAST_BYTES, LEAST_BYTES, 8_000, 60_000, 600_000, 2_800_000))
    return padded(choose.randint(LEAST_BYTES, max_bytes), choose.getrandbits(64))


async def broken_promises(session: aiohttp.ClientSession, url: str, promises: list[Promise]) -> list[str]:
    """What is not there as it was promised: the page, and the very bytes."""
    at_once = asyncio.Semaphore(8)

    async def one(promise: Promise) -> str | None:
        async with at_once:
            async with session.get(f"{url}/i/{promise.slug}") as page:
                if page.status != 200:
                    return f"{promise.slug}: its page answers {page.status}"
            async with session.get(f"{url}/i/{promise.slug}/original") as original:
                data = await original.read()
                if original.status != 200 or hashlib.sha256(data).hexdigest() != promise.sha256:
                    return f"{promise.slug}: its original answers {original.status} with {len(data)} bytes"
            return None

    return [words for words in await asyncio.gather(*map(one, promises)) if words]


async def shows_a_rendition(session: aiohttp.ClientSession, url: str, slug: str) -> bool:
    """Whether the thumbnail comes and decodes."""
    async with session.get(f"{url}/i/{slug}/thumbnail.jpg") as reply:
        if reply.status != 200:
            return False
        Image.open(io.BytesIO(await reply.read())).load()
        return True
