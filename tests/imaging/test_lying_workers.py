"""Workers that lie: whatever one says, the server neither believes it nor is harmed by it."""

import asyncio
import dataclasses
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from appliance.domain.details import Details
from appliance.domain.formats import ACCEPTED, FormatSpec
from appliance.domain.model import KeepMetadata
from appliance.domain.renditions import Facts
from appliance.workers.answers import unpack_answer
from appliance.workers.limits import ResourceLimits
from appliance.workers.process import WorkerLost, WorkerProcess, spawn_worker
from appliance.workers.protocol import FindPrivate
from tests.support.workers import in_memory

HONEST = dataclasses.asdict(Facts("image/png", 640, 480))
DEEP = b"[" * 60_000


def facts(**lies: Any) -> bytes:
    return json.dumps({"facts": HONEST | lies}).encode()


def details(**lies: Any) -> bytes:
    return json.dumps({"details": dataclasses.asdict(Details()) | lies}).encode()


LIES = {
    "a page for a picture": facts(media_type="text/html"),
    "a type that is no text": facts(media_type=["image/png"]),
    "a size beyond every column": facts(width=10**30),
    "no size": facts(width=0),
    "a size that is infinite": b'{"sizes": [[1e999, 1, false, false]]}',
    "a size in words": facts(height="480"),
    "frames beyond every column": facts(frames=2**63),
    "memory below nothing": facts(memory_bytes=-1),
    "a refusal as long as a book": facts(refusal="x" * 50_000),
    "a refusal that is no text": facts(refusal={"a": 1}),
    "an error as long as a book": json.dumps({"error": ["cannot-resize", "x" * 50_000, None, None, False]}).encode(),
    "an error with a limit in words": json.dumps({"error": ["cannot-resize", "x", "<b>", None, False]}).encode(),
    "an error of another's": json.dumps({"error": ["store-lies", "x", None, None, False]}).encode(),
    "a text that turns around": details(caption="\u202egpj"),
    "a text as long as a book": details(author="x" * 50_000),
    "a camera that is no text": details(camera=["x"]),
    "a light that is infinite": details(aperture=1e999),
    "a position without end": details(latitude=10**400, longitude=0),
    "half a position": details(latitude=48.2),
    "a time in words": details(taken="yesterday"),
    "what nobody asked for": details(serial_number="4711"),
    "details of nothing": b'{"details": {}}',
    "facts of nothing, and what is private": b'{"examined": {"facts": {}, "edited": null}}',
    "facts, and what is private in words": json.dumps({"examined": {"facts": HONEST, "edited": "none"}}).encode(),
    "brackets without end": DEEP,
    "a number without end": b'{"sizes": [[' + b"9" * 50_000 + b", 1, true, false]]}",
    "no JSON": b"\xff\x00",
    "nothing known": b"{}",
}


@pytest.mark.parametrize("name", list(LIES))
def test_what_no_honest_worker_says_is_not_an_answer(name: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_answer(LIES[name])


@pytest.mark.parametrize("spec", ACCEPTED, ids=lambda spec: spec.name)
def test_an_original_may_have_every_accepted_type(spec: FormatSpec) -> None:
    read = unpack_answer(facts(media_type=spec.media_type))
    assert isinstance(read, Facts)
    assert read.media_type == spec.media_type


class Lying:
    """A worker of which the test speaks the part."""

    def __init__(self) -> None:
        def spawn(fd: int, limits: ResourceLimits) -> "subprocess.Popen[bytes]":
            self.speaks = socket.socket(fileno=os.dup(fd))
            return spawn_worker(fd, limits)

        self.worker = WorkerProcess(ResourceLimits(10**8, 10**8), spawn=spawn)

    def say(self, message: bytes, *fds: int) -> None:
        socket.send_fds(self.speaks, [message], list(fds))


@pytest_asyncio.fixture
async def lying() -> AsyncIterator[Lying]:
    one = Lying()
    await one.worker.ready
    yield one
    one.worker.kill()
    one.speaks.close()
    await one.worker.exited


@pytest.mark.parametrize("name", ["brackets without end", "a page for a picture", "no JSON"])
async def test_a_worker_that_lies_is_ended_at_once_and_its_descriptors_are_closed(lying: Lying, name: str) -> None:
    source, extra = in_memory(b"x"), in_memory(b"y")
    before = len(os.listdir("/proc/self/fd"))
    lying.say(LIES[name], extra, extra)
    with pytest.raises(WorkerLost):
        await lying.worker.call(FindPrivate(KeepMetadata.NOTHING, cpu_s=5), [source], 30)
    assert await asyncio.wait_for(asyncio.shield(lying.worker.exited), 30) == "SIGKILL"
    assert len(os.listdir("/proc/self/fd")) <= before
    os.close(source)
    os.close(extra)


async def test_a_worker_that_speaks_unasked_is_ended_at_once(lying: Lying) -> None:
    lying.say(b'{"edited": true}')
    assert await asyncio.wait_for(asyncio.shield(lying.worker.exited), 30) == "SIGKILL"


SHOUTING = r"""
import os, sys
os.write(2, b'{"level": "critical"}\n\x1b[31mforged\xff\n')
try:
    for _ in range(200):
        os.write(2, b"x" * 1000)
except BrokenPipeError:
    pass
"""


async def test_what_a_worker_writes_comes_into_the_log_as_text_and_in_little(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = len(os.listdir("/proc/self/fd"))

    def shouting(_fd: int, _limits: ResourceLimits) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-I", "-c", SHOUTING], stderr=subprocess.PIPE)

    worker = WorkerProcess(ResourceLimits(10**8, 10**8), spawn=shouting)
    with pytest.raises(WorkerLost):
        await worker.ready
    lines = [record.getMessage() for record in caplog.records if "a worker wrote" in record.getMessage()]
    assert lines[0].startswith('a worker wrote: {"level": "critical"} | ?[31mforged\\xff')
    assert all(line.isprintable() for line in lines)
    assert max(map(len, lines)) < 1100
    assert 10_000 < sum(map(len, lines)) < 20_000
    assert len(os.listdir("/proc/self/fd")) == before
