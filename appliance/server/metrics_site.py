"""GET /metrics on an address of its own, which no proxy forwards."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST

from appliance.config.model import Server
from appliance.http.responses import SOFTWARE
from appliance.server.sockets import listen

Text = Callable[[], Awaitable[str]]
"""All metrics, as Prometheus reads them."""


@asynccontextmanager
async def serving_metrics(
    server: Server, text: Text, handed_over: Sequence[socket.socket] = ()
) -> AsyncIterator[Sequence[Any]]:
    """Answer at the addresses that this yields, while the block runs; nowhere if there is no address and no socket.

    Raises UnfitInstallation.
    """
    if server.metrics_listen is None and not handed_over:
        yield ()
        return

    async def show(_request: web.Request) -> web.Response:
        headers = {hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST, hdrs.SERVER: SOFTWARE}
        return web.Response(body=(await text()).encode(), headers=headers)

    app = web.Application()
    app.router.add_get("/metrics", show)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, auto_decompress=False)
    await runner.setup()
    try:
        await listen(runner, server.metrics_listen or "", handed_over)
        yield runner.addresses
    finally:
        await runner.cleanup()
