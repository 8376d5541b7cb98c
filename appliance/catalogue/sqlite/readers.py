"""The reading threads, each with a read-only connection of its own."""

import sqlite3
import threading
from pathlib import Path
from typing import ParamSpec, TypeVar

from appliance.catalogue.sql.readers import Query
from appliance.catalogue.sqlite.connections import open_reader
from appliance.catalogue.sqlite.faults import translate_error
from appliance.domain.errors import Stopping
from appliance.shared.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")


class SqliteReaders:
    """`Readers` of the file at `path`."""

    def __init__(self, path: Path, threads: int) -> None:
        self._path = path
        self._threads = Threads("catalogue-reader", threads)
        self._own = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._stopping = False

    async def run(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def work() -> T:
            try:
                return query(self._connection(), *args, **kwargs)
            except sqlite3.Error as error:
                raise translate_error(error) from error

        if self._stopping:
            raise Stopping
        return await self._threads.run(work)

    def close(self) -> None:
        self._stopping = True
        self._threads.shutdown()
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = open_reader(self._path)
            self._connections.append(connection)
        return connection
