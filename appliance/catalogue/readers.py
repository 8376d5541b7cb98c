"""The reading threads, each with a read-only connection of its own; long reads get a thread and a connection apart."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from appliance.catalogue.connections import open_reader
from appliance.catalogue.faults import named
from appliance.domain.errors import Stopping
from appliance.shared.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")
Query = Callable[Concatenate[sqlite3.Connection, P], T]


class Readers:
    """Runs queries beside the event loop. Its queries raise named errors only."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = Threads("catalogue-reader", threads)
        self._own = threading.local()
        self._pooled: list[sqlite3.Connection] = []
        self._apart: set[sqlite3.Connection] = set()
        self._stopping = False

    async def run(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A short query, on one of the pool's threads."""

        def work() -> T:
            try:
                return query(self._connection(), *args, **kwargs)
            except sqlite3.Error as error:
                raise named(error) from error

        if self._stopping:
            raise Stopping
        return await self._threads.run(work)

    async def run_apart(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A long query (check, backup), which keeps no other waiting and is interrupted by `close`."""

        def work() -> T:
            try:
                connection = open_reader(self._path)
                self._apart.add(connection)
                try:
                    if self._stopping:
                        raise Stopping
                    return query(connection, *args, **kwargs)
                finally:
                    self._apart.discard(connection)
                    connection.close()
            except sqlite3.Error as error:
                raise named(error) from error

        return await asyncio.to_thread(work)

    def close(self) -> None:
        """Blocks until running queries are done."""
        self._stopping = True
        for connection in tuple(self._apart):
            with contextlib.suppress(sqlite3.ProgrammingError):  # it was closed in this moment
                connection.interrupt()
        self._threads.shutdown()
        for connection in self._pooled:
            connection.close()
        self._pooled.clear()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = open_reader(self._path)
            self._pooled.append(connection)
        return connection
