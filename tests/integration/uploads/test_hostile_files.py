"""Hostile files over HTTP: each is taken or refused by a stable code, and the server serves on."""

import hashlib
import random
from collections.abc import Callable

import pytest

from tests.support.host import Host
from tests.support.images import hostile, pictures
from tests.support.images.pictures import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
REFUSALS = {"not-an-image", "unsupported-format", "unreadable-image"}
WHOLE: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.photo(200, 150),
    "png": lambda: pictures.png(200, 150),
    "gif": lambda: pictures.animated("gif", 3),
    "webp": lambda: pictures.animated("webp", 3),
    "tiff": pictures.tiff,
    "avif": pictures.avif,
}
FILES: dict[str, Callable[[], bytes]] = {
    "a png that lies about its size": lambda: hostile.png_claiming(hostile.HUGE, hostile.HUGE),
    "a jpeg that lies about its size": lambda: hostile.jpeg_claiming(hostile.HUGE, hostile.HUGE),
    "a gif that lies about its size": lambda: hostile.gif_claiming(hostile.HUGE, hostile.HUGE),
    "a webp that lies about its size": lambda: hostile.webp_claiming(16_000, 16_000),
    "a tiff that lies about its size": lambda: hostile.tiff_claiming(hostile.HUGE, hostile.HUGE),
    "a lie within the limits": lambda: hostile.png_claiming(5000, 4000),
    "a png of no size": lambda: hostile.png_claiming(0, 0),
    "a bomb": hostile.png_bomb,
    "a gif that is a page": hostile.gif_and_html,
    "a jpeg that is an archive": hostile.jpeg_and_zip,
    "an archive": hostile.archive,
    "svg with a script": lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
    "svg behind a declaration": lambda: b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
    "a page": lambda: b"<!doctype html><script>alert(1)</script>",
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "an ImageMagick script": lambda: b"push graphic-context\nfill 'url(https://example.com/x\"|ls \"-la)'\n",
    "a video": lambda: b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(100),
    "a program": lambda: b"\x7fELF\x02\x01\x01" + bytes(100),
    "one byte": lambda: b"\xff",
    "zeros": lambda: bytes(10_000),
}


async def survives(host: Host, data: bytes) -> str:
    """What becomes of an upload: the code of its refusal, or "taken" after all its addresses have answered."""
    response = await host.post(data, "photo.jpg")
    body = await response.json()
    if response.status != 201:
        assert response.status in (400, 415, 422), body
        return str(body["code"])
    for path in ("/original", "/thumbnail.jpg", "/small.webp", ""):
        reply = await host.get(f"/i/{body['slug']}{path}")
        content = await reply.read()
        assert reply.status in (200, 422), (path, content)
        if reply.status == 200 and path in ("/thumbnail.jpg", "/small.webp"):
            assert b"<script>" not in content
            assert max(opened(content).size) <= 512
        if path == "/original":
            assert hashlib.sha256(content).hexdigest() == body["sha256"]
            assert content == data or body["private_data"] in ("removed", "not-removable")
            assert "sandbox" in reply.headers["Content-Security-Policy"]
            assert reply.headers["Content-Type"].startswith("image/")
    return "taken"


@pytest.mark.parametrize("name", FILES)
async def test_a_hostile_file_is_taken_or_refused(shared: Host, name: str) -> None:
    assert await survives(shared, FILES[name]()) in REFUSALS | {"taken"}


@pytest.mark.parametrize("name", WHOLE)
async def test_a_file_cut_anywhere_is_taken_or_refused(shared: Host, name: str) -> None:
    for part in hostile.truncated(WHOLE[name](), 6):
        if part:
            assert await survives(shared, part) in REFUSALS | {"taken"}


async def test_noise_behind_every_signature_is_taken_or_refused(shared: Host) -> None:
    chance = random.Random(20260101)
    for whole in WHOLE.values():
        for head in (8, 40, 200):
            assert await survives(shared, whole()[:head] + chance.randbytes(3000)) in REFUSALS | {"taken"}


async def test_the_server_serves_on_afterwards(shared: Host, jpeg: bytes) -> None:
    slug = (await shared.upload(jpeg))["slug"]
    assert (await shared.get(f"/i/{slug}/medium.avif")).status == 200
    assert (await (await shared.get("/readyz")).json())["status"] == "ready"
    assert shared.files("spool/incoming") == []
