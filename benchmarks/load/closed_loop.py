"""Closed-loop load from threads with plain sockets: cheap enough to share a small machine with what it measures."""

import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

READ_BYTES = 1 << 18


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a list of addresses: seconds for all, seconds of each, bytes of each answer with its head."""

    took_s: float
    each_s: tuple[float, ...]
    sizes: tuple[int, ...]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.each_s) / self.took_s


def fetch_all(urls: Sequence[str], *, connections: int) -> Run:
    """Each address once, `connections` at a time, each on a connection of its own. Anything but a 200 ends it."""
    started = time.perf_counter()
    with ThreadPoolExecutor(connections) as pool:
        answers = list(pool.map(_fetch, urls))
    took_s = time.perf_counter() - started
    return Run(took_s, tuple(seconds for seconds, _ in answers), tuple(size for _, size in answers))


def _fetch(url: str) -> tuple[float, int]:
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
    started = time.perf_counter()
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=60) as connection:
        connection.sendall(request)
        first = connection.recv(READ_BYTES)
        size = len(first)
        while more := connection.recv(READ_BYTES):
            size += len(more)
    if not first.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
        raise SystemExit(f"{url}: {first[:300]!r}")
    return time.perf_counter() - started, size
