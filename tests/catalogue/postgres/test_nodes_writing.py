"""Nodes that write at the same time: no change is refused because of another node's."""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import psycopg
import pytest

from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.connections import Connector
from appliance.catalogue.postgres.writing import PostgresSession
from appliance.catalogue.sql.connection import Connection
from appliance.catalogue.sql.notes import get_note
from appliance.catalogue.sql.outcome import Outcome
from appliance.catalogue.sql.writer import PendingWrite
from tests.support import stopped_writer
from tests.support.programs import ROOT
from tests.support.rows import image, slug


async def test_changes_of_several_nodes_at_once_are_all_made(url: str) -> None:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(PostgresCatalogue(url, node=f"box-{number}")) for number in range(3)]

        async def change(node: PostgresCatalogue, first: int) -> None:
            for number in range(first, first + 20):
                added = image(number)
                await node.images.add(added)
                await node.images.end(added.slug, now_s=1, erase_after_s=1)

        await asyncio.gather(*(change(nodes[client % 3], client * 20) for client in range(12)))
        found = await nodes[0].images.erasable(10, 1000)
    assert len(found) == 240


async def test_a_node_that_freezes_in_its_turn_makes_others_wait_and_fails_none(url: str) -> None:
    """It may be paused, or have lost its network. When it is back, its change is made too."""
    is_frozen, others_are_done, runs = threading.Event(), threading.Event(), 0

    def freeze_once(connection: Connection) -> Outcome[None]:
        nonlocal runs
        runs += 1
        if runs == 1:
            is_frozen.set()
            others_are_done.wait(30)
        connection.execute("INSERT INTO notes (name, value) VALUES ('frozen', 'yes')", {})
        return Outcome(None)

    async with PostgresCatalogue(url, node="box-1") as one, PostgresCatalogue(url, node="box-2") as two:
        freezing = asyncio.create_task(one.writer.run(freeze_once))
        await asyncio.to_thread(is_frozen.wait, 30)
        await two.images.add(image(0))
        others_are_done.set()
        await freezing
        assert await two.notes.get("frozen") == "yes"
        assert await one.images.get(slug(0)) == image(0)
    assert runs == 2


def wait_for_another(url: str) -> None:
    """Returns once another node waits for its turn."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
            time.sleep(0.005)


async def test_a_node_with_much_to_write_lets_others_write_in_between(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MAX_TURN_S", 0.0)
    has_begun, seen = threading.Event(), list[str | None]()

    def write(connection: Connection) -> Outcome[None]:
        if not has_begun.is_set():
            has_begun.set()
            wait_for_another(url)
        seen.append(get_note(connection, "other"))
        return Outcome(None)

    session = PostgresSession(Connector(url), "box-1")
    writes = [PendingWrite(write, asyncio.get_running_loop().create_future()) for _ in range(5)]
    async with PostgresCatalogue(url, node="box-2") as other:
        await asyncio.to_thread(session.open)
        try:
            writing_much = asyncio.create_task(asyncio.to_thread(session.commit, writes))
            await asyncio.to_thread(has_begun.wait, 30)
            await other.notes.set("other", "written")
            assert await writing_much is None
        finally:
            await asyncio.to_thread(session.close)
    assert seen == [None, *["written"] * 4]
    assert all(write.outcome is not None and write.error is None for write in writes)


@asynccontextmanager
async def writer_process(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program `stopped_writer`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", stopped_writer.__name__, url),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_process_that_is_stopped_in_its_turn_holds_nobody_and_overwrites_nothing(url: str) -> None:
    """It continues once another node has changed what it had read before."""
    async with PostgresCatalogue(url, node="box-2") as other, writer_process(url) as stopped:
        assert stopped.stdin is not None
        assert stopped.stdout is not None
        assert await stopped.stdout.readline() == stopped_writer.IN_TURN
        stopped.send_signal(signal.SIGSTOP)
        await other.notes.set(stopped_writer.COUNT, "10")
        await other.images.add(image(0))
        stopped.send_signal(signal.SIGCONT)
        stopped.stdin.close()
        assert await stopped.wait() == 0
        assert await other.notes.get(stopped_writer.COUNT) == "11"
        assert await other.images.get(slug(0)) == image(0)
