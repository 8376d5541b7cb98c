"""Sends a large file as fast as the kernel can, so that only the server and the disk are measured."""

import contextlib
import http.client
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 1800
BLOCK_BYTES = 1 << 24
TUS = {"Tus-Resumable": "1.0.0"}
KEEP_METADATA = {"Upload-Metadata": "keep_metadata dHJ1ZQ=="}
"""Without it, this host removes the noise that `large_picture` writes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply, and when it was asked, had got its last byte, and came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    began_s: float
    last_byte_s: float
    came_s: float


def large_picture(path: Path, head: bytes, size: int) -> None:
    """A picture with noise behind its end, which decoders do not mind; it is on the disk on return."""
    block = os.urandom(BLOCK_BYTES)
    with path.open("wb") as file:
        file.write(head)
        while (left := size - file.tell()) > 0:
            file.write(block[:left])
        file.flush()
        os.fsync(file.fileno())


def ask(method: str, url: str, headers: Mapping[str, str] | None = None, file: Path | None = None) -> Answer:
    """One request on a connection of its own; the file is its body."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=TIMEOUT_S)
    with contextlib.closing(connection):
        connection.connect()
        began_s = time.perf_counter()
        connection.putrequest(method, where.path + (f"?{where.query}" if where.query else ""))
        length = 0 if file is None else file.stat().st_size
        for name, value in ({"Content-Length": str(length)} | dict(headers or {})).items():
            connection.putheader(name, value)
        connection.endheaders()
        if file is not None:
            assert isinstance(connection.sock, socket.socket)
            with file.open("rb") as opened:
                connection.sock.sendfile(opened)
        last_byte_s = time.perf_counter()
        reply = connection.getresponse()
        body = reply.read()
        return Answer(reply.status, dict(reply.headers), body, began_s, last_byte_s, time.perf_counter())


def create(url: str, size: int) -> str:
    """A new tus upload's address; `url` is where they are created."""
    answer = ask("POST", url, TUS | KEEP_METADATA | {"Upload-Length": str(size)})
    assert answer.status == 201, answer.body
    location = answer.headers["Location"]
    return location if "://" in location else f"http://{urlsplit(url).netloc}{location}"


def patch(where: str, file: Path) -> Answer:
    """The whole file in one request, as clients send it that set no chunk size."""
    headers = TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    answer = ask("PATCH", where, headers, file)
    assert answer.status == 204, answer.body
    return answer


def post(url: str, file: Path) -> Answer:
    """As a raw body to a host of ours, which keeps all of it."""
    answer = ask("POST", f"{url}/api/v1/images?filename=large.jpg&keep_metadata=true", file=file)
    assert answer.status == 201, answer.body
    return answer


def shareable(url: str, image: Mapping[str, object]) -> float:
    """When the share link of a ready image had answered."""
    assert image["state"] == "ready", image
    page = ask("GET", f"{url}/i/{image['slug']}")
    assert page.status == 200
    return page.came_s


def became(where: str) -> Mapping[str, object]:
    """The image that a tus upload of ours is now."""
    state = json.loads(ask("GET", where).body)
    assert state["state"] == "done", state
    image: Mapping[str, object] = state["image"]
    return image
