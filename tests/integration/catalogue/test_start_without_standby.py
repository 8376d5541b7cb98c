"""A server that is alone starts while its database waits for a synchronous standby that is away."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import psycopg
import pytest

from appliance.catalogue.postgres import writing
from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from appliance.catalogue.postgres.connections import PostgresConnection
from appliance.catalogue.postgres.ownership import Ownership
from appliance.membership.claiming import start_catalogue
from tests.support.postgres import database_url, new_schema
from tests.support.server_process import ServerProcess
from tests.support.servers import Server
from tests.support.waiting import until

WAITING = {"status": "starting", "parts": {"catalogue": "its database waits for its standby"}}


@contextmanager
def without_standby(postgres: Server) -> Iterator[None]:
    """While the block lasts, no commit is confirmed."""
    with psycopg.connect(database_url(postgres), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        connection.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def server(tmp_path: Path, postgres: Server) -> Iterator[ServerProcess]:
    (tmp_path / "data").mkdir()
    process = ServerProcess(tmp_path / "data", APPLIANCE_CATALOGUE_URL=new_schema(postgres))
    yield process
    process.abandon()


@contextmanager
def hanging_session(url: str) -> Iterator[None]:
    """What the database keeps of a killed process: its lock, and its commit until a standby has that."""
    with psycopg.connect(url, autocommit=True) as raw, ThreadPoolExecutor(1) as thread:
        assert Ownership(None).claim(PostgresConnection(raw)) is None
        committing = thread.submit(raw.execute, "CREATE TABLE of_the_former_process ()")
        yield
        committing.result()


async def until_it_waits(session: aiohttp.ClientSession, server: ServerProcess) -> None:
    async def says_so() -> bool:
        assert server.is_running, server.words()
        try:
            async with session.get(f"{server.url}/readyz") as reply:
                return bool(await reply.json() == WAITING)
        except aiohttp.ClientConnectionError:
            return False

    await until(says_so, "a start that says what it waits for")


async def uploaded(session: aiohttp.ClientSession, server: ServerProcess, jpeg: bytes) -> str:
    async with session.post(f"{server.url}/api/v1/images", data=jpeg) as reply:
        assert reply.status == 201, await reply.text()
        return str((await reply.json())["slug"])


async def test_a_first_start_waits_for_the_standby_and_goes_on_by_itself(
    server: ServerProcess, postgres: Server, jpeg: bytes
) -> None:
    async with aiohttp.ClientSession() as session:
        with without_standby(postgres):
            server.launch()
            await until_it_waits(session, server)
            async with session.post(f"{server.url}/api/v1/images", data=jpeg) as refused:
                assert refused.status == 503
        await server.ready()
        await uploaded(session, server, jpeg)
    assert "none does. Start the standby" in server.words()


async def test_a_server_that_is_killed_while_it_waits_does_so_again_at_its_next_start(
    server: ServerProcess, postgres: Server, jpeg: bytes
) -> None:
    """Its first process leaves a session, which owns the catalogue as long as its commit waits."""
    async with aiohttp.ClientSession() as session:
        await server.start()
        slug = await uploaded(session, server, jpeg)
        assert await server.stop() == 0
        with without_standby(postgres):
            for _ in range(2):
                server.launch()
                await until_it_waits(session, server)
                server.kill()
            server.launch()
            await until_it_waits(session, server)
        await server.ready()
        async with session.get(f"{server.url}/i/{slug}/original") as reply:
            assert reply.status == 200
        await uploaded(session, server, jpeg)


async def test_a_session_that_owns_the_catalogue_is_waited_for_as_long_as_its_commit_hangs(
    postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, told = new_schema(postgres), list[str]()
    async with PostgresCatalogue(url):
        pass
    catalogue = PostgresCatalogue(url)

    async def tell(_part: str, state: str, _details: str) -> None:
        told.append(state)

    async def until_told(times: int) -> None:
        await until(lambda: len(told) >= times or starting.done(), "a start that says what it waits for")
        assert not starting.done()

    try:
        with ExitStack() as session, without_standby(postgres):
            session.enter_context(hanging_session(url))
            await until(catalogue.is_standby_awaited, "a commit that hangs")
            with monkeypatch.context() as patch:
                patch.setattr(writing, "OWNED_WITHIN_S", 0)
                starting = asyncio.create_task(start_catalogue(catalogue, None, tell))
                await until_told(3)
            await until_told(len(told) + 2)
        await starting
        assert set(told) == {"its database waits for its standby"}
    finally:
        await catalogue.stop()
