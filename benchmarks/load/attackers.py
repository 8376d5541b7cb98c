"""Attacks on a host, each from a few loopback addresses, in a process of its own (`main`).

Each attack prints a line when it has begun, and runs until it is killed. They are attacks that slowed version 0.1 down,
and variants of them. `benchmarks.latency_under_attack` starts them and measures what another client sees.
"""

import asyncio
import contextlib
import io
import itertools
import json
import os
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp

from appliance.config.model import Uploads
from tests.support.images.pictures import photo

BOUNDARY = "x"
ATTACKER = "127.0.0.2"
FOUR = ("127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5")
RESERVE_BYTES = Uploads().reserve_bytes
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


Attack = Callable[[Target], Awaitable[None]]


# --- small requests that hold the event loop ----------------------------------------------------------------------


async def a_boundary_line_of_tokens(target: Target) -> None:
    """A form of 64 KB whose second boundary line is `--xtokentoken…`."""
    line = b"--x" + b"token" * 13_000
    body = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nA\r\n' + line + b"\r\n\r\n"
    await _forever(target, lambda session: _post(session, "/api/v1/images", body))


async def an_address_of_tokens(target: Target) -> None:
    """DELETE of an address of 8 KB."""
    path = "/" + "token" * 1_600
    await _forever(target, lambda session: _answered(session.delete(path)))


async def newlines_before_the_form(target: Target) -> None:
    """5 MB of newlines before the first boundary."""
    body = b"\r\n" * 2_500_000
    await _forever(target, lambda session: _post(session, "/api/v1/images", body))


async def a_content_type_of_parameters(target: Target) -> None:
    """A form whose Content-Type header is 8 KB of semicolons."""
    headers = {"Content-Type": "multipart/form-data" + "; x" * 2_600}
    await _forever(target, lambda session: _answered(session.post("/api/v1/images", data=b"x", headers=headers)))


async def tiny_parts(target: Target) -> None:
    """Forms of 5 MB whose parts have a byte each."""
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nA\r\n' * 90_000
    await _crowd(target, lambda session: _post(session, "/api/v1/images", body), at_once=8)


async def an_album_of_500(target: Target) -> None:
    """Its page, over and over."""
    album = await _album(target)
    await _crowd(target, lambda session: _answered(session.get(f"/a/{album}")), at_once=8)


async def heads_of_a_zip(target: Target) -> None:
    """HEAD of the archive of an album of 500, over and over."""
    album = await _album(target)
    await _crowd(target, lambda session: _answered(session.head(f"/a/{album}/zip")), at_once=50)


# --- small files that hold the inspectors -------------------------------------------------------------------------


async def unended_xmp(target: Target) -> None:
    """JPEGs of 330 KB whose XMP opens a processing instruction 30,000 times and ends none, 24 at once."""
    packet = b"http://ns.adobe.com/xap/1.0/\0" + b"<?" * 32_000
    jpeg = photo(64, 48)
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    await _flood(target, jpeg[:2] + segment * 5 + jpeg[2:])


async def png_text_chunks(target: Target) -> None:
    """PNGs with 100,000 text chunks."""
    await _flood(target, _png(_chunk(b"tEXt", b"Comment\0x") * 100_000))


async def tiff_directories(target: Target) -> None:
    """TIFFs with 300,000 directories."""
    await _flood(target, _tiff_of_directories(300_000))


async def gif_frames(target: Target) -> None:
    """Animations of 500,000 frames of one pixel."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    await _flood(target, head + frame * 500_000 + b";")


async def regions(target: Target) -> None:
    """400 regions of one image by IIIF, all at once."""
    numbers = itertools.count()

    async def one(session: aiohttp.ClientSession) -> None:
        at = next(numbers) % 2000
        await _answered(session.get(f"/iiif/3/{target.slug}/{at},{at},2000,1500/1999,/0/default.png"))

    await _crowd(target, one, at_once=400)


async def cold_sizes(target: Target) -> None:
    """Every size in every format of images that were uploaded for it, 200 at once."""
    slugs = [await _uploaded(target, photo(2400, 1800, seed=seed)) for seed in range(40)]
    paths = itertools.cycle(
        [f"/i/{slug}/large.{ending}" for slug in slugs for ending in ("avif", "png", "webp", "jpg")]
    )
    await _crowd(target, lambda session: _answered(session.get(next(paths))), at_once=200)


# --- promises that deny -------------------------------------------------------------------------------------------


async def announced_room(target: Target) -> None:
    """As many bytes announced as the disk has free, 100 sent, and again before it ends.

    In halves of what is left, so that others' uploads, which change what is free, leave no gap.
    """

    async def one(part: int) -> None:
        while True:
            disk = os.statvfs(target.data_dir)
            free = disk.f_bavail * disk.f_frsize - RESERVE_BYTES
            head = f"POST /api/v1/images?filename=a.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: {free >> part}\r\n\r\n"
            with contextlib.suppress(OSError, TimeoutError):
                reader, writer = await target.connect()
                writer.write(head.encode() + photo(64, 48)[:100])
                await asyncio.wait_for(reader.read(), 5)
                writer.close()

    target.begun()
    await asyncio.gather(*(one(part) for part in range(1, 30)))


async def slow_uploads(target: Target) -> None:
    """Four addresses with 128 uploads each, of 80 bytes a second."""

    async def one(address: str) -> None:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await target.connect(address)
                writer.write(
                    b"POST /api/v1/images?filename=a.jpg HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"
                )
                while not writer.is_closing():
                    writer.write(b"\xff\xd8\xff\xe0" * 20)
                    await writer.drain()
                    await asyncio.sleep(1)
            await asyncio.sleep(0.1)

    target.begun()
    await asyncio.gather(*(one(address) for address in FOUR for _ in range(128)))


async def idle_forms(target: Target) -> None:
    """19,600 forms from four addresses whose bodies never come."""
    await _idle(
        target,
        b"POST /i/00000000000000000/manage HTTP/1.1\r\nHost: a\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n",
    )


async def idle_connections(target: Target) -> None:
    """19,600 connections from four addresses that send the first bytes of a request."""
    await _idle(target, b"GET / HTTP/1.1\r\nHo")


async def slow_readers(target: Target) -> None:
    """4,000 connections that ask for an original, and read nothing."""
    await _idle(target, f"GET /i/{target.slug}/original HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 1_000, reading=False)


async def wrong_tokens(target: Target) -> None:
    """Deletions with tokens that are guessed."""
    numbers = itertools.count()

    async def one(session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {next(numbers):043}"}
        await _answered(session.delete(f"/api/v1/images/{target.slug}", headers=headers))

    await _crowd(target, one, at_once=50)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        a_boundary_line_of_tokens,
        an_address_of_tokens,
        newlines_before_the_form,
        a_content_type_of_parameters,
        tiny_parts,
        an_album_of_500,
        heads_of_a_zip,
        unended_xmp,
        png_text_chunks,
        tiff_directories,
        gif_frames,
        regions,
        cold_sizes,
        announced_room,
        slow_uploads,
        idle_forms,
        idle_connections,
        slow_readers,
        wrong_tokens,
    )
}
"""By name, in the order of the table."""


# --- what they share ----------------------------------------------------------------------------------------------


async def _post(session: aiohttp.ClientSession, path: str, body: bytes) -> None:
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    await _answered(session.post(path, data=body, headers=headers))


async def _answered(request: "aiohttp.client._RequestContextManager") -> None:
    """Whatever comes of it."""
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with request as response:
            await response.read()


async def _forever(target: Target, do: Callable[[aiohttp.ClientSession], Awaitable[None]]) -> None:
    target.begun()
    async with target.session() as session:
        while True:
            await do(session)


async def _crowd(target: Target, do: Callable[[aiohttp.ClientSession], Awaitable[None]], at_once: int) -> None:
    async def one(session: aiohttp.ClientSession) -> None:
        while True:
            await do(session)

    target.begun()
    async with target.session(connections=at_once) as session:
        await asyncio.gather(*(one(session) for _ in range(at_once)))


async def _flood(target: Target, file: bytes) -> None:
    """The file, 24 at once, over and over."""

    async def one(session: aiohttp.ClientSession) -> None:
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(file), filename="a")
        await _answered(session.post("/api/v1/images", data=form))
        await asyncio.sleep(0.01)

    await _crowd(target, one, at_once=24)


async def _idle(target: Target, sent: bytes, each: int = PER_ADDRESS, *, reading: bool = True) -> None:
    """Connections that send this and wait; those that the host closes are opened again."""

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
    await asyncio.gather(*(one(address) for address in FOUR for _ in range(each)))


async def _uploaded(target: Target, data: bytes) -> str:
    async with target.session() as session, session.post("/api/v1/images?filename=a.jpg", data=data) as response:
        slug: str = (await response.json())["slug"]
        return slug


async def _album(target: Target) -> str:
    """Of 500 images."""
    slugs = [await _uploaded(target, photo(64, 48, seed=seed)) for seed in range(500)]
    async with target.session() as session, session.post("/api/v1/albums", json={"images": slugs}) as response:
        slug: str = (await response.json())["slug"]
        return slug


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(between: bytes) -> bytes:
    """One grey pixel, with chunks before it."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + between + _chunk(b"IDAT", zlib.compress(b"\0\0")) + _chunk(b"IEND", b"")


def _tiff_of_directories(count: int) -> bytes:
    """Grey pages of one pixel that share it."""
    entries = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1))
    size = 2 + 12 * len(entries) + 4

    def directory(number: int) -> Iterator[bytes]:
        yield struct.pack("<H", len(entries))
        yield from (struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries)
        yield struct.pack("<I", 12 + (number + 1) * size if number + 1 < count else 0)

    head = b"II*\0" + struct.pack("<I", 12) + b"\x80\0\0\0"
    return head + b"".join(part for number in range(count) for part in directory(number))


def main() -> None:
    """Carry out the attack of this name on the host that JSON describes."""
    name, described = sys.argv[1:]
    known = json.loads(described)
    target = Target(known["port"], known["slug"], Path(known["data_dir"]))
    asyncio.run(ATTACKS[name](target))  # type: ignore[arg-type]
