"""Commands that are killed while they copy rows from or to a database, a few rows at a time."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from appliance.catalogue.postgres.catalogue import PostgresCatalogue
from tests.support.full_catalogue import asked
from tests.support.programs import ROOT
from tests.support.waiting import until

IN_SMALL_BATCHES = """
import sys
from appliance.catalogue import moving
from appliance.cli import main
moving.BATCH = 7
sys.exit(main(sys.argv[1:]))"""
GATE = 20_261_201
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"
PASS_GATE = f"""
    CREATE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock({GATE}); RETURN NULL; END'"""
GATE_IS_CLOSED = f"SELECT pg_advisory_lock({GATE})"


async def made(url: str) -> None:
    """The schema, without a row."""
    async with PostgresCatalogue(url):
        pass
    asked(url, "DELETE FROM notes")


async def gated(url: str, table: str) -> None:
    """A schema without rows, whose table can be written only while nobody has the gate's lock."""
    await made(url)
    gate(url, table)


def gate(url: str, table: str) -> None:
    """From now on the table can be written only while nobody has the gate's lock."""
    asked(url, PASS_GATE)
    asked(url, f"CREATE TRIGGER pass_gate AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION pass_gate()")


@contextmanager
def locked(url: str, lock: str) -> Iterator[None]:
    """While another session has this lock."""
    with psycopg.connect(url) as connection:
        connection.execute(lock.encode())
        yield


async def waits_for_a_lock(url: str) -> None:
    """Return once one session waits for a lock of the database."""
    await until(lambda: asked(url, WAITING) == [(1,)])


async def killed_at_a_lock(url: str, *command: str) -> None:
    """Run the command until it waits for a lock of the database, then kill it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_SMALL_BATCHES, *command, cwd=ROOT, env=dict(os.environ)
    )
    try:
        await waits_for_a_lock(url)
    finally:
        process.kill()
        await process.wait()
