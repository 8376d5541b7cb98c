"""Queries of a catalogue in PostgreSQL, whose callers may end at any moment."""

import asyncio
import threading
import time

import pytest

from appliance.catalogue.postgres.connections import Connector
from appliance.catalogue.postgres.readers import PostgresReaders
from appliance.catalogue.sql.connection import Connection
from tests.support.postgres import new_schema
from tests.support.servers import Server


@pytest.mark.parametrize("turns", range(5))
async def test_who_is_cancelled_as_the_answer_comes_ends(postgres: Server, turns: int) -> None:
    readers = PostgresReaders(Connector(new_schema(postgres)), 1)
    has_begun, may_end = threading.Event(), threading.Event()

    def ask(connection: Connection) -> None:
        connection.execute("SELECT 1")
        has_begun.set()
        may_end.wait(30)

    asking = asyncio.create_task(readers.run(ask))
    await asyncio.to_thread(has_begun.wait)
    may_end.set()
    time.sleep(0.2)  # noqa: ASYNC251 - the answer is there before the loop's next turn
    for _ in range(turns):
        await asyncio.sleep(0)
    if asking.cancel():
        with pytest.raises(asyncio.CancelledError):
            await asking
    readers.close()
