"""The real `appliance serve` as a process: started on a free port, spoken to over TCP, stopped or killed."""

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.procfs import children_of
from tests.support.programs import ROOT, free_port
from tests.support.servers import Server

START_S = 180.0
STOP_S = 90.0
POLL_S = 0.02
COMMAND = (sys.executable, "-m", "appliance.cli")


class ServerProcess:
    """One data directory and the server over it, which can be killed and started again at the same address.

    It runs in the checkout `root`.
    """

    def __init__(self, data_dir: Path, root: Path = ROOT, /, **environment: str) -> None:
        self.data_dir = data_dir
        self.root = root
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.environment = _small_environment(data_dir, self.port) | environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process and return at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve"], env=self.environment, cwd=self.root, stdout=log, stderr=subprocess.STDOUT
            )

    async def start(self) -> None:
        """Start the process and return when it is ready."""
        self.launch()
        await self.ready()

    async def ready(self) -> None:
        until = time.monotonic() + START_S
        async with aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(f"{self.url}/readyz") as reply:
                        if reply.status == 200:
                            return
                if not self.is_running or time.monotonic() > until:
                    raise RuntimeError(f"the server did not start:\n{self.words()}")
                await asyncio.sleep(POLL_S)

    def words(self) -> str:
        """What it wrote to its log lately."""
        return self.log.read_text(errors="replace")[-8000:]

    def workers(self) -> list[int]:
        """The pids of its worker processes."""
        return children_of(self.pid)

    def kill(self) -> None:
        """kill -9 the server, and only it."""
        self.send_signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(STOP_S)

    def send_signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it in good order; its exit status."""
        self.send_signal(number)
        return await self.ended()

    async def ended(self) -> int:
        """The exit status of a server that was told to stop."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, STOP_S)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """One of the other commands, under the same configuration."""
        return subprocess.run(
            [*COMMAND, *arguments],
            check=False,
            env=self.environment,
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def on_terminal(self, *arguments: str) -> tuple[str, int]:
        """What a command shows on a terminal, and its exit status."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 100))
        process = subprocess.Popen([*COMMAND, *arguments], env=self.environment, cwd=ROOT, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 4096):
                shown += chunk
        except OSError:  # the other end is closed
            pass
        finally:
            os.close(ours)
        return shown.decode(), process.wait(60)

    def abandon(self) -> None:
        """Leave nothing running, however the test ended."""
        if self.is_running:
            self.kill()

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


def _small_environment(data_dir: Path, port: int) -> dict[str, str]:
    """A server that starts fast and leaves the machine's other core alone; nothing of the tester's own settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("APPLIANCE_")}
    return inherited | {
        "APPLIANCE_DATA_DIR": str(data_dir),
        "APPLIANCE_SERVER_LISTEN": f"127.0.0.1:{port}",
        "APPLIANCE_UPLOADS_RESERVE_BYTES": "1000000",
        "APPLIANCE_RENDITIONS_WORKERS": "1",
        "APPLIANCE_RENDITIONS_PREWARM": "",
    }


def on_minio(server: Server, **changed: str) -> Mapping[str, str]:
    """The environment that puts originals into a MinIO."""
    return {
        "APPLIANCE_STORE_KIND": "minio",
        "APPLIANCE_STORE_ENDPOINT": server.endpoint,
        "APPLIANCE_STORE_ACCESS_KEY": server.access_key,
        "APPLIANCE_STORE_SECRET_KEY": server.secret_key,
        "APPLIANCE_STORE_SECURE": "false",
    } | changed


@contextlib.asynccontextmanager
async def serving(data_dir: Path, root: Path = ROOT, /, **environment: str) -> AsyncIterator[ServerProcess]:
    """A started server, gone at the end."""
    served = ServerProcess(data_dir, root, **environment)
    try:
        await served.start()
        yield served
    finally:
        served.abandon()
