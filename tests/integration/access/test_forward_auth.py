"""The recipe of docs/access.md for Caddy, with a real Caddy and a small service in the place of a real one."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from appliance.config.model import Access, Config
from tests.support.access import minted
from tests.support.caddy import caddy
from tests.support.host import Host, OpenHost
from tests.support.invites import guest, invited
from tests.support.programs import ROOT

SIGNED_IN = {"Cookie": "session=ada"}
FORGED = {"Remote-User": "eve"}


def recipe(auth_port: int, port: int, behind: int) -> str:
    """What the documentation says, with ports of this machine."""
    text = (ROOT / "docs/access.md").read_text()
    found = re.search(r"^    images\.example\.org \{\n.*?^    \}$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    site = found[0].replace("images.example.org {", f"http://:{port} {{\n bind 127.0.0.1")
    site = site.replace("127.0.0.1:9091", f"127.0.0.1:{auth_port}").replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    return f"{{\n admin off\n auto_https off\n}}\n{site}\n"


async def verify(request: web.Request) -> web.Response:
    """The service: it knows one session."""
    if request.cookies.get("session") != "ada":
        return web.Response(status=401, text="Sign in first.")
    return web.Response(headers={"Remote-User": "ada"})


@pytest.fixture
async def host(open_host: OpenHost, config: Config) -> Host:
    server = replace(config.server, trusted_proxies=("127.0.0.1",))
    return await open_host(server=server, access=Access(uploads=("key", "signed-in"), user_header="Remote-User"))


@pytest.fixture
async def front(host: Host, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a Caddy in front of the host."""
    service = web.Application()
    service.router.add_get("/verify", verify)
    async with (
        TestServer(service) as auth,
        caddy(tmp_path, host.port, lambda port, behind: recipe(auth.port or 0, port, behind)) as port,
    ):
        yield f"http://127.0.0.1:{port}"


async def test_people_who_sign_in_upload_and_nobody_else_does(front: str, jpeg: bytes) -> None:
    async with aiohttp.ClientSession() as session:
        for headers, status in ((SIGNED_IN, 201), (SIGNED_IN | FORGED, 201), ({}, 401), (FORGED, 401)):
            async with session.post(f"{front}/api/v1/images", data=jpeg, headers=headers) as reply:
                assert reply.status == status
                if status == 201:
                    slug = (await reply.json())["slug"]
        async with session.get(f"{front}/api/v1/me", headers=SIGNED_IN | FORGED) as reply:
            me = await reply.json()
            assert (me["may_upload"], me["signed_in_as"], me["key"]) == (True, "ada", None)
        async with session.get(f"{front}/i/{slug}/small.jpg", headers=FORGED) as reply:
            assert reply.status == 200


async def test_keys_guests_and_passphrases_open_what_they_are_for_without_a_sign_in(
    host: Host, front: str, jpeg: bytes
) -> None:
    key = {"X-API-Key": await minted(host)}
    locked = {"X-Passphrase": "open sesame"}
    async with aiohttp.ClientSession(front) as session:
        async with session.put("/cat.jpg", data=jpeg, headers=key | locked) as reply:
            assert reply.status == 201
            path = URL((await reply.text()).strip()).path
        async with session.get("/api/v1/me", headers=key) as reply:
            assert (await reply.json())["may_upload"] is True
        async with session.get("/") as reply:
            assert reply.status == 200
        fields = {"passphrase": locked["X-Passphrase"]}
        async with session.post(f"{path}/unlock", data=fields, allow_redirects=False) as reply:
            assert reply.status == 303
        async with session.put("/open.jpg", data=jpeg, headers=key) as reply:
            slug = URL((await reply.text()).strip()).name
        async with session.post("/api/v1/albums", json={"images": [slug]}, headers=key) as reply:
            album = await reply.json()
        guest_link = await invited(host, album)
        async with session.post("/api/v1/images", data=jpeg, headers=guest(guest_link)) as reply:
            assert reply.status == 201


async def test_people_sign_in_at_an_address_of_its_own(front: str) -> None:
    async with aiohttp.ClientSession(front) as session:
        async with session.get("/sign-in", allow_redirects=False) as reply:
            assert reply.status == 401
        async with session.get("/sign-in", headers=SIGNED_IN, allow_redirects=False) as reply:
            assert (reply.status, reply.headers["Location"]) == (302, "/")
