"""What systemd does for a service: it holds its sockets and hears what the service tells."""

import contextlib
import fcntl
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support.programs import ROOT
from tests.support.server_process import COMMAND, ServerProcess

HAND_OVER = """
import os, sys
numbers, names, command = sys.argv[1].split(), sys.argv[2], sys.argv[3:]
for target, number in enumerate(numbers, 3):
    os.dup2(int(number), target)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(numbers)), LISTEN_FDNAMES=names)
os.execv(command[0], command)
"""
ABOVE = 100
"""The manager's own descriptors lie above those that it hands over."""


class Manager:
    """What systemd does for a service: it holds the sockets, and hears what the service tells."""

    def __init__(self, address: str) -> None:
        self.heard: list[str] = []
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._line.bind(address.replace("@", "\0"))

    def listen(self) -> None:
        while True:
            try:
                self.heard += self._line.recv(4096).decode().splitlines()
            except BlockingIOError:
                return

    def has_heard(self, line: str, times: int = 1) -> bool:
        self.listen()
        return self.heard.count(line) >= times

    def close(self) -> None:
        self._line.close()


class SupervisedProcess(ServerProcess):
    """A server that gets its sockets from outside, as the descriptors from 3 on."""

    def __init__(self, data_dir: Path, sockets: dict[str, socket.socket], **environment: str) -> None:
        super().__init__(data_dir, **environment)
        self.sockets = sockets
        self.url = f"http://127.0.0.1:{next(iter(sockets.values())).getsockname()[1]}"

    def launch(self) -> None:
        numbers = [one.fileno() for one in self.sockets.values()]
        handing = [sys.executable, "-c", HAND_OVER, " ".join(map(str, numbers)), ":".join(self.sockets)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*handing, *COMMAND, "serve"],
                env=self.environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=numbers,
            )


@contextlib.asynccontextmanager
async def supervised(data_dir: Path, *names: str, **environment: str) -> AsyncIterator[SupervisedProcess]:
    sockets = {name: _listener() for name in names}
    served = SupervisedProcess(data_dir, sockets, **environment)
    try:
        await served.start()
        yield served
    finally:
        served.abandon()
        for one in sockets.values():
            one.close()


def _listener() -> socket.socket:
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as low:
        return socket.socket(fileno=fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, ABOVE))
