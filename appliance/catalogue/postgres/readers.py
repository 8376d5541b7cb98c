"""The reading threads, each with a connection of its own that can't write."""

import asyncio
import threading
from typing import ParamSpec, TypeVar

import psycopg

from appliance.catalogue.postgres.connections import STATEMENT_TIMEOUT_S, Connector, PostgresConnection
from appliance.catalogue.postgres.faults import translate_error
from appliance.catalogue.sql.readers import Query
from appliance.domain.errors import CatalogueUnavailable, Stopping
from appliance.shared.threads import Threads

P = ParamSpec("P")
T = TypeVar("T")
ANSWERED_WITHIN_S = STATEMENT_TIMEOUT_S + 5.0
"""The database ends a statement that takes too long, unless it or the network is frozen."""


class PostgresReaders:
    """`Readers` with `threads` connections at most. One that was lost is replaced, and the query is asked again."""

    def __init__(self, connector: Connector, threads: int) -> None:
        self._connector = connector
        self._threads = Threads("catalogue-reader", threads)
        self._own = threading.local()
        self._opened: set[PostgresConnection] = set()
        self._stopping = False

    async def run(self, query: Query[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def ask() -> T:
            return query(self._connection(), *args, **kwargs)

        def work() -> T:
            try:
                try:
                    return ask()
                except psycopg.OperationalError:
                    if not self._drop_lost():
                        raise
                    return ask()
            except psycopg.Error as error:
                self._drop_lost()
                raise translate_error(error) from error

        if self._stopping:
            raise Stopping
        try:
            async with asyncio.timeout(ANSWERED_WITHIN_S):
                return await self._threads.run(work)
        except TimeoutError as error:
            raise CatalogueUnavailable("The catalogue's database doesn't answer. Try again in a moment.") from error

    def close(self) -> None:
        self._stopping = True
        self._threads.shutdown()
        for connection in self._opened:
            connection.close()
        self._opened.clear()

    def _connection(self) -> PostgresConnection:
        connection: PostgresConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._connector.connect(read_only=True)
            self._opened.add(connection)
        return connection

    def _drop_lost(self) -> bool:
        """Forget this thread's connection if it was lost. False if it wasn't, or if there is none."""
        connection: PostgresConnection | None = getattr(self._own, "connection", None)
        if connection is None or not connection.is_lost:
            return False
        self._own.connection = None
        self._opened.discard(connection)
        connection.close()
        return True
