"""The control socket: how commands on the terminal reach the server that owns the data directory.

A small HTTP app on a Unix socket that only the server's own user may open, and that answers no worker. `listening` is
the server's side; `ask_*` are the commands'.
"""

import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from appliance.access.ban_orders import BanOrder
from appliance.access.orders import KeyOrder
from appliance.catalogue.change_log import Turn
from appliance.config.model import Config
from appliance.domain.errors import ApplianceError, CommandFailed, ServerNotRunning
from appliance.reinspection.steps import Step, StepRequest
from appliance.shared.unix_peers import may_command, peer_of

_log = logging.getLogger(__name__)
_CONNECT_S = 2.0
_STATUS_S = 10.0
_TAKEDOWN_S = 60.0  # a busy disk's commit
_WORK_S = 3600.0  # a year's backlog of expiry, or of originals to rescue

Answer = Mapping[str, Any]


class ExpireNow(Protocol):
    """Ends what is due and returns how many images that were."""

    async def __call__(self, *, clock_confirmed: bool) -> int:
        """`clock_confirmed`: a person says that the clock is right, however wrong it looks. Raises ClockJumped."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What the server does on request. Each may raise an ApplianceError, whose detail reaches the person.

    `status` returns plain values for people and for `doctor`. `drain(drained, announced)` refuses uploads from now on,
    or accepts them, and /readyz says whether it does or soon will. `take_down` ends what has a slug, and returns one
    word for what that was. `reinspect` takes one step. `key` and `ban` carry out orders about access keys and bans.
    `forget_node` removes a node that is gone for good, and `only_on_node` rescues what the store has of its originals,
    and returns slugs of images whose originals only that node has. `log_changes` begins a turn of the catalogue's log
    of changes, and `end_change_log` ends the log. `metrics` returns them as Prometheus reads them.
    """

    expire: ExpireNow
    status: Callable[[], Awaitable[Answer]]
    drain: Callable[[bool, bool], Awaitable[None]]
    take_down: Callable[[str], Awaitable[str]]
    reinspect: Callable[[StepRequest], Awaitable[Step]]
    key: Callable[[KeyOrder], Awaitable[Answer]]
    ban: Callable[[BanOrder], Awaitable[Answer]]
    forget_node: Callable[[str], Awaitable[None]]
    log_changes: Callable[[], Awaitable[Turn]]
    end_change_log: Callable[[], Awaitable[None]]
    only_on_node: Callable[[str], Awaitable[list[str]]]
    metrics: Callable[[], Awaitable[str]]


@asynccontextmanager
async def listening(config: Config, commands: Commands, head: int | None = None) -> AsyncIterator[None]:
    """Answers on the control socket while the block runs. The caller owns the data directory.

    `head` is the process that started this one among several, if there is one.
    """
    runner = web.AppRunner(_app(commands, head), access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, _bound(config)).start()
        yield
    finally:
        await runner.cleanup()
        config.control_path.unlink(missing_ok=True)


async def ask_status(config: Config) -> Answer:
    """The running server's status, with its `pid`. Raises ServerNotRunning, CommandFailed."""
    return await _ask(config, "GET", "/status", None, _STATUS_S)


async def ask_expire(config: Config, *, clock_confirmed: bool) -> int:
    """Has the server expire what is due; returns how many images that were. Raises ServerNotRunning, CommandFailed."""
    answer = await _ask(config, "POST", "/expire", {"clock_confirmed": clock_confirmed}, _WORK_S)
    return int(answer["expired"])


async def ask_drain(config: Config, *, drained: bool, announced: bool = False) -> None:
    """Has the server refuse uploads, or accept them again and, if `announced`, say in /readyz that it won't for long.

    Raises ServerNotRunning, CommandFailed.
    """
    await _ask(config, "POST", "/drain", {"drained": drained, "announced": announced}, _STATUS_S)


async def ask_takedown(config: Config, slug: str) -> str:
    """Has the server end what has the slug, for good. Returns the outcome. Raises ServerNotRunning, CommandFailed."""
    answer = await _ask(config, "POST", "/takedown", {"slug": slug}, _TAKEDOWN_S)
    return str(answer["outcome"])


async def ask_forget_node(config: Config, name: str) -> None:
    """Has the server forget a node. Raises ServerNotRunning, CommandFailed."""
    await _ask(config, "POST", "/forget-node", {"name": name}, _STATUS_S)


async def ask_log_changes(config: Config) -> Turn:
    """Has the server begin a turn of its log of changes. Raises ServerNotRunning, CommandFailed."""
    return Turn(**await _ask(config, "POST", "/log-changes", {}, _TAKEDOWN_S))


async def ask_end_change_log(config: Config) -> None:
    """Has the server end its log of changes. Raises ServerNotRunning, CommandFailed."""
    await _ask(config, "POST", "/end-change-log", {}, _TAKEDOWN_S)


async def ask_only_on_node(config: Config, name: str) -> list[str]:
    """Slugs of images whose originals only a node has that is gone. Raises ServerNotRunning, CommandFailed.

    Has the server first rescue what the store has of them.
    """
    return list((await _ask(config, "POST", "/only-on-node", {"name": name}, _WORK_S))["slugs"])


async def ask_reinspect(config: Config, request: StepRequest) -> Step:
    """Has the server take a step of a reinspection. Raises ServerNotRunning, CommandFailed."""
    answer = await _ask(config, "POST", "/reinspect", asdict(request), _WORK_S)
    return Step(**answer | {"examples": tuple(answer["examples"])})


async def ask_key(config: Config, order: KeyOrder) -> dict[str, Any]:
    """Has the server carry out the order. Raises ServerNotRunning, CommandFailed."""
    return await _ask(config, "POST", "/key", asdict(order), _TAKEDOWN_S)


async def ask_ban(config: Config, order: BanOrder) -> dict[str, Any]:
    """Has the server carry out the order. Raises ServerNotRunning, CommandFailed."""
    return await _ask(config, "POST", "/ban", asdict(order), _TAKEDOWN_S)


async def ask_metrics(config: Config) -> str:
    """The running server's metrics. Raises ServerNotRunning, CommandFailed."""
    return str((await _ask(config, "GET", "/metrics", None, _STATUS_S))["text"])


def _app(commands: Commands, head: int | None) -> web.Application:
    async def status(_request: web.Request) -> web.Response:
        return web.json_response({"pid": os.getpid(), **await commands.status()})

    async def expire(request: web.Request) -> web.Response:
        confirmed = bool((await request.json())["clock_confirmed"])
        return web.json_response({"expired": await commands.expire(clock_confirmed=confirmed)})

    async def drain(request: web.Request) -> web.Response:
        asked = await request.json()
        await commands.drain(bool(asked["drained"]), bool(asked.get("announced", False)))
        return web.json_response({})

    async def takedown(request: web.Request) -> web.Response:
        return web.json_response({"outcome": await commands.take_down(str((await request.json())["slug"]))})

    async def reinspect(request: web.Request) -> web.Response:
        return web.json_response(asdict(await commands.reinspect(StepRequest(**await request.json()))))

    async def key(request: web.Request) -> web.Response:
        return web.json_response(await commands.key(KeyOrder(**await request.json())))

    async def ban(request: web.Request) -> web.Response:
        return web.json_response(await commands.ban(BanOrder(**await request.json())))

    async def forget_node(request: web.Request) -> web.Response:
        await commands.forget_node(str((await request.json())["name"]))
        return web.json_response({})

    async def log_changes(_request: web.Request) -> web.Response:
        return web.json_response(asdict(await commands.log_changes()))

    async def end_change_log(_request: web.Request) -> web.Response:
        await commands.end_change_log()
        return web.json_response({})

    async def only_on_node(request: web.Request) -> web.Response:
        return web.json_response({"slugs": await commands.only_on_node(str((await request.json())["name"]))})

    async def metrics(_request: web.Request) -> web.Response:
        return web.json_response({"text": await commands.metrics()})

    app = web.Application(middlewares=[_only_commanders(head), _errors_in_words])
    app.add_routes(
        [
            web.get("/status", status),
            web.post("/expire", expire),
            web.post("/drain", drain),
            web.post("/takedown", takedown),
            web.post("/reinspect", reinspect),
            web.post("/key", key),
            web.post("/ban", ban),
            web.post("/forget-node", forget_node),
            web.post("/log-changes", log_changes),
            web.post("/end-change-log", end_change_log),
            web.post("/only-on-node", only_on_node),
            web.get("/metrics", metrics),
        ]
    )
    return app


def _only_commanders(head: int | None) -> Middleware:
    """The socket's mode keeps other users out; this keeps out the server's own workers."""

    @web.middleware
    async def require_commander(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = None if request.transport is None else request.transport.get_extra_info("socket")
        peer = None if connection is None else peer_of(connection)
        if peer is None or not may_command(peer, head=head):
            _log.warning("refused a command", extra={"pid": peer and peer.pid})
            return web.json_response(
                {"detail": "The server accepts commands only from its own user and root, and not from its workers."},
                status=403,
            )
        return await handler(request)

    return require_commander


@web.middleware
async def _errors_in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApplianceError as error:
        return web.json_response({"detail": error.detail}, status=409)
    except (KeyError, TypeError, ValueError):
        _log.exception("a command failed", extra={"command": request.path})
        return web.json_response({"detail": "The command failed. See the server log."}, status=500)


@contextmanager
def _short_path(config: Config) -> Iterator[str]:
    """The socket's path by way of an open descriptor: a Unix socket's path is limited to 108 bytes."""
    descriptor = os.open(config.data_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{config.control_path.name}"
    finally:
        os.close(descriptor)


def _bound(config: Config) -> socket.socket:
    config.control_path.unlink(missing_ok=True)  # of a server that died: we own the directory now
    listener = socket.socket(socket.AF_UNIX)
    with _short_path(config) as path:
        listener.bind(path)
        os.chmod(path, 0o600)  # noqa: PTH101 - before it listens, so that nobody else ever connects
    return listener


async def _ask(config: Config, method: str, path: str, body: Answer | None, within_s: float) -> dict[str, Any]:
    timeout = aiohttp.ClientTimeout(total=within_s, connect=_CONNECT_S)
    try:
        with _short_path(config) as socket_path:
            connector = aiohttp.UnixConnector(path=socket_path)
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
                session.request(method, f"http://appliance{path}", json=body) as response,
            ):
                return _read(response.status, await response.text())
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, FileNotFoundError) as fault:
        if isinstance(fault, aiohttp.ClientConnectorError) and isinstance(fault.os_error, PermissionError):
            raise CommandFailed("The control socket belongs to another user. Run this as the server's user.") from fault
        raise ServerNotRunning(f"No server is running on {config.data_dir}.") from fault
    except PermissionError as fault:
        raise CommandFailed(f"The data directory {config.data_dir} belongs to another user.") from fault
    except (aiohttp.ClientError, TimeoutError) as fault:
        raise CommandFailed("The server closed the connection without an answer. See the server log.") from fault


def _read(status: int, text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
        detail = answer.get("detail", "The command failed. See the server log.")
    except (ValueError, AttributeError):
        raise CommandFailed("The server's answer can't be read. See the server log.") from None
    if status != 200:
        raise CommandFailed(detail)
    return dict(answer)
