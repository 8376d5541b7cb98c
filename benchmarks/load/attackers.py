"""Attacks on a host, each from a few loopback addresses, in a process of its own (`main`).

Each attack prints a line when it has begun, and runs until it is killed. They are attacks that slowed version 0.1 down,
and variants of them. `benchmarks.latency_under_attack` starts them and measures what another client sees.
"""

import asyncio
import contextlib
import itertools
import json
import os
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from appliance.config.model import Uploads
from benchmarks.load.target import (
    FOUR_ADDRESSES,
    Target,
    create_album,
    crowd,
    flood,
    hold_open,
    post_form,
    read_answer,
    repeat,
    upload,
)
from tests.support.images import crowded
from tests.support.images.pictures import photo

RESERVE_BYTES = Uploads().reserve_bytes

Attack = Callable[[Target], Awaitable[None]]


# --- small requests that hold the event loop ----------------------------------------------------------------------


async def a_boundary_line_of_tokens(target: Target) -> None:
    """A form of 64 KB whose second boundary line is `--xtokentoken…`."""
    line = b"--x" + b"token" * 13_000
    body = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nA\r\n' + line + b"\r\n\r\n"
    await repeat(target, lambda session: post_form(session, "/api/v1/images", body))


async def an_address_of_tokens(target: Target) -> None:
    """DELETE of an address of 8 KB."""
    path = "/" + "token" * 1_600
    await repeat(target, lambda session: read_answer(session.delete(path)))


async def newlines_before_the_form(target: Target) -> None:
    """5 MB of newlines before the first boundary."""
    body = b"\r\n" * 2_500_000
    await repeat(target, lambda session: post_form(session, "/api/v1/images", body))


async def a_content_type_of_parameters(target: Target) -> None:
    """A form whose Content-Type header is 8 KB of semicolons."""
    headers = {"Content-Type": "multipart/form-data" + "; x" * 2_600}
    await repeat(target, lambda session: read_answer(session.post("/api/v1/images", data=b"x", headers=headers)))


async def tiny_parts(target: Target) -> None:
    """Forms of 5 MB whose parts have a byte each."""
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nA\r\n' * 90_000
    await crowd(target, lambda session: post_form(session, "/api/v1/images", body), at_once=8)


async def an_album_of_500(target: Target) -> None:
    """Its page, over and over."""
    album = await create_album(target)
    await crowd(target, lambda session: read_answer(session.get(f"/a/{album}")), at_once=8)


async def heads_of_a_zip(target: Target) -> None:
    """HEAD of the archive of an album of 500, over and over."""
    album = await create_album(target)
    await crowd(target, lambda session: read_answer(session.head(f"/a/{album}/zip")), at_once=50)


# --- small files that hold the inspectors -------------------------------------------------------------------------


async def unended_xmp(target: Target) -> None:
    """JPEGs of 330 KB whose XMP opens a processing instruction 30,000 times and ends none, 24 at once."""
    packet = b"http://ns.adobe.com/xap/1.0/\0" + b"<?" * 32_000
    jpeg = photo(64, 48)
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    await flood(target, jpeg[:2] + segment * 5 + jpeg[2:])


async def png_text_chunks(target: Target) -> None:
    """PNGs with 100,000 text chunks."""
    await flood(target, crowded.png(100_000))


async def tiff_directories(target: Target) -> None:
    """TIFFs with 300,000 directories."""
    await flood(target, crowded.tiff(300_000))


async def gif_frames(target: Target) -> None:
    """Animations of 500,000 frames of one pixel."""
    await flood(target, crowded.gif(500_000))


async def regions(target: Target) -> None:
    """400 regions of one image by IIIF, all at once."""
    numbers = itertools.count()

    async def one(session: aiohttp.ClientSession) -> None:
        at = next(numbers) % 2000
        await read_answer(session.get(f"/iiif/3/{target.slug}/{at},{at},2000,1500/1999,/0/default.png"))

    await crowd(target, one, at_once=400)


async def cold_sizes(target: Target) -> None:
    """Every size in every format of images that were uploaded for it, 200 at once."""
    slugs = [await upload(target, photo(2400, 1800, seed=seed)) for seed in range(40)]
    paths = itertools.cycle(
        [f"/i/{slug}/large.{ending}" for slug in slugs for ending in ("avif", "png", "webp", "jpg")]
    )
    await crowd(target, lambda session: read_answer(session.get(next(paths))), at_once=200)


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
    await asyncio.gather(*(one(address) for address in FOUR_ADDRESSES for _ in range(128)))


async def idle_forms(target: Target) -> None:
    """19,600 forms from four addresses whose bodies never come."""
    await hold_open(
        target,
        b"POST /i/00000000000000000/manage HTTP/1.1\r\nHost: a\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\n",
    )


async def idle_connections(target: Target) -> None:
    """19,600 connections from four addresses that send the first bytes of a request."""
    await hold_open(target, b"GET / HTTP/1.1\r\nHo")


async def slow_readers(target: Target) -> None:
    """4,000 connections that ask for an original, and read nothing."""
    await hold_open(target, f"GET /i/{target.slug}/original HTTP/1.1\r\nHost: a\r\n\r\n".encode(), 1_000, reading=False)


async def wrong_tokens(target: Target) -> None:
    """Deletions with tokens that are guessed."""
    numbers = itertools.count()

    async def one(session: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {next(numbers):043}"}
        await read_answer(session.delete(f"/api/v1/images/{target.slug}", headers=headers))

    await crowd(target, one, at_once=50)


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


def main() -> None:
    """Carry out the attack of this name on the host that JSON describes."""
    name, described = sys.argv[1:]
    known = json.loads(described)
    target = Target(known["port"], known["slug"], Path(known["data_dir"]))
    asyncio.run(ATTACKS[name](target))  # type: ignore[arg-type]
