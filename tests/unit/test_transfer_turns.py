"""How many turns of the event loop an upload waits for after its last byte: in a flood, each takes milliseconds."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.spool import Digest, Spool

PLENTY = 1 << 40


class Turns:
    """Counts turns of the event loop from the end of a stream on."""

    def __init__(self) -> None:
        self.count = 0
        self._is_over = False

    async def stream(self) -> AsyncIterator[bytes]:
        yield b"a small file"
        self._next()

    def _next(self) -> None:
        if not self._is_over:
            self.count += 1
            asyncio.get_running_loop().call_soon(self._next)

    def end(self) -> int:
        self._is_over = True
        return self.count


@pytest.fixture
async def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Spool]:
    """One whose threads need no time: what they do is done when the loop looks at them for the first time."""
    loop = asyncio.get_running_loop()

    def run_at_once(_pool: object, call: Any, *arguments: Any) -> asyncio.Future[Any]:
        future = loop.create_future()
        loop.call_soon(lambda: future.set_result(call(*arguments)))
        return future

    spool = Spool(tmp_path, budget_bytes=1000, reserve_bytes=0)
    await spool.start()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "run_in_executor", run_at_once)
        yield spool
    await spool.close()


async def test_a_small_file_waits_for_three_turns(spool: Spool) -> None:
    turns = Turns()
    incoming = await spool.receive("0" * 17, turns.stream(), announced_bytes=None, max_bytes=PLENTY)
    assert turns.end() <= 4  # the turn in which the stream ends is the first
    assert incoming.bytes == len(b"a small file")


async def test_a_small_resumable_one_waits_for_six(spool: Spool) -> None:
    turns, digest = Turns(), Digest()
    await spool.uploads.append("an-upload", turns.stream(), announced_bytes=1, left_bytes=PLENTY, digest=digest)
    assert turns.end() <= 7
    assert digest.bytes == len(b"a small file")
