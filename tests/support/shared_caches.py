"""Shared caches for tests: stand-ins that take purges as Varnish and Cloudflare do, and say what they were told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer

from appliance.cdn import SharedCaches, shared_caches
from appliance.cdn.purge_client import READ_TIMEOUT_S
from appliance.config.model import Cdn

TOKEN = "tests-token"
ZONE = "0123456789abcdef0123456789abcdef"
MOST_TAGS = 100


@dataclass
class StandIn:
    """What a cache was told, and how it is to answer: `refusals` are given first, one a call; none while it hangs."""

    kind: str
    url: str = ""
    calls: list[list[str]] = field(default_factory=list)
    refusals: list[web.Response] = field(default_factory=list)
    hangs_until: asyncio.Event | None = None

    @property
    def forgotten(self) -> list[str]:
        return [tag for call in self.calls for tag in call]

    def config(self) -> Cdn:
        """What lets a host purge it."""
        if self.kind == "http":
            return Cdn(purge="http", urls=(self.url,))
        return Cdn(purge="cloudflare", zone=ZONE, token=TOKEN, api_url=f"{self.url}/client/v4")

    def caches(self, *, read_timeout_s: float = READ_TIMEOUT_S) -> SharedCaches:
        caches = shared_caches(self.config(), read_timeout_s=read_timeout_s)
        assert caches is not None
        return caches

    async def answer(self, request: web.Request) -> web.Response:
        if self.hangs_until is not None:
            await self.hangs_until.wait()
        if self.refusals:
            return self.refusals.pop(0)
        return self._banned(request) if self.kind == "http" else await self._purged(request)

    def _banned(self, request: web.Request) -> web.Response:
        if request.method != "PURGE":
            return web.Response(status=405)
        self.calls.append(request.headers["X-Purge-Tag"].split("|"))
        return web.Response(text="banned")

    async def _purged(self, request: web.Request) -> web.Response:
        """As the API answers: a success and a failure have the same members."""
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return cloudflare_says(403, 10000, "Authentication error")
        if (request.method, request.path) != ("POST", f"/client/v4/zones/{ZONE}/purge_cache"):
            return cloudflare_says(404, 7003, "Could not route to this address")
        body = json.loads(await request.read())
        if set(body) != {"tags"} or not 0 < len(body["tags"]) <= MOST_TAGS:
            return cloudflare_says(400, 1094, "Unable to purge, tags: between 1 and 100")
        self.calls.append(body["tags"])
        return cloudflare_says(200)


def cloudflare_says(status: int, code: int = 0, message: str = "") -> web.Response:
    errors = [{"code": code, "message": message}] if code else []
    result = {"id": ZONE} if not code else None
    return web.json_response({"success": not code, "errors": errors, "messages": [], "result": result}, status=status)


@asynccontextmanager
async def stand_in(kind: str) -> AsyncIterator[StandIn]:
    """A cache that listens, of the kind that `cdn.purge` names."""
    cache = StandIn(kind)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", cache.answer)
    async with TestServer(app) as server:
        cache.url = str(server.make_url("")).rstrip("/")
        yield cache
