"""What a server answers while its start waits for a database or a store: that it isn't ready, and why."""

import asyncio
import logging

from aiohttp import hdrs, web

from appliance.catalogue.opening import database_fault
from appliance.config.model import Config
from appliance.server.sockets import listen
from appliance.server.systemd import Supervisor

LOOK_EVERY_S = 1.0
EXTENDED_S = 30
_LATER = {hdrs.RETRY_AFTER: "5", hdrs.CACHE_CONTROL: "no-store"}
ONLY_STARTING = "The server is starting. Try again in a moment.\n"

log = logging.getLogger(__name__)


class WaitingRoom:
    """Answers 503 on the server's sockets from the first call of `tell` on. Until then connections wait there."""

    def __init__(self, config: Config, supervisor: Supervisor) -> None:
        self._config = config
        self._supervisor = supervisor
        self._runner: web.AppRunner | None = None
        self._parts: dict[str, str] = {}

    async def tell(self, part: str, state: str, details: str) -> None:
        """Which part the start waits for, and its state in words for anybody; only the log has the details.

        Raises UnfitInstallation where the address can't be listened on.
        """
        if self._parts != {part: state}:
            log.warning("the start waits for the %s: %s", part, details)
        self._parts = {part: state}
        self._supervisor.notify(f"STATUS=Waiting for the {part}", f"EXTEND_TIMEOUT_USEC={EXTENDED_S * 1_000_000}")
        if self._runner is None:
            self._runner = await self._opened()

    async def wait_for_database(self) -> None:
        """Return once the database of the catalogue answers, if it is in one."""
        while fault := await asyncio.to_thread(database_fault, self._config):
            await self.tell("catalogue", "its database doesn't answer", fault)
            await asyncio.sleep(LOOK_EVERY_S)

    async def close(self) -> None:
        """Leave the sockets to the site."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _opened(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/healthz", _alive)
        app.router.add_get("/readyz", self._show_parts)
        app.router.add_route(hdrs.METH_ANY, "/{path:.*}", _refuse)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await runner.setup()
        await listen(runner, self._config.server.listen, [one.dup() for one in self._supervisor.sockets])
        return runner

    async def _show_parts(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "starting", "parts": self._parts}, status=503, headers=_LATER)


async def _alive(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _refuse(_request: web.Request) -> web.Response:
    return web.Response(text=ONLY_STARTING, status=503, headers=_LATER)
