"""What the processes tell the one that started them, as a service tells systemd: see sd_notify(3)."""

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MAX_BYTES = 4096
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class Notices:
    """A socket for notices. `hear` is called with the process that sent one, as the kernel says, and its lines."""

    def __init__(self, hear: Callable[[int, list[str]], None]) -> None:
        self._hear = hear
        self.address = f"@appliance/{secrets.token_hex(16)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(f"\0{self.address[1:]}")

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear notices in the running event loop, until the block ends."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self.read)
        try:
            yield
        finally:
            loop.remove_reader(self._socket)
            self._socket.close()

    def read(self) -> None:
        """Hear what has arrived."""
        while True:
            try:
                data, extras, _, _ = self._socket.recvmsg(MAX_BYTES, socket.CMSG_SPACE(_CREDENTIALS.size))
            except BlockingIOError:
                return
            for level, kind, content in extras:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    self._hear(_CREDENTIALS.unpack(content)[0], data.decode(errors="replace").splitlines())
