"""A host under attack, and the ways in which attacks load it: over and over, many at once, or by doing nothing."""

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from tests.support.images.pictures import photo

BOUNDARY = "x"
ATTACKER = "127.0.0.2"
FOUR_ADDRESSES = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
PER_ADDRESS = 4_900  # in all a little fewer than the 20,000 files that a process may have open on many machines


class Target:
    """The host under attack. `slug` is an image of twelve megapixels."""

    def __init__(self, port: int, slug: str, data_dir: Path) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.slug = slug
        self.data_dir = data_dir

    def begun(self) -> None:
        """Say that what the attack needed is there, and that it begins."""
        print("begun", flush=True)

    def session(self, address: str = ATTACKER, connections: int = 100) -> aiohttp.ClientSession:
        """A client of that address; it waits for answers as long as the attack lasts."""
        connector = aiohttp.TCPConnector(limit=connections, local_addr=(address, 0))
        return aiohttp.ClientSession(self.url, connector=connector, timeout=aiohttp.ClientTimeout(None))

    async def connect(self, address: str = ATTACKER) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(address, 0))


async def post_form(session: aiohttp.ClientSession, path: str, body: bytes) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    await read_answer(session.post(path, data=body, headers=headers))


async def read_answer(request: "aiohttp.client._RequestContextManager") -> None:
    """Read what comes of the request, whatever it is."""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with request as response:
            await response.read()


async def repeat(target: Target, do: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    """One request after the other."""
    target.begun()
    async with target.session() as session:
        while True:
            await do(session)


async def crowd(target: Target, do: Callable[[aiohttp.ClientSession], Awaitable[None]], at_once: int) -> None:
    """So many requests at once, over and over."""

    async def one(session: aiohttp.ClientSession) -> None:
        while True:
            await do(session)

    target.begun()
    async with target.session(connections=at_once) as session:
        await asyncio.gather(*(one(session) for _ in range(at_once)))


async def flood(target: Target, file: bytes) -> None:
    """Upload the file, 24 at once, over and over."""

    async def one(session: aiohttp.ClientSession) -> None:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(file), filename="a")
        await read_answer(session.post("/api/v1/images", data=form))
        await asyncio.sleep(0.01)

    await crowd(target, one, at_once=24)


async def hold_open(target: Target, sent: bytes, each: int = PER_ADDRESS, *, reading: bool = True) -> None:
    """Open connections that send this and wait; those that the host closes are opened again."""

    async def one(address: str) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await target.connect(address)
                writer.write(sent)
                if not reading:
                    writer.transport.pause_reading()  # type: ignore[attr-defined]
                    await asyncio.sleep(3600)
                else:
                    await reader.read()
                writer.close()
            await asyncio.sleep(1)

    target.begun()
    await asyncio.gather(*(one(address) for address in FOUR_ADDRESSES for _ in range(each)))


async def upload(target: Target, data: bytes) -> str:
    """The slug of the new image."""
    async with target.session() as session, session.post("/api/v1/images?filename=a.jpg", data=data) as response:
        slug: str = (await response.json())["slug"]
        return slug


async def create_album(target: Target) -> str:
    """The slug of a new album of 500 images."""
    slugs = [await upload(target, photo(64, 48, seed=seed)) for seed in range(500)]
    async with target.session() as session, session.post("/api/v1/albums", json={"images": slugs}) as response:
        slug: str = (await response.json())["slug"]
        return slug
