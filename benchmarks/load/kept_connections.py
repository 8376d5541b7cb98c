"""Requests over connections that are kept open, as a proxy keeps them: one for each thread."""

import http.client
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

TIMEOUT_S = 600
KEPT_S = 5.0  # servers close a connection that rests for longer than some time of theirs
NOISE = memoryview(random.Random(1).randbytes(1 << 22))


class Picture:
    """`length` bytes that are made while they are sent: a photograph, and noise behind its end.

    Decoders skip the noise, and this host removes it, unless it is asked to keep metadata.
    """

    def __init__(self, photo: bytes, length: int) -> None:
        self._photo = photo[:length]
        self.length = length

    def __iter__(self) -> Iterator[bytes | memoryview]:
        if self._photo:
            yield self._photo
        left = self.length - len(self._photo)
        while left:
            block = NOISE[:left]
            yield block
            left -= len(block)

    def cut(self, part_bytes: int) -> "list[Picture]":
        """The same bytes in parts; a photograph is no longer than one."""
        starts = range(0, self.length, part_bytes)
        return [Picture(b"" if start else self._photo, min(part_bytes, self.length - start)) for start in starts]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, read to its end; when the last byte of its request went (perf_counter), and when it had come."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_s: float
    came_s: float

    def good(self) -> Self:
        """Ends the program unless the request succeeded."""
        if self.status not in (200, 201):
            raise SystemExit(f"{self.status}: {self.body[:300]!r}")
        return self


class KeptConnections:
    """Connections to one server, one for each thread that uses it."""

    def __init__(self, url: str) -> None:
        self._where = urlsplit(url)
        self._own = threading.local()

    def ask(
        self, method: str, address: str, body: Picture | bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer. Raises OSError and HTTPException; the connection is a new one then."""
        connection = self._connection()
        length = body.length if isinstance(body, Picture) else len(body)
        more = {"Content-Length": str(length)} if length else {}
        try:
            connection.request(method, address, body=body or None, headers={**(headers or {}), **more})
            sent_s = time.perf_counter()
            reply = connection.getresponse()
            content = reply.read()
            return Reply(reply.status, dict(reply.headers), content, sent_s, time.perf_counter())
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        finally:
            self._own.used_s = time.perf_counter()

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(self._where.hostname or "", self._where.port, timeout=TIMEOUT_S)
            self._own.connection = connection
        elif time.perf_counter() - self._own.used_s > KEPT_S:
            connection.close()  # it opens anew by itself
        return connection
