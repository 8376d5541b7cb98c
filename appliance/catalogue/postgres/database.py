"""A catalogue's database, looked at without a server."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from appliance.catalogue.postgres.connections import Connector, PostgresConnection
from appliance.catalogue.postgres.faults import said, translate_error
from appliance.catalogue.postgres.migrations import is_made, require_fit
from appliance.catalogue.sql.invariants import problems
from appliance.catalogue.sql.stored import StoredRows
from appliance.domain.errors import CatalogueUnavailable, CommandFailed

P = ParamSpec("P")
T = TypeVar("T")
_PORT = 5432
_SIZE = """
    SELECT coalesce(sum(pg_total_relation_size(pg_class.oid)), 0)::bigint FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""


def addresses_of(url: str) -> list[tuple[str, int]]:
    """Host and port of each server that the URL names, but for sockets of this machine. Empty if it can't be read."""
    try:
        parts = conninfo_to_dict(url)
        ports = [int(port or _PORT) for port in str(parts.get("port") or _PORT).split(",")]
    except (psycopg.ProgrammingError, ValueError):
        return []
    hosts = str(parts.get("hostaddr") or parts.get("host") or "").split(",")
    named = zip(hosts, ports if len(ports) == len(hosts) else ports[:1] * len(hosts), strict=True)
    return [(host, port) for host, port in named if host and not host.startswith(("/", "@"))]


class CatalogueDatabase(StoredRows):
    """A `StoredCatalogue`: the one in the database at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __str__(self) -> str:
        try:
            parts = conninfo_to_dict(self._url)
        except psycopg.ProgrammingError:
            return "the database of catalogue.url"
        return f"the database {parts.get('dbname', '')} at {parts.get('host', 'this machine')}"

    def require_engine(self) -> str:
        with self._connected() as connection:
            require_fit(connection)
            return f"PostgreSQL {connection.raw.info.parameter_status('server_version')}"

    @property
    def fault(self) -> str | None:
        """Why it can't be reached now; None where it can, or where waiting wouldn't help."""
        try:
            Connector(self._url).connect(read_only=True).close()
        except psycopg.OperationalError as error:
            return said(error)
        except psycopg.Error:
            return None
        return None

    @property
    def exists(self) -> bool:
        with self._connected() as connection:
            return is_made(connection)

    def require_present(self) -> None:
        if not self.exists:
            raise CommandFailed(f"There is no catalogue in {self} yet. The first start makes it.")

    @property
    def size_bytes(self) -> int:
        with self._connected() as connection:
            [size] = connection.raw.execute(_SIZE).fetchone() or [0]
            return int(size)

    async def find_problems(self) -> list[str]:
        return await self._ask(problems)

    async def _ask(
        self, query: Callable[Concatenate[PostgresConnection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a query, which may take long, on a connection of its own."""

        def work() -> T:
            with self._connected() as connection:
                connection.raw.execute("SET statement_timeout = 0")
                return query(connection, *args, **kwargs)

        return await asyncio.to_thread(work)

    @contextmanager
    def _connected(self) -> Iterator[PostgresConnection]:
        """A connection that can't write. Raises CatalogueUnavailable, which says what the database said."""
        try:
            connection = Connector(self._url).connect(read_only=True)
        except psycopg.Error as error:
            raise CatalogueUnavailable(f"The catalogue's database can't be opened: {said(error)}") from error
        try:
            yield connection
        except psycopg.Error as error:
            raise translate_error(error) from error
        finally:
            connection.close()
