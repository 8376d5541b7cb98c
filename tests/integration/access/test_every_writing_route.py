"""A key that isn't valid is refused on every route that writes: the router lists them, so a new one is among them."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from itertools import count

import pytest
from aiohttp import ClientResponse

from appliance.access.bans import NewBan
from appliance.config.model import Server
from tests.support.access import minted
from tests.support.albums import made
from tests.support.host import Host, OpenHost, bearer
from tests.support.invites import invited, token_of
from tests.support.writing_routes import WRITING, writing_routes


@dataclass
class Target:
    """A host with an image, an album and a guest link, and keys that have ended, each with the code that says so."""

    host: Host
    values: dict[str, str]
    delete_token: str
    keys: dict[str, str]
    addresses: Iterator[str]

    async def ask(self, method: str, path: str, headers: dict[str, str]) -> ClientResponse:
        """From a new address each time, since many wrong keys of one are answered later and later."""
        filled = re.sub(r"\{(\w+)\}", lambda name: self.values[name[1]], path)
        sent = {"X-Forwarded-For": next(self.addresses), "Accept": "text/html"} | headers
        return await self.host.client.request(method, filled, data=b"body", headers=sent, allow_redirects=False)

    async def is_untouched(self) -> bool:
        images = await self.host.appliance.catalogue.images.page()
        is_there = await self.host.get(f"/i/{self.values['slug']}")
        return len(images) == 1 and is_there.status == 200 and self.host.files("spool/uploads") == []


@pytest.fixture
async def target(open_host: OpenHost, jpeg: bytes) -> AsyncIterator[Target]:
    host = await open_host(server=Server(trusted_proxies=("127.0.0.1",)))
    image = await host.upload(jpeg)
    invite = await invited(host, await made(host, [image]))
    revoked, rotated = await minted(host, "revoked"), await minted(host, "rotated")
    expired = await minted(host, "expired", expires_in_s=60)
    host.clock.forward(60)
    await host.appliance.access_keys.revoke("revoked")
    await host.appliance.access_keys.rotate("rotated")
    values = {"slug": image["slug"], "token": token_of(invite), "invite": invite["id"], "id": "x" * 22}
    yield Target(
        host,
        values | {"filename": "a.jpg"},
        image["delete_token"],
        {"key-revoked": revoked, "key-expired": expired, "key-rotated": rotated, "key-invalid": "imgk_" + "0" * 44},
        (f"198.51.{number // 250}.{number % 250}" for number in count(1)),
    )


async def code_of(response: ClientResponse) -> str:
    """In any form of error: problem details, Chevereto's, and the page."""
    if "json" not in response.content_type:
        found = re.search("<dt>Code</dt><dd><code>([a-z-]+)</code>", await response.text())
        return "" if found is None else found[1]
    body = await response.json()
    return str(body.get("code") or body.get("error", {}).get("context"))


def test_there_are_routes_that_write() -> None:
    assert {method for method, _ in writing_routes()} == WRITING
    assert ("POST", "/api/v1/images") in writing_routes()


async def test_no_route_lets_a_key_in_that_is_not_valid(target: Target) -> None:
    """Not even with the delete token next to it: it may be meant for something else."""
    for method, path in writing_routes():
        for code, key in target.keys.items():
            for headers in ({"X-API-Key": key}, bearer(key), {"X-API-Key": key} | bearer(target.delete_token)):
                response = await target.ask(method, path, headers)
                assert (method, path, response.status) == (method, path, 401)
                assert (method, path, await code_of(response)) == (method, path, code)
    assert await target.is_untouched()


async def test_no_route_lets_a_banned_key_in(target: Target) -> None:
    banned = bearer(await minted(target.host, "banned"))
    await target.host.appliance.bans.add(NewBan("banned"))
    for method, path in writing_routes():
        if path.endswith(("/unlock", "/view")):  # these show something, and change nothing
            continue
        response = await target.ask(method, path, banned)
        assert (method, path, response.status, await code_of(response)) == (method, path, 403, "banned")
    assert await target.is_untouched()
