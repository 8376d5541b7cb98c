"""A server of several processes on one machine."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from appliance.config.model import Config
from appliance.domain.errors import CommandFailed, ServerNotRunning
from appliance.server.control import ask_status
from tests.support.programs import free_port
from tests.support.server_process import ServerProcess, on_minio
from tests.support.servers import Server
from tests.support.service_manager import Manager
from tests.support.waiting import until

START_S = 180
LOOK_EVERY_S = 0.3


class Box(ServerProcess):
    """A server of two processes, which has a service manager."""

    def __init__(self, folder: Path, database: str, minio: Server) -> None:
        metrics, own = free_port(), _free_pair()
        self.manager = Manager(f"@{folder}")
        self.metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        self.own_urls = (f"http://127.0.0.1:{own}", f"http://127.0.0.1:{own + 1}")
        super().__init__(
            folder / "data",
            APPLIANCE_CATALOGUE_URL=database,
            APPLIANCE_NODE_NAME="box",
            APPLIANCE_SERVER_PROCESSES="2",
            APPLIANCE_SERVER_PROCESS_LISTEN=f"127.0.0.1:{own}",
            APPLIANCE_SERVER_METRICS_LISTEN=f"127.0.0.1:{metrics}",
            NOTIFY_SOCKET=f"@{folder}",
            WATCHDOG_USEC="20000000",
            **on_minio(minio),
        )

    async def status(self) -> dict[str, Any]:
        """The status of all; empty while nothing answers. The manager hears what was said before."""
        self.manager.listen()
        try:
            return dict(await ask_status(Config(data_dir=self.data_dir)))
        except (ServerNotRunning, CommandFailed):
            return {}

    async def all_ready(self, starts: int = 0) -> dict[str, Any]:
        """The status once both processes are ready, after so many starts of them together."""
        found: dict[str, Any] = {}

        async def is_ready() -> bool:
            await asyncio.sleep(LOOK_EVERY_S)  # each look asks both processes, and the database
            found.update(await self.status())
            return bool(found.get("ready")) and sum(one["starts"] for one in found["processes"]) >= starts

        await until(is_ready, "both processes are ready", within_s=START_S)
        return found

    def pids(self, status: dict[str, Any]) -> list[int]:
        return [one["pid"] for one in status["processes"]]

    def said(self) -> dict[str, Any]:
        """What `appliance status` prints."""
        found: dict[str, Any] = json.loads(self.command("status").stdout)
        return found


@contextlib.asynccontextmanager
async def box_of_two(folder: Path, database: str, minio: Server) -> AsyncIterator[Box]:
    """A box whose processes are ready, gone at the end."""
    box = Box(folder, database, minio)
    try:
        box.launch()
        await box.all_ready()
        yield box
    finally:
        box.abandon()
        box.manager.close()


def _free_pair() -> int:
    """A free port after which the next one is free too."""
    while True:
        port = free_port()
        with contextlib.suppress(OSError, OverflowError), socket.create_server(("127.0.0.1", port + 1)):
            return port
