"""Servers of others as subprocesses: MinIO on four drives, erasure coded, and `rclone serve s3`."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError, URLError

from tests.support.programs import free_port, minio_program, rclone_program

ACCESS_KEY = "tests-access-key"
SECRET_KEY = "tests-secret-key"
REGION = "us-east-1"
DRIVES = 4
START_S = 60.0
STOP_S = 60.0


class Server:
    """A server process that can be stopped, killed and started again on the same port and data."""

    def __init__(
        self, command: list[str], port: int, log: Path, ready: Callable[[int], bool], env: Mapping[str, str]
    ) -> None:
        self.port = port
        self.endpoint = f"127.0.0.1:{port}"
        self.access_key = ACCESS_KEY
        self.secret_key = SECRET_KEY
        self._command = command
        self.folder = log.parent
        self._log = log
        self._ready = ready
        self._env = {**os.environ, **env}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def start(self) -> Self:
        """Returns when the server answers requests."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )
        until = time.monotonic() + START_S
        while not self._ready(self.port):
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"{self._command[0]} did not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.1)
        return self

    def stop(self, with_signal: int = signal.SIGKILL) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        self._process.wait(STOP_S)
        self._process = None

    def signal(self, number: int) -> None:
        """SIGSTOP makes it hang, SIGCONT go on."""
        assert self._process is not None
        self._process.send_signal(number)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def listens(port: int) -> bool:
    """Whether something on 127.0.0.1 accepts connections at the port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def minio_server(folder: Path, region: str | None = None) -> Server:
    """A MinIO that is not started yet, its four drives below `folder`; it takes any region unless one is given.

    May skip the test (see `require`).
    """
    drives = [folder / f"disk{number}" for number in range(1, DRIVES + 1)]
    for drive in drives:
        drive.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [minio_program(), "server", "--address", f"127.0.0.1:{port}", "--console-address", "127.0.0.1:0"]
    env = {
        "MINIO_ROOT_USER": ACCESS_KEY,
        "MINIO_ROOT_PASSWORD": SECRET_KEY,
        "MINIO_CI_CD": "1",  # the drives share a filesystem here, which MinIO refuses otherwise
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
        "HOME": str(folder),
        **({} if region is None else {"MINIO_REGION": region}),
    }
    return Server([*command, *map(str, drives)], port, folder / "minio.log", _minio_ready, env)


def rclone_server(folder: Path) -> Server:
    """An `rclone serve s3` that is not started yet, its files below `folder`. May skip the test (see `require`)."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [rclone_program(), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off", str(data)]
    env = {"RCLONE_CONFIG": str(folder / "rclone.conf"), "HOME": str(folder)}
    return Server(command, port, folder / "rclone.log", answers, env)


def _minio_ready(port: int) -> bool:
    """Whether its erasure set takes writes, which comes some time after the port is open."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/minio/health/cluster", timeout=2) as reply:
            return int(reply.status) == 200
    except (URLError, OSError):
        return False


def answers(port: int) -> bool:
    """Whether it answers HTTP, be it with an error."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
            return True
    except HTTPError as error:
        error.close()
        return True
    except (URLError, OSError):
        return False
